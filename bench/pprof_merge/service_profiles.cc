#include "bench/pprof_merge/service_profiles.h"

#include <cmath>
#include <random>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "absl/strings/str_cat.h"

namespace wallprof {
namespace {

// Of the program: a server of some hundred thousand lines and its libraries.
constexpr uint64_t kFunctions = 20'000;
constexpr uint64_t kModules = 14;
constexpr uint64_t kModuleBytes = uint64_t{64} << 20;
constexpr uint64_t kPageBytes = 4096;

// Of its stacks: each function calls a few others, some far more often.
constexpr uint64_t kStacks = 300'000;
constexpr int kShallowest = 12;
constexpr int kDepths = 40;  // from there on
constexpr uint64_t kRoots = 6;
constexpr uint64_t kCallees = 6;
constexpr uint64_t kPlacesPerFunction = 3;  // that it calls from
constexpr int kLeaves = 6;  // frames in which stacks of one path differ
constexpr uint64_t kStacksPerPath = 30;

constexpr int kThreadNames = 48;
const char* const kWaits[] = {"futex", "epoll_wait", "recvmsg", "pread64"};

uint64_t Mix(uint64_t x) {
  x ^= x >> 31;
  x *= 0x7fb5d329728ea185;
  x ^= x >> 27;
  x *= 0x81dadef4bc2dd44d;
  return x ^ x >> 33;
}

// A function for a random number: most are hardly ever called.
uint64_t Popular(uint64_t random) {
  double uniform = static_cast<double>(random >> 11) * 0x1p-53;
  return static_cast<uint64_t>(std::pow(uniform, 4) * kFunctions);
}

std::string Word(uint64_t seed) {
  static const char* const kWords[] = {
      "Index",   "Query",  "Storage", "Session", "Buffer", "Cache", "Request",
      "Planner", "Scan",   "Merge",   "Column",  "Reader", "Block", "Channel",
      "Metric",  "Update", "Shard",   "Replica", "Token",  "Lease"};
  return kWords[Mix(seed) % std::size(kWords)];
}

Function MakeFunction(uint64_t number) {
  uint64_t space = number / 400;
  uint64_t type = number / 12;
  std::string place = absl::StrCat("service", space, "::", Word(space),
                                   "::", Word(type), Word(type + 1), type);
  std::string method = absl::StrCat(Word(number), Word(number + 7), number);
  std::string parameters = "const std::string&, int";
  if (number % 3 == 0) {
    absl::StrAppend(&place, "<std::vector<", Word(number + 3),
                    ", std::allocator<", Word(number + 3), "> > >");
    parameters = "std::unique_ptr<Context, std::default_delete<Context> >";
  }
  Function function;
  function.name = absl::StrCat(place, "::", method, "(", parameters, ")");
  function.system_name =
      absl::StrCat("_ZN9service", space, Word(space).size(), Word(space),
                   Word(type), Word(type + 1), type, "I", number % 3, "E",
                   method.size(), method, "ERKSsi");
  function.filename = absl::StrCat("/src/service/", Word(space), space, "/",
                                   Word(type), type, ".cc");
  function.start_line = 10 + static_cast<int64_t>(Mix(number) % 900);
  return function;
}

class Maker {
 public:
  Maker(int instance, int samples)
      : instance_(instance), samples_(samples), random_(instance) {}

