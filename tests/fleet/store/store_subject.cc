// A program that uses a store until it is killed:
//
//   store_subject STORE FIRST   adds profiles from that number on, removes some
//                               and packs; says on standard output what it
//                               begins and what is done for good
//   store_subject STORE         says what is there, and ends
//
// STORE is a directory, or the URLs of an index and of blobs with a space
// between. A line each: "added N", "remove N" before it is asked for and
// "removed N" after, "there N" and "wrong N" for what cannot be read as it was
// written.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "fleet/store/profile_store.h"

namespace wallprof::store {
namespace {

constexpr int kThreads = 4;
constexpr int kRemovedOf = 7;  // one in so many is removed

// One write each, so that none is lost with the process.
void Say(const char* what, int64_t number) {
  const std::string line = absl::StrCat(what, " ", number, "\n");
  if (write(STDOUT_FILENO, line.data(), line.size()) !=
      static_cast<ssize_t>(line.size())) {
    std::_Exit(3);
  }
}

void Require(const absl::Status& status, const char* what) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s: %s\n", what, std::string(status.message()).c_str());
  std::_Exit(2);
}

std::string MessageOf(int64_t number) {
  std::string message = absl::StrCat("profile ", number, ":");
  while (message.size() < 3000) absl::StrAppend(&message, number * 7, ",");
  return message;
}

ProfileInfo InfoOf(int64_t number) {
  ProfileInfo info;
  info.created_at = absl::FromUnixSeconds(1'800'000'000 + number);
  info.id = MakeProfileId(info.created_at, absl::StrCat(number));
  info.series = {"shop", "wall", {{"host", absl::StrCat(number % 3)}}};
  return info;
}

void AddFrom(ProfileStore& store, int64_t number) {
  for (;; number += kThreads) {
    const ProfileInfo info = InfoOf(number);
    const std::string message = MessageOf(number);
    Require(store.Add({info, message, ""}).status(), "add");
    Say("added", number);
    if (number % kRemovedOf != 0) continue;
    Say("remove", number);
    Require(store.Delete({info.id}).status(), "delete");
    Say("removed", number);
  }
}

void Tell(ProfileStore& store) {
  const absl::Status found = store.Find({}, [&](const IndexEntry& entry) {
    const int64_t number =
        absl::ToUnixSeconds(entry.info.created_at) - 1'800'000'000;
    const auto message = store.Read(entry);
    Say(message.ok() && *message == MessageOf(number) ? "there" : "wrong",
        number);
    return true;
  });
  Require(found, "find");
}

int Main(int argc, char** argv) {
  StoreOptions options;
  const std::string where = argv[1];
  if (const size_t space = where.find(' '); space != std::string::npos) {
    options.index = where.substr(0, space);
    options.blobs = where.substr(space + 1);
  } else {
    options.directory = where;
  }
  options.log = [](const fleet::LogLine& line) {
    std::fprintf(stderr, "%s\n", line.text().c_str());
  };
  auto store = OpenProfileStore(options);
  Require(store.status(), "open");
  if (argc == 2) {
    Tell(**store);
    return 0;
  }
  const int64_t first = std::atoll(argv[2]);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&store, first, t] { AddFrom(**store, first + t); });
  }
  while (true) Require((*store)->KeepHouse(), "keep house");
}

}  // namespace
}  // namespace wallprof::store

int main(int argc, char** argv) { return wallprof::store::Main(argc, argv); }
