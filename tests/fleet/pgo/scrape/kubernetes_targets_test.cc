#include "fleet/pgo/scrape/sources/kubernetes_targets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fleet/pgo/scrape/api_stand_in.h"

namespace wallprof::pgo {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kOfAutopgo[] =
    "labelSelector=autopgo.scrape%3Dtrue%2C"
    "autopgo.scrape.app%3Dshop&";
constexpr char kOfWallprof[] =
    "labelSelector=wallprof.scrape%3Dtrue%2C"
    "wallprof.scrape.app%3Dshop&";

class KubernetesTargetsTest : public ::testing::Test {
 protected:
  KubernetesTargetsTest() {
    access_.server = api_.url();
    access_.token = "secret";
    options_.app = "shop";
    options_.warn = [this](const fleet::LogLine& line) {
      told_.push_back(line.text());
    };
    api_.Say(kOfWallprof, "pods_none");
    api_.Say(kOfAutopgo, "pods_1");
    api_.Say("continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6NDgxMn0%2F%2B%3D ",
             "pods_2");
    source_ = Create();
  }

  std::unique_ptr<KubernetesTargets> Create() {
    auto source =
        KubernetesTargets::Create([this] { return access_; }, options_);
    EXPECT_TRUE(source.ok()) << source.status();
    return *std::move(source);
  }

