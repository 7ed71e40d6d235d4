#include "fleet/agent/outbox.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace wallprof::agent {
namespace {

// How often it is looked for what programs that have ended left, beyond the
// start: where one of many workers dies, no other may start for long.
constexpr absl::Duration kAdoptionInterval = absl::Minutes(5);

}  // namespace

Outbox::Outbox(OutboxOptions options, const Clock& clock, Tally& tally,
               fleet::Log log)
    : options_(std::move(options)),
      clock_(clock),
      tally_(tally),
      log_(std::move(log)) {}

void Outbox::SpoolFailed(const absl::Status& status) {
  bool is_news = false;
  tally_.Update([&](AgentStatistics& s) {
    ++s.spool_errors;
    is_news = s.last_error != status.message();
    s.last_error = std::string(status.message());
  });
  if (!is_news) return;
  fleet::LogLine("spool_error")
      .Add("error", std::string(status.message()))
      .To(log_);
}

void Outbox::CountWaiting() {
  tally_.Update([&](AgentStatistics& s) {
    s.waiting = static_cast<int64_t>(entries_.size());
  });
}

bool Outbox::OpenSpool() {
  if (options_.spool_dir.empty()) return false;
  if (spool_ != nullptr) return true;
  absl::StatusOr<std::unique_ptr<Spool>> spool =
      Spool::Open(options_.spool_dir, options_.service);
  if (!spool.ok()) {
    SpoolFailed(spool.status());
    return false;
  }
  spool_ = *std::move(spool);
  return true;
}

void Outbox::Open() {
  std::lock_guard lock(mutex_);
  Adopt();
}

void Outbox::Insert(Entry entry) {
  const auto after =
      std::upper_bound(entries_.begin(), entries_.end(), entry.created_at,
                       [](absl::Time time, const Entry& other) {
                         return time < other.created_at;
                       });
  entries_.insert(after, std::move(entry));
}

void Outbox::Adopt() {
  if (!OpenSpool() || clock_.Steady() < next_adoption_) return;
  const bool is_first = next_adoption_ == absl::InfinitePast();
  next_adoption_ = clock_.Steady() + kAdoptionInterval;
  std::vector<std::string> foreign;
  const absl::StatusOr<std::vector<SpoolEntry>> listed = spool_->List(&foreign);
  if (!listed.ok()) return SpoolFailed(listed.status());
  std::set<std::string> known;
  for (const Entry& entry : entries_) {
    if (entry.spooled) known.insert(entry.spooled->name);
  }
  int64_t adopted = 0;
  for (const SpoolEntry& found : *listed) {
    if (found.corrupt || known.count(found.name) != 0 || !spool_->Owns(found)) {
      continue;
    }
    Insert({found.name, found.created_at, found.bytes, found.unsure,
            found.changed_at, std::nullopt, found});
    ++adopted;
  }
  tally_.Update([&](AgentStatistics& s) {
    s.adopted += adopted;
    s.waiting += adopted;
  });
  spool_->Tidy(*listed);
  if (!is_first) return;
  for (const std::string& name : foreign) {
    fleet::LogLine("spool_foreign_file").Add("file", name).To(log_);
  }
}

// --- bounds ------------------------------------------------------------------

// Removes it, its file too. False where that cannot be had.
bool Outbox::Drop(Entries::iterator entry, const char* why,
                  int64_t AgentStatistics::Lost::*count) {
  if (entry->spooled) {
    const absl::Status removed = spool_->Remove(*entry->spooled);
    if (!removed.ok()) {
      SpoolFailed(removed);
      return false;
    }
  }
  tally_.Update([count](AgentStatistics& s) { ++(s.lost.*count); });
  fleet::LogLine("dropped")
      .Add("why", why)
      .Add("created_at",
           absl::FormatTime(entry->created_at, absl::UTCTimeZone()))
      .Add("bytes", entry->bytes)
      .To(log_);
  entries_.erase(entry);
  return true;
}

// Down to the bound, whoever's the oldest files are.
void Outbox::MakeRoomInSpool() {
  const absl::StatusOr<std::vector<SpoolEntry>> listed = spool_->List();
  if (!listed.ok()) return SpoolFailed(listed.status());
  int64_t total = 0;
  for (const SpoolEntry& file : *listed) total += file.bytes;
  const absl::Time oldest = clock_.Now() - options_.spool_age;
  for (const SpoolEntry& file : *listed) {
    const bool is_expired = file.created_at < oldest;
    if (!is_expired && total <= options_.spool_bytes) break;
    const auto own = std::find_if(
        entries_.begin(), entries_.end(), [&file](const Entry& entry) {
          return entry.spooled && entry.spooled->name == file.name;
        });
    // What is being sent leaves room soon.
    if (own != entries_.end() && own->id == taken_) continue;
    const auto count = is_expired ? &AgentStatistics::Lost::expired
                                  : &AgentStatistics::Lost::overflow;
    const char* why = is_expired ? "too old" : "the spool is full";
    if (own != entries_.end()) {
      if (Drop(own, why, count)) total -= file.bytes;
    } else if (spool_->Remove(file).ok()) {
      total -= file.bytes;
      if (file.corrupt) continue;  // was counted as that
      tally_.Update([count](AgentStatistics& s) { ++(s.lost.*count); });
      fleet::LogLine("dropped").Add("why", why).Add("file", file.name).To(log_);
    }
  }
}

