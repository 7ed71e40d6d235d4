#include "fleet/store/local/reserve.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "fleet/files/files.h"

namespace wallprof::store::local {
namespace {

// What removing a few thousand profiles writes.
constexpr off_t kBytes = off_t{4} << 20;

}  // namespace

Reserve::Reserve(std::string path) : path_(std::move(path)) {}

void Reserve::Take() {
  struct stat status;
  if (stat(path_.c_str(), &status) == 0 && status.st_size == kBytes) return;
  const auto file = fleet::OpenFile(path_, O_WRONLY | O_CREAT);
  if (!file.ok() || fallocate(file->number(), 0, 0, kBytes) != 0) {
    unlink(path_.c_str());
  }
}

bool Reserve::Give() { return unlink(path_.c_str()) == 0; }

}  // namespace wallprof::store::local