  Profile Make() && {
    profile_.sample_types = {
        {"samples", "count"}, {"cpu", "nanoseconds"}, {"wall", "nanoseconds"}};
    profile_.default_sample_type = "wall";
    profile_.period_type = {"wall", "nanoseconds"};
    profile_.period = 10'101'010;
    profile_.time = absl::FromUnixSeconds(1'700'000'000 + instance_ * 60);
    profile_.duration = absl::Seconds(60);
    AddMappings();
    std::uniform_real_distribution<double> uniform;
    std::unordered_set<uint64_t> taken;
    while (static_cast<int>(taken.size()) < samples_) {
      // What is done often is done everywhere.
      double rank = std::pow(uniform(random_), 3) * kStacks;
      if (taken.insert(static_cast<uint64_t>(rank)).second) {
        AddSample(static_cast<uint64_t>(rank));
      }
    }
    return std::move(profile_);
  }

 private:
  void AddMappings() {
    for (uint64_t i = 0; i < kModules; ++i) {
      Mapping mapping;
      mapping.id = i + 1;
      mapping.start = 0x7f0000000000 + i * 2 * kModuleBytes +
                      Mix(instance_ * kModules + i) %
                          (kModuleBytes / kPageBytes) * kPageBytes;
      mapping.limit = mapping.start + kModuleBytes;
      mapping.filename = i == 0 ? "/usr/bin/service"
                                : absl::StrCat("/usr/lib/libpart", i, ".so");
      mapping.build_id = absl::StrCat(absl::Hex(Mix(i)), absl::Hex(Mix(~i)));
      mapping.has_functions = mapping.has_filenames = true;
      profile_.mappings.push_back(mapping);
    }
  }

  uint64_t FunctionId(uint64_t number) {
    auto [known, is_new] =
        functions_.try_emplace(number, profile_.functions.size() + 1);
    if (is_new) {
      profile_.functions.push_back(MakeFunction(number));
      profile_.functions.back().id = known->second;
    }
    return known->second;
  }

  uint64_t LocationId(uint64_t number, uint64_t place) {
    uint64_t key = number * kPlacesPerFunction + place;
    auto [known, is_new] =
        locations_.try_emplace(key, profile_.locations.size() + 1);
    if (!is_new) return known->second;
    Location location;
    location.id = known->second;
    uint64_t module = Mix(number / 400) % kModules;
    location.mapping_id = module + 1;
    location.address =
        profile_.mappings[module].start + Mix(key) % kModuleBytes;
    // Every fourth call is in something small that was inlined.
    int inlined =
        Mix(key) % 4 == 0 ? 1 + static_cast<int>(Mix(key + 1) % 2) : 0;
    for (int i = inlined; i >= 0; --i) {
      int64_t line = 20 + static_cast<int64_t>(Mix(key + i) % 900);
      uint64_t function = i == 0 ? number : Popular(Mix(key + i));
      location.lines.push_back({FunctionId(function), line, 0});
    }
    profile_.locations.push_back(location);
    return location.id;
  }

  void AddSample(uint64_t stack) {
    uint64_t path = stack / kStacksPerPath;
    uint64_t seed = Mix(path);
    int depth = kShallowest + static_cast<int>(seed % kDepths);
    uint64_t function = Popular(Mix(path % kRoots));
    Sample sample;
    sample.location_ids.resize(depth);
    for (int i = depth - 1; i >= 0; --i) {
      seed = Mix(seed + i + (i < kLeaves ? stack : 0));
      // The first callee every other time, the second every fourth, and so on.
      uint64_t callee = __builtin_ctzll(seed | uint64_t{1} << kCallees);
      sample.location_ids[i] =
          LocationId(function, callee % kPlacesPerFunction);
      function = Popular(Mix(function * kCallees + callee));
    }
    int64_t count = 1 + static_cast<int64_t>(random_() % 20);
    int64_t wall =
        count * profile_.period + static_cast<int64_t>(random_() % 2'000'000);
    bool runs = stack % 5 == 0;
    sample.values = {count, runs ? wall / 2 : 0, wall};
    sample.labels = {{"thread", absl::StrCat("worker-", stack % kThreadNames)},
                     {"state", runs ? "running" : "blocked"}};
    if (!runs) {
      sample.labels.push_back({"wait", kWaits[stack % std::size(kWaits)]});
    }
    profile_.samples.push_back(std::move(sample));
  }

  int instance_;
  int samples_;
  std::mt19937_64 random_;
  Profile profile_;
  std::unordered_map<uint64_t, uint64_t> functions_;  // ids by number
  std::unordered_map<uint64_t, uint64_t> locations_;
};

}  // namespace

Profile ServiceProfile(int instance, int samples) {
  return Maker(instance, samples).Make();
}

}  // namespace wallprof
