// versions_subject URL WHO: adds words to a record, see adding.h.
#include <iostream>
#include <thread>
#include <vector>

#include "fleet/pgo/versions/open.h"
#include "tests/fleet/pgo/versions/adding.h"

int main(int argc, char** argv) {
  using namespace wallprof::pgo;
  if (argc != 3) return 2;
  const auto versions = OpenBaseVersions(argv[1]);
  if (!versions.ok()) {
    std::cerr << versions.status() << "\n";
    return 1;
  }
  std::vector<absl::Status> ended(kThreads);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back(
        [&, i] { ended[i] = AddWords(**versions, argv[2], i); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const absl::Status& status : ended) {
    if (status.ok()) continue;
    std::cerr << status << "\n";
    return 1;
  }
  return 0;
}
