#include "profiler/symbolize/debuginfod.h"

#include <dlfcn.h>
#include <unistd.h>

#include <cstdlib>

namespace wallprof::symbolize {
namespace {

// The library's interface, of which the header need not be installed.
struct Client;
struct Library {
  Client* (*begin)() = nullptr;
  int (*find)(Client* client, const unsigned char* build_id, int length,
              char** path) = nullptr;
  void (*end)(Client* client) = nullptr;

  bool loaded() const {
    return begin != nullptr && find != nullptr && end != nullptr;
  }
};

// It stays loaded: it is not made to be unloaded.
const Library& LoadLibrary() {
  static const Library library = [] {
    Library found;
    void* handle = dlopen("libdebuginfod.so.1", RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) return found;
    found.begin = reinterpret_cast<decltype(Library::begin)>(
        dlsym(handle, "debuginfod_begin"));
    found.find = reinterpret_cast<decltype(Library::find)>(
        dlsym(handle, "debuginfod_find_debuginfo"));
    found.end = reinterpret_cast<decltype(Library::end)>(
        dlsym(handle, "debuginfod_end"));
    return found;
  }();
  return library;
}

}  // namespace

std::string DownloadDebugFile(const std::string& build_id) {
  const char* servers = std::getenv("DEBUGINFOD_URLS");
  if (servers == nullptr || *servers == '\0' || build_id.empty()) return "";
  const Library& library = LoadLibrary();
  if (!library.loaded()) return "";
  Client* client = library.begin();
  if (client == nullptr) return "";
  char* path = nullptr;
  // Length 0: the build id is text.
  const int fd = library.find(
      client, reinterpret_cast<const unsigned char*>(build_id.c_str()),
      /*length=*/0, &path);
  std::string found;
  if (fd >= 0) {
    close(fd);
    if (path != nullptr) found = path;
  }
  std::free(path);
  library.end(client);
  return found;
}

}  // namespace wallprof::symbolize
