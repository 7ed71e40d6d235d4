// What a store in a directory costs:
//
//   store_bench index [PROFILES]     adding to the index, and listing from it
//   store_bench add [SECONDS]        profiles of 100 KiB, from several threads
//   store_bench pack FILE.pb.gz...   bytes a profile once packed, and reading
//                                    them; of a service all whose names begin
//                                    alike, up to the first '.'
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "fleet/files/files.h"
#include "fleet/gzip/whole_gzip.h"
#include "fleet/store/kept_profiles.h"
#include "fleet/store/local/repair.h"

namespace wallprof::store {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr int kServices = 40;
constexpr int kHosts = 25;  // of each
constexpr int kDays = 7;
constexpr int64_t kEnd = 1'800'000'000;

double SecondsSince(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

void Require(const absl::Status& status, const char* what) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s: %s\n", what, status.ToString().c_str());
  std::exit(1);
}

class Directory {
 public:
  Directory() : path_("/var/tmp/wallprof_store_XXXXXX") {
    if (mkdtemp(path_.data()) == nullptr) std::exit(1);
  }
  ~Directory() { fs::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Milliseconds of calls.
void PrintTimes(const char* what, std::vector<double> ms) {
  std::sort(ms.begin(), ms.end());
  std::printf("%-34s p50 %8.2f ms   p99 %8.2f ms   max %8.2f ms\n", what,
              ms[ms.size() / 2], ms[ms.size() * 99 / 100], ms.back());
}

IndexEntry EntryOf(int64_t number, int64_t all) {
  IndexEntry entry;
  const auto service = number % kServices;
  const auto host = number / kServices % kHosts;
  entry.info.created_at = absl::FromUnixSeconds(kEnd - kDays * 86'400 +
                                                number * kDays * 86'400 / all);
  entry.info.id = MakeProfileId(entry.info.created_at, absl::StrCat(number));
  entry.info.series = {absl::StrCat("service-", service),
                       "wall",
                       {{"host", absl::StrCat("host-", host)},
                        {"version", "1.2.3"},
                        {"zone", absl::StrCat("zone-", host % 3)}}};
  entry.place = {absl::StrCat(number / 1000, ".received"),
                 number % 1000 * 100'000, 100'000};
  entry.message_bytes = 400'000;
  return entry;
}

void TimeQueries(Index& index, const char* what,
                 const std::function<Query(std::mt19937&)>& make) {
  std::mt19937 random(1);
  std::vector<double> ms;
  int64_t rows = 0;
  for (int i = 0; i < 200; ++i) {
    const Query query = make(random);
    const auto begin = Clock::now();
    Require(index.Find(query,
                       [&](const IndexEntry&) {
                         ++rows;
                         return true;
                       }),
            "find");
    ms.push_back(SecondsSince(begin) * 1e3);
  }
  PrintTimes(absl::StrCat(what, ", ", rows / 200, " rows").c_str(), ms);
}

void BenchIndex(int64_t profiles) {
  const Directory directory;
  auto index = local::LocalIndex::Open(directory.path());
  Require(index.status(), "open");
  const auto begin = Clock::now();
  constexpr int64_t kBatch = 1000;
  for (int64_t i = 0; i < profiles; i += kBatch) {
    std::vector<IndexEntry> entries;
    for (int64_t k = i; k < std::min(i + kBatch, profiles); ++k) {
      entries.push_back(EntryOf(k, profiles));
    }
    Require((*index)->Add(entries).status(), "add");
  }
  std::printf(
      "%lld profiles added in %.1f s, %.0f bytes each\n",
      static_cast<long long>(profiles), SecondsSince(begin),
      static_cast<double>(fs::file_size(directory.path() + "/index.sqlite")) /
          static_cast<double>(profiles));
  const auto hour = [](std::mt19937& random, std::string_view selector) {
    Query query;
    query.selector = *Selector::Parse(selector);
    query.selector.Require("service",
                           absl::StrCat("service-", random() % kServices));
    query.from = absl::FromUnixSeconds(
        kEnd - static_cast<int64_t>(random() % (kDays * 86'400 - 3600)) - 3600);
    query.to = query.from + absl::Hours(1);
    return query;
  };
  TimeQueries(**index, "service and hour",
              [&](std::mt19937& random) { return hour(random, ""); });
  TimeQueries(**index, "one host of a service, a day",
              [&](std::mt19937& random) {
                Query query = hour(random, R"(host="host-7")");
                query.to = query.from + absl::Hours(24);
                return query;
              });
  TimeQueries(**index, "all services, ten minutes", [&](std::mt19937& random) {
    Query query = hour(random, "");
    query.selector = Selector();
    query.to = query.from + absl::Minutes(10);
    return query;
  });
}

void BenchAdds(int seconds) {
  constexpr int kThreads = 32;
  constexpr size_t kBytes = 100 << 10;
  const Directory directory;
  StoreOptions options;
  options.directory = directory.path();
  auto store = OpenProfileStore(options);
  Require(store.status(), "open");
  std::string noise(kBytes, '\0');
  std::mt19937_64 random(1);
  for (char& byte : noise) byte = static_cast<char>(random());
  std::atomic<int64_t> next{0};
  std::vector<std::vector<double>> ms(kThreads);
  std::vector<std::thread> threads;
  const auto begin = Clock::now();
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      while (SecondsSince(begin) < seconds) {
        const int64_t number = next++;
        const ProfileInfo info = EntryOf(number, 1'000'000).info;
        const auto from = Clock::now();
        // Not unpacked until it is read or packed.
        Require((*store)->Add({info, noise, noise}).status(), "add");
        ms[static_cast<size_t>(t)].push_back(SecondsSince(from) * 1e3);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<double> all;
  for (const auto& some : ms) all.insert(all.end(), some.begin(), some.end());
  const double rate = static_cast<double>(all.size()) / SecondsSince(begin);
  std::printf("%.0f profiles a second, %.0f MB a second, %.1f a commit\n", rate,
              rate * kBytes / 1e6,
              static_cast<double>(all.size()) /
                  static_cast<double>((*store)->Stats()->commits));
  PrintTimes("added for good", all);
}

struct Sizes {
  int64_t profiles = 0;
  int64_t gzip = 0;
  int64_t packed = 0;
};

class PackingBench {
 public:
  // Adds and packs them. Their sizes are those of the packed records.
  std::map<std::string, Sizes> Pack(const std::vector<std::string>& files) {
    std::map<std::string, Sizes> sizes;
    auto store = Open();
    std::vector<std::string> ids;
    int64_t message_bytes = 0;
    for (const std::string& file : files) {
      const auto gzipped = fleet::ReadWhole(file);
      Require(gzipped.status(), file.c_str());
      const auto message = fleet::UnpackWhole(*gzipped, size_t{1} << 30);
      Require(message.status(), file.c_str());
      ProfileInfo info = EntryOf(++number_, 1'000'000).info;
      const std::string name = fs::path(file).filename();
      info.series.service = name.substr(0, name.find('.'));
      Require(store->Add({info, *message, *gzipped}).status(), "add");
      ids.push_back(info.id);
      message_bytes += static_cast<int64_t>(message->size());
      ++sizes[info.series.service].profiles;
      sizes[info.series.service].gzip += static_cast<int64_t>(gzipped->size());
    }
    // The file that was written to is closed.
    store.reset();
    store = Open();
    auto begin = Clock::now();
    Require(store->KeepHouse(), "keep house");
    const double packing_s = SecondsSince(begin);
    const auto entries = store->Get(ids);
    Require(entries.status(), "get");
    begin = Clock::now();
    for (const IndexEntry& entry : *entries) {
      sizes[entry.info.series.service].packed += entry.place.bytes;
      Require(store->Read(entry).status(), "read");
    }
    std::printf("packed at %.1f MB a second, read at %.0f MB a second\n",
                static_cast<double>(message_bytes) / packing_s / 1e6,
                static_cast<double>(message_bytes) / SecondsSince(begin) / 1e6);
    return sizes;
  }

  int64_t DictionaryBytes() const {
    int64_t bytes = 0;
    for (const auto& file :
         fs::directory_iterator(directory_.path() + "/dictionaries")) {
      bytes += static_cast<int64_t>(file.file_size());
    }
    return bytes;
  }

 private:
  std::unique_ptr<KeptProfiles> Open() const {
    auto parts = local::OpenLocalParts(directory_.path(), {}, {});
    Require(parts.status(), "open");
    KeepingOptions options;
    options.house.now = [] { return absl::FromUnixSeconds(kEnd); };
    options.packing.min_group_bytes = 0;
    options.keeps_house_every = absl::ZeroDuration();
    return std::make_unique<KeptProfiles>(fleet::File(),
                                          std::move(parts->index),
                                          std::move(parts->segments), options);
  }

  const Directory directory_;
  int64_t number_ = 0;
};

// Dictionaries are made of every other profile; what counts is what the others
// then take, which are in none.
void BenchPacking(const std::vector<std::string>& files) {
  std::vector<std::string> earlier;
  std::vector<std::string> later;
  for (size_t i = 0; i < files.size(); ++i) {
    (i % 2 == 0 ? earlier : later).push_back(files[i]);
  }
  PackingBench bench;
  bench.Pack(earlier);
  const int64_t dictionaries = bench.DictionaryBytes();
  for (const auto& [service, sizes] : bench.Pack(later)) {
    const auto profiles = static_cast<double>(sizes.profiles);
    std::printf(
        "%-10s %4lld profiles: %7.0f bytes in gzip, %7.0f packed, %.0f %%\n",
        service.c_str(), static_cast<long long>(sizes.profiles),
        static_cast<double>(sizes.gzip) / profiles,
        static_cast<double>(sizes.packed) / profiles,
        100.0 * static_cast<double>(sizes.packed) /
            static_cast<double>(sizes.gzip));
  }
  std::printf("dictionaries: %lld bytes, then %lld\n",
              static_cast<long long>(dictionaries),
              static_cast<long long>(bench.DictionaryBytes()));
}

}  // namespace
}  // namespace wallprof::store

int main(int argc, char** argv) {
  using namespace wallprof::store;
  const std::string_view what = argc > 1 ? argv[1] : "";
  if (what == "index") {
    BenchIndex(argc > 2 ? std::atoll(argv[2]) : 1'000'000);
  } else if (what == "add") {
    BenchAdds(argc > 2 ? std::atoi(argv[2]) : 10);
  } else if (what == "pack" && argc > 2) {
    BenchPacking({argv + 2, argv + argc});
  } else {
    std::fprintf(stderr, "store_bench index|add|pack ..., see the source\n");
    return 2;
  }
  return 0;
}
