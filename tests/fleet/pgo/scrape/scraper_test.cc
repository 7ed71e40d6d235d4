#include "fleet/pgo/scrape/scraper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

#include "absl/time/clock.h"
#include "tests/fleet/transfer/raw_server.h"

namespace wallprof::pgo {
namespace {

using fleet::RawAnswer;
using fleet::RawConnection;
using fleet::RawServer;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

// What a test says there is.
class SaidTargets : public TargetSource {
 public:
  void Say(absl::StatusOr<std::vector<Target>> targets) {
    std::lock_guard lock(mutex_);
    targets_ = std::move(targets);
  }
  std::string name() const override { return "said"; }
  absl::StatusOr<std::vector<Target>> List() override {
    std::lock_guard lock(mutex_);
    return targets_;
  }
  absl::Status Check() override { return List().status(); }

 private:
  std::mutex mutex_;
  absl::StatusOr<std::vector<Target>> targets_ = std::vector<Target>();
};

struct Sent {
  std::string app;
  std::string bytes;
  std::string version;
  int64_t id;
};

class ScraperTest : public ::testing::Test {
 protected:
  ScraperTest() {
    options_.app = "shop";
    options_.sample_size = 100;
    options_.duration = absl::Milliseconds(1);
    options_.frequency = absl::Milliseconds(50);
    options_.grace = absl::Minutes(10);
    const auto keep = [this](const fleet::LogLine& line) {
      std::lock_guard lock(mutex_);
      lines_.push_back(line.text());
    };
    options_.log = keep;
    options_.warn = keep;
  }

  // Runs it until `is_enough`, which is asked all the time.
  void RunUntil(const std::function<bool()>& is_enough) {
    scraper_ = std::make_unique<Scraper>(
        source_,
        [this](std::string_view app, std::string_view bytes,
               std::string_view version, int64_t id) {
          std::lock_guard lock(mutex_);
          sent_.push_back(
              {std::string(app), std::string(bytes), std::string(version), id});
          if (answers_.empty()) return absl::OkStatus();
          const absl::Status answer = answers_.back();
          answers_.pop_back();
          return answer;
        },
        options_);
    const absl::Time deadline = absl::Now() + absl::Seconds(30);
    bool was_enough = false;
    scraper_->Run([&] {
      was_enough = is_enough();
      return was_enough || absl::Now() > deadline;
    });
    EXPECT_TRUE(was_enough);
    EXPECT_EQ(scraper_->counts().running, 0);
  }

  ScraperCounts counts() { return scraper_->counts(); }

  std::vector<Sent> sent() {
    std::lock_guard lock(mutex_);
    return sent_;
  }

  // How many lines have this in them.
  int64_t Told(const std::string& what) {
    std::lock_guard lock(mutex_);
    return std::count_if(lines_.begin(), lines_.end(),
                         [&](const std::string& line) {
                           return line.find(what) != std::string::npos;
                         });
  }

