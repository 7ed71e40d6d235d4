#include "fleet/agent/collector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/fleet/agent/simulated.h"

namespace wallprof::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Outcome = Collector::Outcome;

Parcel SomeParcel(const std::string& type) {
  return {"id",
          "my svc",
          type,
          {{"a", "b=c"}},
          absl::FromUnixMillis(1'700'000'000'900),
          "body"};
}

class CollectorTest : public ::testing::Test {
 protected:
  Collector Client(AgentExchange exchange) {
    return Collector("http://c/", std::move(exchange), absl::Seconds(1), clock_,
                     [] { return false; });
  }

  // What comes of an answer to a POST.
  Collector::Reply ReplyTo(int status, const std::string& body,
                           const std::string& retry_after = "") {
    return Client([&](const AgentRequest&) {
             AgentAnswer answer;
             answer.result = AgentAnswer::Result::kAnswered;
             answer.status = status;
             answer.body = body;
             if (!retry_after.empty()) {
               answer.headers["retry-after"] = retry_after;
             }
             return answer;
           })
        .Send(SomeParcel("cpu"));
  }

  SimulatedClock clock_;
  SimulatedCollector collector_;
};

TEST_F(CollectorTest, RequestsAreProfefes) {
  Collector client = Client(collector_.exchange());
  EXPECT_EQ(client.Send(SomeParcel("cpu")).outcome, Outcome::kTaken);
  EXPECT_THAT(collector_.requests,
              ElementsAre("POST http://c/api/0/profiles?created_at="
                          "2023-11-14T22%3A13%3A20&labels=a%3Db%253Dc"
                          "&service=my%20svc&type=cpu"));
}

TEST_F(CollectorTest, OurTypesAreOtherWithALabelWhereTheyAreNotKnown) {
  Collector client = Client(collector_.exchange());
  client.Send(SomeParcel("wall"));
  client.Send(SomeParcel("lockwait"));
  ASSERT_EQ(collector_.stored.size(), 2);
  EXPECT_EQ(collector_.stored[0].query["type"], "other");
  EXPECT_EQ(collector_.stored[0].query["labels"], "a=b%3Dc,profile=wall");
  EXPECT_EQ(collector_.stored[1].query["labels"], "a=b%3Dc,profile=lockwait");
  EXPECT_EQ(collector_.requests.size(), 3) << "asked once";
  EXPECT_EQ(collector_.requests[0], "GET http://c/api/0/version");
}

TEST_F(CollectorTest, IsAskedAgainWhenItMayBeAnother) {
  Collector client = Client(collector_.exchange());
  client.Send(SomeParcel("wall"));
  collector_.fault = SimulatedCollector::Fault::kNoConnection;
  EXPECT_EQ(client.Send(SomeParcel("wall")).outcome, Outcome::kLater);
  collector_.fault = SimulatedCollector::Fault::kNone;
  collector_.types = {"wall"};
  client.Send(SomeParcel("wall"));
  EXPECT_EQ(collector_.stored.back().query["type"], "wall");
  collector_.types = {};
  clock_.Advance(absl::Hours(2));
  client.Send(SomeParcel("wall"));
  EXPECT_EQ(collector_.stored.back().query["type"], "other");
}

TEST_F(CollectorTest, ItsVersionMustBeHadBeforeOurTypesAreSent) {
  Collector client = Client(collector_.exchange());
  collector_.fault = SimulatedCollector::Fault::kError;
  EXPECT_EQ(client.Send(SomeParcel("wall")).outcome, Outcome::kLater);
  EXPECT_EQ(collector_.requests.size(), 1);
}

TEST_F(CollectorTest, EachAnswerHasItsOutcome) {
  const std::string good = R"({"code":200,"body":{"id":"x"}})";
  EXPECT_EQ(ReplyTo(200, good).outcome, Outcome::kTaken);
  EXPECT_EQ(ReplyTo(201, good).outcome, Outcome::kTaken);
  for (const int status : {400, 404, 405, 413, 422}) {
    EXPECT_EQ(ReplyTo(status, "no").outcome, Outcome::kRefused) << status;
  }
  for (const int status : {301, 307, 401, 403, 429, 500, 501, 503, 507}) {
    EXPECT_EQ(ReplyTo(status, "no").outcome, Outcome::kLater) << status;
  }
  for (const int status : {502, 504}) {
    EXPECT_EQ(ReplyTo(status, "no").outcome, Outcome::kUnsure) << status;
  }
  // The envelope has the last word.
  EXPECT_EQ(ReplyTo(200, R"({"code":500,"error":"e"})").outcome,
            Outcome::kLater);
  EXPECT_EQ(ReplyTo(200, R"({"code":400,"error":"e"})").outcome,
            Outcome::kRefused);
  for (const char* odd :
       {"", "<html>", "{}", "[]", "null", R"({"code":200})",
        R"({"code":"200","body":{"id":"x"}})", R"({"code":200,"body":[1]})",
        R"({"code":200,"body":{"id":7}})",
        R"({"code":200,"body":{"id":""}})"}) {
    EXPECT_EQ(ReplyTo(200, odd).outcome, Outcome::kUnsure) << odd;
  }
}

TEST_F(CollectorTest, SaysWhatItWasTold) {
  EXPECT_EQ(ReplyTo(400, R"({"code":400,"error":"malformed profile"})").text,
            "malformed profile");
  EXPECT_EQ(ReplyTo(413, " too\nlarge ").text, "too\nlarge");
  EXPECT_LE(ReplyTo(500, std::string(5000, 'x')).text.size(), 300);
  EXPECT_THAT(ReplyTo(200, "<html>").text, HasSubstr("not a collector's"));
}

TEST_F(CollectorTest, RetryAfterIsInSecondsOrADateAndBounded) {
  EXPECT_EQ(ReplyTo(503, "", "7").retry_after, absl::Seconds(7));
  EXPECT_EQ(ReplyTo(429, "", "999999").retry_after, absl::Hours(1));
  EXPECT_EQ(ReplyTo(503, "", "-5").retry_after, absl::ZeroDuration());
  EXPECT_EQ(ReplyTo(503, "", "soon").retry_after, absl::ZeroDuration());
  const std::string date =
      absl::FormatTime("%a, %d %b %Y %H:%M:%S GMT",
                       clock_.Now() + absl::Seconds(100), absl::UTCTimeZone());
  const absl::Duration wait = ReplyTo(503, "", date).retry_after;
  EXPECT_GT(wait, absl::Seconds(98));
  EXPECT_LE(wait, absl::Seconds(100));
}

TEST_F(CollectorTest, FindsWhatItHas) {
  Collector client = Client(collector_.exchange());
  Collector::Reply reply;
  Parcel parcel = SomeParcel("wall");
  EXPECT_EQ(client.Find(parcel, reply), Collector::Presence::kNotThere);
  client.Send(parcel);
  EXPECT_EQ(client.Find(parcel, reply), Collector::Presence::kThere);
  parcel.created_at += absl::Seconds(1);
  EXPECT_EQ(client.Find(parcel, reply), Collector::Presence::kNotThere)
      << "its neighbour";
  collector_.can_list = false;
  EXPECT_EQ(client.Find(parcel, reply), Collector::Presence::kUnknown);
  collector_.fault = SimulatedCollector::Fault::kError;
  EXPECT_EQ(client.Find(parcel, reply), Collector::Presence::kLater);
  collector_.fault = SimulatedCollector::Fault::kNoConnection;
  EXPECT_EQ(client.Find(parcel, reply), Collector::Presence::kLater);
}

}  // namespace
}  // namespace wallprof::agent
