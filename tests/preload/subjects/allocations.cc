// A C++ program whose threads allocate, throw and end, whatever allocator it
// was given. Prints the sum of what they did.
#include <cstdio>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

__attribute__((noinline)) int Work(int seed) {
  std::map<int, std::string> words;
  int caught = 0;
  for (int i = 0; i < 100000; ++i) {
    words[(i * seed) % 1000] = std::string(static_cast<size_t>(i % 300), 'x');
    if (i % 100 != 0) continue;
    try {
      throw std::runtime_error(words.begin()->second);
    } catch (const std::exception&) {
      ++caught;
    }
  }
  return caught;
}

}  // namespace

int main() {
  int sum = 0;
  for (int round = 0; round < 3; ++round) {
    std::vector<std::thread> threads;
    std::vector<int> caught(4);
    for (size_t i = 0; i < caught.size(); ++i) {
      threads.emplace_back(
          [&caught, i] { caught[i] = Work(static_cast<int>(i) + 3); });
    }
    for (std::thread& thread : threads) thread.join();
    for (const int count : caught) sum += count;
  }
  std::printf("%d\n", sum);
  return 0;
}