  ScraperOptions options_;
  SaidTargets source_;
  std::mutex mutex_;
  std::vector<std::string> lines_;
  std::vector<Sent> sent_;
  std::vector<absl::Status> answers_;  // of uploads, the last one first
  std::unique_ptr<Scraper> scraper_;
};

TEST_F(ScraperTest, ProfilesAreTakenAndSent) {
  RawServer target([](RawConnection& connection) {
    connection.Send(RawAnswer("200 OK", "a profile"));
  });
  options_.duration = absl::Milliseconds(1500);
  source_.Say({{{target.url(), "/p?x=1", "1.4"}}});
  RunUntil([&] { return counts().scraped >= 2; });
  EXPECT_THAT(target.asked(), Each("GET /p?x=1&seconds=2 HTTP/1.1"));
  std::set<int64_t> ids;
  for (const Sent& one : sent()) {
    EXPECT_EQ(one.app, "shop");
    EXPECT_EQ(one.bytes, "a profile");
    EXPECT_EQ(one.version, "1.4");
    ids.insert(one.id);
  }
  EXPECT_THAT(ids, SizeIs(sent().size()));
  EXPECT_EQ(counts().targets, 1);
  EXPECT_EQ(counts().target_failures, 0);
}

TEST_F(ScraperTest, SomeOfManyAtTheSameTime) {
  constexpr size_t kTargets = 12, kSample = 4;
  std::mutex mutex;
  std::map<std::string, int> asked;
  std::atomic<size_t> open{0}, most{0};
  RawServer target([&](RawConnection& connection) {
    {
      std::lock_guard lock(mutex);
      ++asked[connection.request().line];
    }
    const size_t now = ++open;
    size_t before = most;
    while (now > before && !most.compare_exchange_weak(before, now)) {
    }
    // Only where all of a round are there at once does it go on.
    while (most < kSample) absl::SleepFor(absl::Milliseconds(1));
    --open;
    connection.Send(RawAnswer("200 OK", "a profile"));
  });
  std::vector<Target> targets;
  for (size_t i = 0; i < kTargets; ++i) {
    targets.push_back({target.url(), "/" + std::to_string(i), ""});
  }
  source_.Say(targets);
  options_.sample_size = kSample;
  RunUntil([&] {
    std::lock_guard lock(mutex);
    return asked.size() == kTargets;
  });
  EXPECT_EQ(most, kSample);
}

// What targets may do instead of giving a profile.
struct Bad {
  const char* path;
  RawServer::Answer answer;
};

std::vector<Bad> AllBad() {
  return {
      {"/error",
       [](RawConnection& c) {
         c.Send(RawAnswer("500 No", "<b>it is\nbroken</b>"));
       }},
      {"/page",
       [](RawConnection& c) {
         c.Send(RawAnswer("200 OK", "<html>", "Content-Type: text/html\r\n"));
       }},
      {"/nothing", [](RawConnection& c) { c.Send(RawAnswer("200 OK", "")); }},
      {"/close", [](RawConnection&) {}},
      {"/early",
       [](RawConnection& c) {
         c.Send("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf");
       }},
      {"/endless",
       [](RawConnection& c) {
         c.Send("HTTP/1.1 200 OK\r\n\r\n");
         while (c.Send(std::string(1000, 'x'))) {
         }
       }},
      {"/never", [](RawConnection& c) { c.AwaitEnd(); }},
      {"/slow", [](RawConnection& c) {
         c.Send("HTTP/1.1 200 OK\r\n\r\n");
         while (c.Send("x")) absl::SleepFor(absl::Milliseconds(10));
       }}};
}

TEST_F(ScraperTest, BadTargetsHarmNoOther) {
  const std::vector<Bad> bad = AllBad();
  RawServer target([&](RawConnection& connection) {
    for (const Bad& one : bad) {
      if (connection.request().line.find(one.path) != std::string::npos) {
        return one.answer(connection);
      }
    }
    connection.Send(RawAnswer("200 OK", "a profile"));
  });
  std::vector<Target> targets = {{target.url(), "/good", ""},
                                 {"http://127.0.0.1:1", "/refused", ""},
                                 {"http://name.invalid", "/nowhere", ""}};
  for (const Bad& one : bad) targets.push_back({target.url(), one.path, ""});
  source_.Say(targets);
  options_.max_profile_bytes = 100'000;
  RunUntil([&] {
    // The last of the bad ones that end takes longest to be told.
    return counts().scraped >= 5 && Told("/nowhere") > 0 &&
           Told("/endless") > 0;
  });
  for (const Sent& one : sent()) EXPECT_EQ(one.bytes, "a profile");
  EXPECT_GE(counts().target_failures, 7);
  EXPECT_EQ(counts().skipped, 0);
  EXPECT_EQ(Told("not_scraped"), counts().target_failures);
  EXPECT_GT(Told("status 500: <b>it is broken</b>"), 0);
  EXPECT_GT(Told("a page, not a profile"), 0);
  EXPECT_GT(Told("its answer is empty"), 0);
  EXPECT_GT(Told("more than 100000 bytes"), 0);
  // They still run, once, and are not asked again.
  const auto asked = target.asked();
  EXPECT_EQ(
      std::count(asked.begin(), asked.end(), "GET /never?seconds=1 HTTP/1.1"),
      1);
}

TEST_F(ScraperTest, TargetsHaveTheDurationAndTheGrace) {
  RawServer target([](RawConnection& c) { c.AwaitEnd(); });
  source_.Say({{{target.url(), "/never", ""}}});
  options_.grace = absl::Milliseconds(10);
  RunUntil([&] { return counts().target_failures > 0; });
  EXPECT_GT(Told("Operation timed out"), 0);
}

TEST_F(ScraperTest, RoundsWithoutAPlaceAreLeftOutAndTold) {
  RawServer target([](RawConnection& c) { c.AwaitEnd(); });
  source_.Say({{{target.url(), "/never", ""}, {target.url(), "/too", ""}}});
  options_.sample_size = 1;
  RunUntil([&] { return counts().skipped >= 3; });
  EXPECT_EQ(counts().rounds, 1);
  EXPECT_THAT(target.asked(), SizeIs(1));
  EXPECT_GE(Told("event=late still_running=1"), 3);
}

TEST_F(ScraperTest, AnotherTakesThePlaceOfOneThatFails) {
  RawServer target([](RawConnection& connection) {
    connection.Send(RawAnswer("200 OK", "a profile"));
  });
  source_.Say({{{"http://127.0.0.1:1", "/refused", ""},
                {"http://127.0.0.1:1", "/refused2", ""},
                {"http://127.0.0.1:1", "/refused3", ""},
                {target.url(), "/good", ""}}});
  options_.sample_size = 1;
  options_.frequency = absl::Seconds(4);
  RunUntil([&] { return counts().scraped == 1; });
  EXPECT_EQ(counts().rounds, 1);
}

TEST_F(ScraperTest, ButAListThatIsAllWrongIsNotWorkedThrough) {
  std::vector<Target> targets;
  for (int i = 0; i < 50; ++i) {
    targets.push_back({"http://127.0.0.1:1", "/" + std::to_string(i), ""});
  }
  source_.Say(targets);
  options_.sample_size = 1;
  options_.frequency = absl::Seconds(2);
  RunUntil(
      [&] { return counts().target_failures > 0 && counts().running == 0; });
  EXPECT_EQ(counts().target_failures, 4);
}

TEST_F(ScraperTest, UploadsAreTriedAgainWithTheSameId) {
  RawServer target([](RawConnection& connection) {
    connection.Send(RawAnswer("200 OK", "a profile"));
  });
  source_.Say({{{target.url(), "/p", ""}}});
  options_.frequency = absl::Seconds(2);
  answers_ = {absl::UnavailableError("away")};
  RunUntil([&] { return counts().scraped == 1; });
  ASSERT_THAT(sent(), SizeIs(2));
  EXPECT_EQ(sent()[0].id, sent()[1].id);
  EXPECT_EQ(counts().upload_retries, 1);
  EXPECT_EQ(counts().upload_failures, 0);
}

TEST_F(ScraperTest, WhatTheServerRefusesIsToldAndForgotten) {
  RawServer target([](RawConnection& connection) {
    connection.Send(RawAnswer("200 OK", "a profile"));
  });
  source_.Say({{{target.url(), "/p", ""}}});
  answers_ = {absl::InvalidArgumentError("no samples")};
  RunUntil([&] { return counts().scraped > 0; });
  EXPECT_EQ(counts().upload_failures, 1);
  EXPECT_EQ(counts().upload_retries, 0);
  EXPECT_EQ(
      Told("event=not_sent target=" + target.url() + "/p error=\"no samples\""),
      1);
}

TEST_F(ScraperTest, TargetsThatWereKnownAreKept) {
  RawServer target([](RawConnection& connection) {
    connection.Send(RawAnswer("200 OK", "a profile"));
  });
  source_.Say({{{target.url(), "/p", ""}}});
  int64_t scraped = 0;
  RunUntil([&] {
    if (scraped == 0 && counts().scraped > 0) {
      source_.Say(absl::UnavailableError("the source is away"));
      scraped = counts().scraped;
    }
    if (counts().source_failures < 5 || counts().scraped < scraped + 3) {
      return false;
    }
    source_.Say({{{target.url(), "/p", ""}}});
    return Told("event=targets ") == 2;
  });
  EXPECT_EQ(Told("error=\"the source is away\" instead=\"the 1 that"), 1);
}

TEST_F(ScraperTest, WithoutASourceItWaitsForOne) {
  RawServer target([](RawConnection& connection) {
    connection.Send(RawAnswer("200 OK", "a profile"));
  });
  source_.Say(absl::UnavailableError("away"));
  RunUntil([&] {
    if (counts().source_failures == 2) {
      source_.Say({{{target.url(), "/p", ""}}});
    }
    return counts().scraped > 0;
  });
  EXPECT_EQ(Told("event=targets_unknown"), 1);
}

TEST_F(ScraperTest, ReloadingIsToldWhateverWasTold) {
  source_.Say(absl::UnavailableError("away"));
  RunUntil([&] {
    if (counts().source_failures < 2) return false;
    scraper_->Reload();
    return true;
  });
  EXPECT_EQ(Told("event=targets_unknown"), 2);
}

}  // namespace
}  // namespace wallprof::pgo
