// What a shared store does in a second, and how long its lists take.
//
//   shared_store_bench add INDEX BLOBS SECONDS     16 threads, 100 KiB each
//   shared_store_bench list INDEX ROWS             of so many profiles
//
// bench/shared_store/shared_store starts it with servers.
#include <stdio.h>
#include <stdlib.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "fleet/store/profile_store.h"
#include "fleet/store/shared/postgres_index.h"

namespace wallprof::store {
namespace {

constexpr int kThreads = 16;
constexpr size_t kProfileBytes = 100 << 10;

// The rows: profiles of a week, one a second, in turn of services and hosts.
constexpr int kServices = 50;
constexpr int kHosts = 20;  // of each
constexpr int kDays = 7;
constexpr size_t kBatch = 5000;
constexpr int kRounds = 30;  // of each list

template <typename T>
T Checked(absl::StatusOr<T> value) {
  if (!value.ok()) {
    fprintf(stderr, "%s\n", value.status().ToString().c_str());
    exit(1);
  }
  return *std::move(value);
}

void Checked(const absl::Status& status) {
  if (status.ok()) return;
  fprintf(stderr, "%s\n", status.ToString().c_str());
  exit(1);
}

Series SeriesOf(int number) {
  return {absl::StrCat("service-", number % kServices),
          "wall",
          {{"host", absl::StrCat("host-", number / kServices % kHosts)}}};
}

double Milliseconds(absl::Duration duration) {
  return absl::ToDoubleMilliseconds(duration);
}

void Add(const std::string& index, const std::string& blobs, int seconds) {
  const auto store =
      Checked(OpenProfileStore({.blobs = blobs, .index = index}));
  std::string message(kProfileBytes, '\0');
  std::mt19937 random(1);
  for (char& byte : message) byte = static_cast<char>(random());
  const absl::Time start = absl::Now();
  const absl::Time end = start + absl::Seconds(seconds);
  std::atomic<int> count{0};
  std::vector<std::vector<absl::Duration>> took(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      while (absl::Now() < end) {
        const int number = count++;
        const absl::Time now =
            absl::FromUnixSeconds(absl::ToUnixSeconds(absl::Now()));
        const absl::Time begun = absl::Now();
        // As it comes from agents, already compressed.
        Checked(store->Add(
            {{MakeProfileId(now, absl::StrCat(number)), SeriesOf(number), now},
             message,
             message}));
        took[t].push_back(absl::Now() - begun);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const double passed = absl::ToDoubleSeconds(absl::Now() - start);
  std::vector<absl::Duration> all;
  for (const auto& some : took) all.insert(all.end(), some.begin(), some.end());
  std::sort(all.begin(), all.end());
  const StoreStatistics statistics = Checked(store->Stats());
  printf(
      "adds of %zu KiB by %d threads: %.0f a second, %.1f a commit; "
      "median %.0f ms, 99%% in %.0f ms\n",
      kProfileBytes >> 10, kThreads, static_cast<double>(all.size()) / passed,
      static_cast<double>(statistics.added) /
          static_cast<double>(statistics.commits),
      Milliseconds(all[all.size() / 2]),
      Milliseconds(all[all.size() * 99 / 100]));
}

void Fill(Index& index, absl::Time end, int64_t rows) {
  const absl::Time begun = absl::Now();
  const absl::Duration step = absl::Hours(24 * kDays) / rows;
  std::vector<IndexEntry> batch;
  for (int64_t i = 0; i < rows; ++i) {
    const absl::Time time =
        absl::FromUnixSeconds(absl::ToUnixSeconds(end - (rows - i) * step));
    const int number = static_cast<int>(i % (kServices * kHosts));
    batch.push_back(
        {{MakeProfileId(time, absl::StrCat(i)), SeriesOf(number), time},
         {absl::StrCat("segment-", i / 100), i % 100, 1},
         1});
    if (batch.size() == kBatch || i + 1 == rows) {
      Checked(index.Add(batch));
      batch.clear();
    }
  }
  printf(
      "%lld rows added, %zu at once: %.0f a second\n",
      static_cast<long long>(rows), kBatch,
      static_cast<double>(rows) / absl::ToDoubleSeconds(absl::Now() - begun));
}

void TimeList(Index& index, const std::string& selector, absl::Time from,
              absl::Time to, size_t most) {
  std::vector<absl::Duration> took;
  size_t found = 0;
  for (int i = 0; i < kRounds; ++i) {
    found = 0;
    const absl::Time begun = absl::Now();
    Checked(index.Find({Checked(Selector::Parse(selector)), from, to},
                       [&](const IndexEntry&) { return ++found < most; }));
    took.push_back(absl::Now() - begun);
  }
  std::sort(took.begin(), took.end());
  printf("  {%s}, %s, %zu found: median %.1f ms, worst %.1f ms\n",
         selector.c_str(), absl::FormatDuration(to - from).c_str(), found,
         Milliseconds(took[took.size() / 2]), Milliseconds(took.back()));
}

void List(const std::string& url, int64_t rows) {
  const auto index = Checked(shared::MakePostgresIndex(url));
  const absl::Time end =
      absl::FromUnixSeconds(absl::ToUnixSeconds(absl::Now()));
  Fill(*index, end, rows);
  const absl::Time hour = end - absl::Hours(1), day = end - absl::Hours(24),
                   week = end - absl::Hours(24 * kDays);
  constexpr size_t kAll = 1'000'000'000;
  printf("lists:\n");
  TimeList(*index, "service=\"service-7\"", hour, end, kAll);
  TimeList(*index, "service=\"service-7\"", day, end, kAll);
  TimeList(*index, "service=\"service-7\"", week, end, 100);
  TimeList(*index, "service=\"service-7\",host=\"host-3\"", week, end, kAll);
  TimeList(*index, "host=\"host-3\"", hour, end, kAll);
  TimeList(*index, "", hour, end, kAll);
  TimeList(*index, "", week, end, 100);
  TimeList(*index, "service=\"none\"", week, end, kAll);
  std::vector<absl::Duration> took;
  for (int i = 0; i < kRounds; ++i) {
    const absl::Time begun = absl::Now();
    Checked(index->FindSeries({{}, hour, end}));
    took.push_back(absl::Now() - begun);
  }
  std::sort(took.begin(), took.end());
  printf("  series of an hour: median %.1f ms\n",
         Milliseconds(took[took.size() / 2]));
}

}  // namespace
}  // namespace wallprof::store

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() == 4 && words[0] == "add") {
    wallprof::store::Add(words[1], words[2], atoi(words[3].c_str()));
  } else if (words.size() == 3 && words[0] == "list") {
    wallprof::store::List(words[1], atoll(words[2].c_str()));
  } else {
    fprintf(stderr, "see the top of bench/shared_store/load.cc\n");
    return 2;
  }
  return 0;
}
