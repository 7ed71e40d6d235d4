#include "tests/symbolize/loaded_profile.h"

#include <dlfcn.h>
#include <link.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "profiler/symbolize/elf_image.h"
#include "tests/symbolize/binutils.h"

namespace wallprof::symbolize {
namespace {

std::string BuildIdOf(const std::string& filename) {
  const auto image =
      filename == "[vdso]" ? ElfImage::Vdso() : ElfImage::Open(filename);
  return image.ok() ? (*image)->BuildId() : "";
}

std::vector<Mapping> ExecutableMappings() {
  std::vector<Mapping> mappings;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    std::istringstream words(line);
    Mapping mapping;
    char dash = 0;
    std::string permissions, device, inode;
    words >> std::hex >> mapping.start >> dash >> mapping.limit >>
        permissions >> mapping.file_offset >> device >> inode >> std::ws;
    std::getline(words, mapping.filename);
    if (permissions.find('x') == std::string::npos) continue;
    mapping.id = mappings.size() + 1;
    mapping.build_id = BuildIdOf(mapping.filename);
    mappings.push_back(mapping);
  }
  return mappings;
}

}  // namespace

Profile ProfileOf(const std::vector<uint64_t>& addresses) {
  Profile profile;
  profile.sample_types = {{"samples", "count"}};
  profile.mappings = ExecutableMappings();
  Sample& sample = profile.samples.emplace_back();
  sample.values = {1};
  for (const uint64_t address : addresses) {
    Location& location = profile.locations.emplace_back();
    location.id = profile.locations.size();
    location.address = address;
    for (const Mapping& mapping : profile.mappings) {
      if (address >= mapping.start && address < mapping.limit) {
        location.mapping_id = mapping.id;
      }
    }
    sample.location_ids.push_back(location.id);
  }
  return profile;
}

const Function& FunctionAt(const Profile& profile, size_t i) {
  const uint64_t id = profile.locations.at(i).lines.at(0).function_id;
  for (const Function& function : profile.functions) {
    if (function.id == id) return function;
  }
  throw std::runtime_error("no function of that id");
}

const Mapping& MappingAt(const Profile& profile, size_t i) {
  return profile.mappings.at(profile.locations.at(i).mapping_id - 1);
}

std::string ThisProgram() {
  return std::filesystem::read_symlink("/proc/self/exe");
}

TemporaryDirectory::TemporaryDirectory() {
  std::string name = std::filesystem::temp_directory_path() / "symbolizeXXXXXX";
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error(name);
  // Without links in it, as the memory map shows it.
  path_ = std::filesystem::canonical(name);
}

TemporaryDirectory::~TemporaryDirectory() {
  std::filesystem::remove_all(path_);
}

LoadedCopy::LoadedCopy(const std::string& library)
    : original_(library),
      path_(directory_.path() + "/" +
            std::filesystem::path(library).filename().string()),
      handle_((std::filesystem::copy_file(library, path_),
               dlopen(path_.c_str(), RTLD_NOW | RTLD_LOCAL))) {
  if (handle_ == nullptr) throw std::runtime_error(dlerror());
}

LoadedCopy::~LoadedCopy() { dlclose(handle_); }

uint64_t LoadedCopy::AddressOf(const std::string& name) const {
  link_map* map = nullptr;
  if (dlinfo(handle_, RTLD_DI_LINKMAP, &map) != 0) {
    throw std::runtime_error(dlerror());
  }
  return map->l_addr + NmAddress(original_, name);
}

void LoadedCopy::ReplaceBy(const std::string& file) const {
  const std::string fresh = path_ + ".new";
  std::filesystem::copy_file(file, fresh);
  std::filesystem::rename(fresh, path_);
}

}  // namespace wallprof::symbolize
