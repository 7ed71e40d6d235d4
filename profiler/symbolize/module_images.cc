#include "profiler/symbolize/module_images.h"

#include <algorithm>
#include <filesystem>
#include <limits>

namespace wallprof::symbolize {
namespace {

bool HasDebugInformation(const ElfImage& image) {
  return image.HasContent(".debug_info") || image.HasContent(".zdebug_info");
}

uint64_t LowestCode(const ElfImage& image) {
  uint64_t lowest = std::numeric_limits<uint64_t>::max();
  for (const ElfImage::Section& section : image.sections()) {
    if (section.executable) lowest = std::min(lowest, section.address);
  }
  return lowest;
}

}  // namespace

ModuleImages::ModuleImages(const ElfImage& image, const std::string& path,
                           const DebugPlaces& debug_places)
    : image_(image), path_(path) {
  if (!HasDebugInformation(image)) {
    debug_ = FindDebugImage(image, path, debug_places);
    if (debug_.image == nullptr) mini_ = UnpackMiniImage(image);
  }
  alternate_ = FindAlternateImage(debug(), debug_path(), debug_places);
}

std::vector<const ElfImage*> ModuleImages::with_symbols() const {
  std::vector<const ElfImage*> images = {&image_};
  // A stripped file has few symbols left; a separate one has all.
  if (debug_.image != nullptr) {
    images.insert(images.begin(), debug_.image.get());
  }
  if (mini_ != nullptr) images.push_back(mini_.get());
  return images;
}

bool ModuleImages::has_debug_information() const {
  return HasDebugInformation(debug());
}

bool ModuleImages::lacks_alternate() const {
  return alternate_.image == nullptr && debug().HasContent(".gnu_debugaltlink");
}

SourceFiles ModuleImages::source_files() const {
  SourceFiles files;
  files.image = &debug();
  files.split.directory = std::filesystem::path(debug_path()).parent_path();
  files.split.packages = {debug_path() + ".dwp"};
  if (debug_.image != nullptr) files.split.packages.push_back(path_ + ".dwp");
  files.alternate = alternate_.image.get();
  files.lowest_code = LowestCode(image_);
  return files;
}

}  // namespace wallprof::symbolize