  ApiStandIn api_;
  ClusterAccess access_;
  SourceOptions options_;
  std::vector<std::string> told_;
  std::unique_ptr<KubernetesTargets> source_;
};

constexpr char kAll[] =
    "http://10.244.1.7:6060/debug/pprof/profile 1.4.2\n"
    "http://10.244.2.3:6060/debug/pprof/profile 1.5.0-rc1\n"
    "https://[fd00:10:244:1::8]:6060/internal/profile?gc=1 1.4.2\n";

TEST_F(KubernetesTargetsTest, RunningPodsOfAllNamespacesInPages) {
  EXPECT_EQ(source_->name(), "kubernetes");
  EXPECT_EQ(ListText(*source_), kAll);
  EXPECT_THAT(api_.asked()[0],
              AllOf(StartsWith("GET /api/v1/pods?"),
                    HasSubstr("fieldSelector=status.phase%3DRunning"),
                    HasSubstr("limit=500")));
  EXPECT_EQ(CountWith(api_.asked(), "continue="), 1);
  EXPECT_THAT(api_.head(), HasSubstr("Authorization: Bearer secret\r\n"));
}

TEST_F(KubernetesTargetsTest, OwnMarksCountToo) {
  api_.Say(kOfWallprof, "pods_wallprof");
  EXPECT_EQ(ListText(*source_),
            "http://10.244.1.7:6060/debug/pprof/profile 1.4.2\n"
            "http://10.244.2.3:6060/debug/pprof/profile 1.5.0-rc1\n"
            "http://10.244.3.1:7070/debug/pprof/profile \n"
            "https://[fd00:10:244:1::8]:6060/internal/profile?gc=1 1.4.2\n");
}

TEST_F(KubernetesTargetsTest, WhatIsLeftOutIsToldOnce) {
  ListText(*source_);
  ASSERT_EQ(told_.size(), 4u);
  EXPECT_EQ(CountWith(told_,
                      "who=\"pod blue/shop-blue-5c4-noport\" why=\"it "
                      "has no annotation autopgo.scrape.port\""),
            1);
  EXPECT_EQ(CountWith(told_, "port \\'http\\' is no number"), 1);
  EXPECT_EQ(CountWith(told_, "port \\'66000\\' is none from 1 to 65535"), 1);
  EXPECT_EQ(CountWith(told_, "\\'gopher\\' is neither http nor https"), 1);
  ListText(*source_);
  EXPECT_EQ(told_.size(), 4u);
  // Gone and come back it is told again.
  api_.Say(kOfAutopgo, "pods_later");
  ListText(*source_);
  api_.Say(kOfAutopgo, "pods_2");
  ListText(*source_);
  EXPECT_EQ(told_.size(), 8u);
}

TEST_F(KubernetesTargetsTest, PodsComeAndGo) {
  ListText(*source_);
  api_.Say(kOfAutopgo, "pods_later");
  EXPECT_EQ(ListText(*source_),
            "http://10.244.1.7:6060/debug/pprof/profile 1.4.2\n"
            "http://10.244.1.9:6060/debug/pprof/profile 1.4.3\n");
  api_.Say(kOfAutopgo, "pods_none");
  EXPECT_EQ(ListText(*source_), "");
}

TEST_F(KubernetesTargetsTest, ErrorsAreTheApisWords) {
  api_.Say("/pods", "403 Forbidden", Recorded("forbidden"));
  EXPECT_THAT(ListText(*source_),
              AllOf(StartsWith(api_.url() + "/api/v1/pods: status 403: pods is "
                                            "forbidden: User"),
                    HasSubstr("at the cluster scope")));
  EXPECT_THAT(source_->Check().message(), HasSubstr("pods is forbidden"));
  api_.Say("/pods", "500 No", "<html>");
  EXPECT_THAT(ListText(*source_), HasSubstr("status 500: <html>"));
  api_.Say("/pods", "200 OK", "<html>");
  EXPECT_THAT(ListText(*source_), HasSubstr("the answer is no JSON"));
  api_.Say("/pods", "200 OK", "{}");
  EXPECT_THAT(ListText(*source_), HasSubstr("no list of pods"));
  api_.SayHalf("/pods", "pods_1");
  EXPECT_THAT(ListText(*source_), HasSubstr("bytes remaining to read"));
  api_.Say("/pods", "pods_none");
  EXPECT_EQ(ListText(*source_), "");
  EXPECT_TRUE(source_->Check().ok());
}

TEST_F(KubernetesTargetsTest, HalfOfThePagesIsNoList) {
  api_.Say("continue=", "500 No", "etcd is away");
  EXPECT_THAT(ListText(*source_), HasSubstr("status 500: etcd is away"));
}

TEST_F(KubernetesTargetsTest, PagesThatAreTooOldAreAskedForAnew) {
  api_.Say("continue=", "410 Gone", Recorded("expired"));
  EXPECT_THAT(ListText(*source_), HasSubstr("continue parameter is too old"));
  EXPECT_EQ(CountWith(api_.asked(), "continue="), 2);
}

TEST_F(KubernetesTargetsTest, SlowAnswersEnd) {
  options_.request_timeout = absl::Milliseconds(50);
  source_ = Create();
  api_.SayNothing("/pods");
  const std::string first = ListText(*source_);
  EXPECT_THAT(first, HasSubstr("Operation timed out"));
  EXPECT_EQ(ListText(*source_), first);
  options_.request_timeout = absl::Seconds(10);
  options_.list_timeout = absl::ZeroDuration();
  source_ = Create();
  EXPECT_THAT(ListText(*source_), HasSubstr("no time left"));
}

TEST_F(KubernetesTargetsTest, TokensChange) {
  ListText(*source_);
  access_.token = "another";
  ListText(*source_);
  EXPECT_THAT(api_.head(), HasSubstr("Bearer another\r\n"));
  access_.token.clear();
  ListText(*source_);
  EXPECT_THAT(api_.head(), ::testing::Not(HasSubstr("Authorization")));
}

TEST_F(KubernetesTargetsTest, EndsWhenItIsCancelled) {
  bool is_ending = false;
  options_.cancelled = [&] { return is_ending; };
  source_ = Create();
  api_.SayNothing("/pods");
  is_ending = true;
  EXPECT_TRUE(absl::IsCancelled(source_->List().status()));
}

TEST(KubernetesTargetsCreateTest, AccessMustBeGoodAtTheStart) {
  const auto source = KubernetesTargets::Create(
      [] { return absl::StatusOr<ClusterAccess>(absl::NotFoundError("gone")); },
      {});
  EXPECT_EQ(source.status(), absl::NotFoundError("gone"));
}

}  // namespace
}  // namespace wallprof::pgo
