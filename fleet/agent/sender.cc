#include "fleet/agent/sender.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace wallprof::agent {
namespace {

// As profefe's agent waits: that much longer after each failure, up to two
// minutes. It gives up after ten; ours goes on while the profile is of use.
constexpr absl::Duration kBackOffStep = absl::Seconds(5);
constexpr absl::Duration kLongestBackOff = absl::Minutes(2);

// So that those who were turned away together do not come back together.
constexpr double kBackOffJitter = 0.2;

// A collector that fails so often on one profile is shown the next, too. If it
// takes that, the first will never be taken.
constexpr int kFailuresToSuspect = 10;

// A collector whose answer did not come may be at work on the profile still:
// one that was asked at once would say that it has it not.
constexpr absl::Duration kSettle = absl::Seconds(5);

constexpr int kServerErrors = 500;

}  // namespace

Sender::Sender(Outbox& outbox, Collector& collector, const Clock& clock,
               Random random, Tally& tally, fleet::Log log)
    : outbox_(outbox),
      collector_(collector),
      clock_(clock),
      random_(std::move(random)),
      tally_(tally),
      log_(std::move(log)) {}

absl::Time Sender::Step() {
  if (clock_.Steady() < not_before_) return not_before_;
  const bool is_suspected = stuck_failures_ >= kFailuresToSuspect;
  std::optional<Outbox::Item> item;
  // Every other time, so that neither can keep the other waiting.
  if (is_suspected && stuck_failures_ % 2 == 0) item = outbox_.Take(stuck_);
  if (!item) item = outbox_.Take();
  if (!item) return absl::InfiniteFuture();
  if (const absl::Duration left = MustSettle(*item);
      left > absl::ZeroDuration()) {
    outbox_.Keep(/*unsure=*/true);
    return not_before_ = clock_.Steady() + left;
  }
  tally_.Update([](AgentStatistics& s) { ++s.attempts; });
  return Send(*item);
}

// How long to wait before it can be asked for.
absl::Duration Sender::MustSettle(const Outbox::Item& item) const {
  const absl::Duration age = clock_.Now() - item.unsure_since;
  // A clock that was set back says nothing.
  if (!item.unsure || age < -kSettle) return absl::ZeroDuration();
  return kSettle - age;
}

absl::Time Sender::Send(const Outbox::Item& item) {
  Collector::Reply reply;
  if (item.unsure) {
    switch (collector_.Find(item.parcel, reply)) {
      case Collector::Presence::kThere:
        return Arrived(item.parcel, /*confirmed=*/true);
      case Collector::Presence::kUnknown:
        return Lost(item.parcel, reply, &AgentStatistics::Lost::unknown);
      case Collector::Presence::kLater:
        return Wait(item.parcel, reply, /*unsure=*/true);
      case Collector::Presence::kNotThere:
        break;
    }
  }
  reply = collector_.Send(item.parcel);
  switch (reply.outcome) {
    case Collector::Outcome::kTaken:
      return Arrived(item.parcel, /*confirmed=*/false);
    case Collector::Outcome::kRefused:
      return Lost(item.parcel, reply, &AgentStatistics::Lost::refused);
    case Collector::Outcome::kLater:
      return Wait(item.parcel, reply, /*unsure=*/false);
    case Collector::Outcome::kUnsure:
      break;
  }
  return Wait(item.parcel, reply, /*unsure=*/true);
}

absl::Time Sender::Arrived(const Parcel& parcel, bool confirmed) {
  outbox_.Done();
  tally_.Update([confirmed](AgentStatistics& s) {
    ++s.sent;
    s.confirmed += confirmed ? 1 : 0;
    s.last_error.clear();
  });
  fleet::LogLine("sent")
      .Add("type", parcel.type)
      .Add("bytes", static_cast<int64_t>(parcel.body.size()))
      .Add("created_at",
           absl::FormatTime(parcel.created_at, absl::UTCTimeZone()))
      .Add("id", parcel.id)
      .To(log_);
  failures_ = 0;
  if (stuck_failures_ >= kFailuresToSuspect && stuck_ != parcel.id) {
    // The one before it was not for want of a collector.
    if (std::optional<Outbox::Item> stuck = outbox_.Take();
        stuck && stuck->parcel.id == stuck_) {
      Lost(stuck->parcel,
           {Collector::Outcome::kRefused,
            kServerErrors,
            {},
            "the collector fails on this one and takes others"},
           &AgentStatistics::Lost::refused);
    } else if (stuck) {
      outbox_.Keep(stuck->unsure);
    }
  }
  stuck_failures_ = 0;
  stuck_.clear();
  return not_before_ = clock_.Steady();
}

absl::Time Sender::Lost(const Parcel& parcel, const Collector::Reply& reply,
                        int64_t AgentStatistics::Lost::*count) {
  outbox_.Done();
  tally_.Update([&](AgentStatistics& s) {
    ++(s.lost.*count);
    s.last_error = reply.text;
  });
  fleet::LogLine(count == &AgentStatistics::Lost::refused ? "refused" : "lost")
      .Add("type", parcel.type)
      .Add("bytes", static_cast<int64_t>(parcel.body.size()))
      .Add("status", reply.status)
      .Add("error", reply.text)
      .Add("id", parcel.id)
      .To(log_);
  failures_ = 0;
  return not_before_ = clock_.Steady();
}

absl::Time Sender::Wait(const Parcel& parcel, const Collector::Reply& reply,
                        bool unsure) {
  outbox_.Keep(unsure);
  ++failures_;
  if (reply.status >= kServerErrors) {
    stuck_failures_ =
        stuck_ == parcel.id || stuck_failures_ >= kFailuresToSuspect
            ? stuck_failures_ + 1
            : 1;
    if (stuck_failures_ < kFailuresToSuspect) stuck_ = parcel.id;
  } else {
    stuck_failures_ = 0;
  }
  const absl::Duration back_off =
      std::min(kBackOffStep * failures_, kLongestBackOff) *
      (1 - kBackOffJitter * random_());
  const absl::Duration wait = std::max(back_off, reply.retry_after);
  tally_.Update([&](AgentStatistics& s) { s.last_error = reply.text; });
  fleet::LogLine("retry")
      .Add("type", parcel.type)
      .Add("status", reply.status)
      .Add("error", reply.text)
      .Add("in", absl::FormatDuration(absl::Trunc(wait, absl::Milliseconds(1))))
      .Add("id", parcel.id)
      .To(log_);
  return not_before_ = clock_.Steady() + wait;
}

}  // namespace wallprof::agent
