// Where the debug information of a program or library is, if not in itself.
#ifndef WALLPROF_PROFILER_SYMBOLIZE_DEBUG_LOCATOR_H_
#define WALLPROF_PROFILER_SYMBOLIZE_DEBUG_LOCATOR_H_

#include <memory>
#include <string>
#include <vector>

#include "profiler/symbolize/elf_image.h"

namespace wallprof::symbolize {

// Where to look besides the program's own directory.
struct DebugPlaces {
  // Where packages put debug information.
  std::vector<std::string> roots = {"/usr/lib/debug"};

  // Whether to ask the servers of DEBUGINFOD_URLS, which learn from that what
  // is running here.
  bool servers = false;
};

// An image and where it was found; null if nowhere.
struct LocatedImage {
  std::unique_ptr<ElfImage> image;
  std::string path;
};

// The file with the debug information of `image`, which was loaded from
// `path`. Under each root: by build id, which must be the same; and by the name
// that .gnu_debuglink tells, there, beside `path` and in .debug/ beside it, if
// the checksum is right. Servers are asked last.
LocatedImage FindDebugImage(const ElfImage& image, const std::string& path,
                            const DebugPlaces& places);

// The file that `debug`, found at `path`, shares a part of its debug
// information with, as .gnu_debugaltlink tells; its build id must be the one
// told there.
LocatedImage FindAlternateImage(const ElfImage& debug, const std::string& path,
                                const DebugPlaces& places);

// The image in .gnu_debugdata, which has further symbols of a stripped file;
// null if there is none.
std::unique_ptr<ElfImage> UnpackMiniImage(const ElfImage& image);

}  // namespace wallprof::symbolize

#endif  // WALLPROF_PROFILER_SYMBOLIZE_DEBUG_LOCATOR_H_