void Outbox::MakeRoomInMemory() {
  int64_t total = 0;
  for (const Entry& entry : entries_) {
    if (entry.parcel) total += entry.bytes;
  }
  for (auto entry = entries_.begin();
       total > options_.memory_bytes && entry != entries_.end();) {
    const auto next = entry - entries_.begin() + 1;
    if (entry->parcel && entry->id != taken_) {
      total -= entry->bytes;
      Drop(entry, "memory is full", &AgentStatistics::Lost::overflow);
      entry = entries_.begin() + next - 1;
    } else {
      entry = entries_.begin() + next;
    }
  }
}

bool Outbox::IsExpired(const Entry& entry) const {
  return entry.created_at < clock_.Now() - options_.spool_age;
}

// --- in and out --------------------------------------------------------------

bool Outbox::MoveToSpool(Entry& entry, bool durable) {
  if (!entry.parcel || spool_ == nullptr) return false;
  absl::StatusOr<SpoolEntry> spooled =
      spool_->Put(*entry.parcel, entry.unsure, durable);
  if (!spooled.ok()) {
    SpoolFailed(spooled.status());
    return false;
  }
  entry.spooled = *std::move(spooled);
  entry.parcel.reset();
  return true;
}

void Outbox::Put(Parcel parcel) {
  std::lock_guard lock(mutex_);
  if (closed_) return;
  Adopt();
  Entry entry;
  entry.id = parcel.id;
  entry.created_at = parcel.created_at;
  entry.bytes = static_cast<int64_t>(parcel.body.size());
  entry.parcel = std::move(parcel);
  const bool to_spool = collector_away_ || entries_.size() > 1;
  if (to_spool) MoveToSpool(entry, /*durable=*/true);
  Insert(std::move(entry));
  if (spool_ != nullptr) MakeRoomInSpool();
  MakeRoomInMemory();
  CountWaiting();
}

// nullopt, and the entry is not to be kept, where it cannot be read.
std::optional<Outbox::Item> Outbox::Load(Entry& entry) {
  if (entry.parcel)
    return Item{*entry.parcel, entry.unsure, entry.unsure_since};
  absl::StatusOr<Parcel> parcel = spool_->Read(*entry.spooled);
  if (parcel.ok()) {
    const bool was_unsure = entry.unsure;
    entry.id = parcel->id;
    if (absl::Status marked = spool_->SetUnsure(*entry.spooled, true);
        !marked.ok()) {
      SpoolFailed(marked);
    }
    return Item{*std::move(parcel), was_unsure, entry.unsure_since};
  }
  // Another program made room for its own.
  if (absl::IsNotFound(parcel.status())) return std::nullopt;
  if (absl::IsDataLoss(parcel.status())) {
    tally_.Update([](AgentStatistics& s) { ++s.lost.corrupt; });
    fleet::LogLine("spool_corrupt_file")
        .Add("file",
             absl::StrCat(spool_->directory(), "/", entry.spooled->name))
        .Add("error", std::string(parcel.status().message()))
        .To(log_);
    if (absl::Status set = spool_->SetCorrupt(*entry.spooled); !set.ok()) {
      SpoolFailed(set);
    }
  } else {
    SpoolFailed(parcel.status());
  }
  return std::nullopt;
}

std::optional<Outbox::Item> Outbox::Take(std::string_view after) {
  std::lock_guard lock(mutex_);
  if (closed_) return std::nullopt;
  size_t at = 0;
  while (!after.empty() && at < entries_.size() && entries_[at].id != after) {
    ++at;
  }
  if (!after.empty()) ++at;
  while (at < entries_.size()) {
    const auto entry = entries_.begin() + static_cast<std::ptrdiff_t>(at);
    if (IsExpired(*entry)) {
      if (!Drop(entry, "too old", &AgentStatistics::Lost::expired)) ++at;
      continue;
    }
    std::optional<Item> item = Load(*entry);
    if (!item) {
      entries_.erase(entry);
      continue;
    }
    taken_ = entry->id;
    CountWaiting();
    return item;
  }
  CountWaiting();
  return std::nullopt;
}

void Outbox::Done() {
  std::lock_guard lock(mutex_);
  collector_away_ = false;
  const auto entry =
      std::find_if(entries_.begin(), entries_.end(),
                   [this](const Entry& e) { return e.id == taken_; });
  taken_.clear();
  if (entry == entries_.end()) return;
  if (entry->spooled) {
    if (absl::Status removed = spool_->Remove(*entry->spooled); !removed.ok()) {
      SpoolFailed(removed);
    }
  }
  entries_.erase(entry);
  CountWaiting();
}

void Outbox::Keep(bool unsure) {
  std::lock_guard lock(mutex_);
  collector_away_ = true;
  for (Entry& entry : entries_) {
    if (entry.id == taken_) {
      if (unsure && !entry.unsure) entry.unsure_since = clock_.Now();
      entry.unsure = unsure;
      if (entry.spooled) {
        if (absl::Status marked = spool_->SetUnsure(*entry.spooled, unsure);
            !marked.ok()) {
          SpoolFailed(marked);
        }
      }
    }
    if (entry.parcel && !closed_) MoveToSpool(entry, /*durable=*/true);
  }
  taken_.clear();
}

void Outbox::Close() {
  std::lock_guard lock(mutex_);
  closed_ = true;
  int64_t left = 0;
  int64_t lost = 0;
  for (Entry& entry : entries_) {
    if (entry.parcel) MoveToSpool(entry, /*durable=*/false);
    ++(entry.spooled ? left : lost);
  }
  if (spool_ != nullptr) MakeRoomInSpool();
  tally_.Update([&](AgentStatistics& s) {
    s.left += left;
    s.lost.stopped += lost;
    s.waiting = 0;
  });
  entries_.clear();
  spool_.reset();
}

bool Outbox::empty() const {
  std::lock_guard lock(mutex_);
  return entries_.empty();
}

}  // namespace wallprof::agent
