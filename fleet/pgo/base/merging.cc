#include "fleet/pgo/base/merging.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "fleet/pgo/names.h"

namespace wallprof::pgo {
namespace {

// What a base of many profiles may add up to: an eighth of what fits.
constexpr int64_t kMostAdopted = int64_t{1} << 60;

// In place of a staged profile's number: the base that was there before.
constexpr int64_t kAdopted = -1;

// Of the stretches that `policy` cuts time into; zero without decay.
absl::Duration LengthOf(const Policy& policy) {
  return policy.half_life / kStretchesPerHalfLife;
}

// A part as it is being made anew, or kept.
struct Part {
  ManifestPart entry;
  std::string bytes;           // packed
  std::optional<PartSum> sum;  // where there is something to add
};

class NextVersion {
 public:
  NextVersion(const Merging& merging, const CurrentBase& current)
      : merging_(merging), current_(current) {}

  absl::StatusOr<NextBase> Make(const std::vector<int64_t>& ids,
                                const std::vector<MergedProfile>* remembered);

 private:
  using PartId = std::tuple<std::string, absl::Duration, int64_t>;

  absl::StatusOr<std::string> ReadPart(const std::string& key);
  absl::Status ReadParts();
  absl::Status Adopt();
  absl::Status Add(int64_t id, StagedProfile profile);
  Part& PartFor(const StagedProfile& profile);
  void Begin(Part& part);
  absl::Status Finish();
  std::vector<double> Weights();
  absl::Status Combine(const std::vector<double>& weights);
  absl::Status Write();
  absl::Status Put(std::string_view kind, std::string_view bytes,
                   std::string& key);
  absl::Status Commit();
  void GoOn() const {
    if (merging_.going_on) merging_.going_on();
  }
  ObjectStore& objects() { return merging_.store.objects(); }

  const Merging& merging_;
  const CurrentBase& current_;
  NextBase next_;
  std::map<PartId, Part> parts_;
  std::vector<std::string> written_;  // keys
  std::string base_;                  // packed
};

absl::StatusOr<std::string> NextVersion::ReadPart(const std::string& key) {
  if (const std::string* kept = merging_.cache.Find(key)) return *kept;
  absl::StatusOr<std::string> bytes = objects().Get(key, kMostPartBytes);
  if (bytes.ok()) merging_.cache.Keep(key, *bytes);
  return bytes;
}

absl::Status NextVersion::ReadParts() {
  for (const ManifestPart& entry : current_.manifest->parts) {
    absl::StatusOr<std::string> bytes = ReadPart(entry.key);
    if (absl::IsNotFound(bytes.status())) {
      const absl::StatusOr<BaseVersion> now =
          merging_.store.versions().Get(merging_.app);
      if (!now.ok()) return now.status();
      if (now->revision != current_.revision) {
        next_.lost = true;
        return absl::OkStatus();
      }
      // Somebody has removed it. The others are worth going on with.
      next_.damage.push_back(absl::StrCat(entry.key, " is missing"));
      continue;
    }
    if (!bytes.ok()) return bytes.status();
    parts_[{entry.version, entry.length, entry.stretch}] = {
        entry, *std::move(bytes), std::nullopt};
    GoOn();
  }
  next_.manifest.versions = current_.manifest->versions;
  next_.manifest.merged = current_.manifest->merged;
  return absl::OkStatus();
}

// The base that another program has left becomes the first part. A base that
// cannot be read any more is begun again with its copy.
absl::Status NextVersion::Adopt() {
  if (current_.revision != 0 && current_.damage.ok()) return absl::OkStatus();
  const std::string key = DefaultKey(merging_.app);
  absl::StatusOr<std::vector<ObjectInfo>> found = objects().List(key, "", 1);
  if (!found.ok()) return found.status();
  if (found->empty() || found->front().key != key) return absl::OkStatus();
  const absl::StatusOr<std::string> bytes =
      objects().Get(key, merging_.options.limits.message_bytes);
  if (absl::IsNotFound(bytes.status())) return absl::OkStatus();
  if (!bytes.ok() && !absl::IsResourceExhausted(bytes.status())) {
    return bytes.status();
  }
  AcceptLimits limits = merging_.options.limits;
  limits.total = kMostAdopted;
  absl::StatusOr<StagedProfile> profile =
      bytes.ok() ? ReadStaged(*bytes, found->front().modified, limits)
                 : absl::StatusOr<StagedProfile>(bytes.status());
  if (!profile.ok()) {
    next_.refused_default = std::string(profile.status().message());
    return absl::OkStatus();
  }
  profile->time = std::min(profile->time, found->front().modified);
  return Add(kAdopted, *std::move(profile));
}

void NextVersion::Begin(Part& part) {
  part.sum.emplace();
  if (part.bytes.empty()) return;
  const absl::Status added = part.sum->AddPart(part.bytes);
  if (added.ok()) return;
  next_.damage.push_back(absl::StrCat(part.entry.key, ": ", added.message()));
  part.sum.emplace();
  part.entry.profiles = 0;
}

Part& NextVersion::PartFor(const StagedProfile& profile) {
  const Policy& policy = merging_.options.policy;
  const PartKey key = PartKeyOf(policy, profile.version, profile.time);
  const absl::Duration length = LengthOf(policy);
  Part& part = parts_[{key.version, length, key.stretch}];
  if (!part.sum.has_value()) Begin(part);
  if (part.entry.profiles == 0) {
    part.entry.version = key.version;
    part.entry.length = length;
    part.entry.stretch = key.stretch;
    part.entry.first = part.entry.last = profile.time;
  }
  return part;
}

absl::Status NextVersion::Add(int64_t id, StagedProfile profile) {
  // Clocks of the fleet's machines may be ahead; one profile from next year
  // would make all others old.
  if (id != kAdopted) {
    profile.time = std::min(profile.time, absl::FromUnixNanos(id));
  }
  Part& part = PartFor(profile);
  const absl::Status added = part.sum->Add(profile.message);
  if (!added.ok()) {
    const std::string why(added.message());
    if (id == kAdopted) {
      next_.refused_default = why;
    } else {
      next_.refused.push_back({id, why});
    }
    return absl::OkStatus();
  }
  ManifestPart& entry = part.entry;
  ++entry.profiles;
  entry.first = std::min(entry.first, profile.time);
  entry.last = std::max(entry.last, profile.time);
  const auto [version, is_new] =
      next_.manifest.versions.emplace(profile.version, profile.time);
  if (!is_new) version->second = std::min(version->second, profile.time);
  if (id != kAdopted) next_.merged.push_back(id);
  next_.changed = true;
  GoOn();
  return absl::OkStatus();
}

std::vector<double> NextVersion::Weights() {
  const Policy& policy = merging_.options.policy;
  std::vector<PartAge> ages;
  for (const auto& [id, part] : parts_) {
    const ManifestPart& entry = part.entry;
    // A part of another policy's stretches is as old as the latest in it: what
    // came before decay was set must not be gone at once.
    const absl::Time time =
        entry.length == LengthOf(policy) ? entry.first : entry.last;
    ages.push_back({PartKeyOf(policy, entry.version, time), time});
  }
  for (const auto& [version, first] : next_.manifest.versions) {
    ages.push_back({PartKeyOf(policy, version, first), first});
  }
  std::vector<double> weights = WeightsOf(policy, ages);
  weights.resize(parts_.size());
  return weights;
}

absl::Status NextVersion::Finish() {
  // What was begun for profiles that were then refused.
  for (auto it = parts_.begin(); it != parts_.end();) {
    it = it->second.entry.profiles == 0 ? parts_.erase(it) : std::next(it);
  }
  const std::vector<double> weights = Weights();
  std::vector<double> kept;
  size_t index = 0;
  for (auto it = parts_.begin(); it != parts_.end(); ++index) {
    if (weights[index] <= 0) {
      it = parts_.erase(it);
      continue;
    }
    kept.push_back(weights[index]);
    Part& part = it->second;
    if (part.sum.has_value()) {
      absl::StatusOr<std::string> bytes = std::move(*part.sum).Finish();
      if (!bytes.ok()) return bytes.status();
      part.bytes = *std::move(bytes);
      part.sum.reset();
      part.entry.key.clear();
      GoOn();
    }
    ++it;
  }
  return Combine(kept);
}

absl::Status NextVersion::Combine(const std::vector<double>& weights) {
  std::vector<WeightedPart> weighted;
  size_t index = 0;
  for (const auto& [id, part] : parts_) {
    weighted.push_back({part.bytes, weights[index++]});
  }
  if (weighted.empty()) return absl::OkStatus();
  const PruneRules& rules = merging_.rules;
  absl::StatusOr<CombinedBase> combined =
      CombineParts(weighted, merging_.app, rules);
  if (!combined.ok()) {
    // One that cannot be read must not keep the others from being a base.
    bool dropped = false;
    for (auto it = parts_.begin(); it != parts_.end();) {
      const auto alone =
          CombineParts({{it->second.bytes, 1}}, merging_.app, rules);
      if (alone.ok()) {
        ++it;
        continue;
      }
      next_.damage.push_back(
          absl::StrCat(it->second.entry.key, ": ", alone.status().message()));
      it = parts_.erase(it);
      dropped = true;
    }
    return dropped ? Finish() : combined.status();
  }
  base_ = std::move(combined->bytes);
  next_.quality = combined->quality;
  return absl::OkStatus();
}

absl::Status NextVersion::Put(std::string_view kind, std::string_view bytes,
                              std::string& key) {
  key = NewKey(merging_.app, kind, current_.revision);
  written_.push_back(key);
  GoOn();
  return objects().Put(key, bytes);
}

absl::Status NextVersion::Write() {
  for (auto& [id, part] : parts_) {
    if (part.entry.key.empty()) {
      part.entry.bytes = static_cast<int64_t>(part.bytes.size());
      if (absl::Status s = Put(kParts, part.bytes, part.entry.key); !s.ok()) {
        return s;
      }
      merging_.cache.Keep(part.entry.key, part.bytes);
    }
    next_.manifest.parts.push_back(part.entry);
  }
  if (!base_.empty()) {
    if (absl::Status s = Put(kBases, base_, next_.manifest.base); !s.ok()) {
      return s;
    }
  }
  const absl::Time now = absl::Now();
  std::vector<MergedProfile>& merged = next_.manifest.merged;
  for (const int64_t id : next_.merged) merged.push_back({id, now});
  std::sort(merged.begin(), merged.end(),
            [](const MergedProfile& a, const MergedProfile& b) {
              return a.id < b.id;
            });
  next_.record.generation = current_.record.generation + 1;
  next_.record.base = next_.manifest.base;
  next_.record.bytes = static_cast<int64_t>(base_.size());
  next_.record.modified = now;
  return Put(kStates, EncodeManifest(next_.manifest), next_.record.manifest);
}

absl::Status NextVersion::Commit() {
  const absl::StatusOr<bool> replaced =
      ReplaceRecord(merging_.store.versions(), merging_.app, current_.revision,
                    EncodeRecord(next_.record));
  if (!replaced.ok()) return replaced.status();
  next_.lost = !*replaced;
  std::vector<std::string> old = written_;
  if (*replaced) {
    old = {current_.record.manifest, current_.manifest->base};
    for (const ManifestPart& part : current_.manifest->parts) {
      old.push_back(part.key);
    }
  }
  next_.removal = RemoveUnneeded(merging_.store, merging_.app, old);
  return absl::OkStatus();
}

absl::StatusOr<NextBase> NextVersion::Make(
    const std::vector<int64_t>& ids,
    const std::vector<MergedProfile>* remembered) {
  if (absl::Status s = ReadParts(); !s.ok()) return s;
  if (next_.lost) return std::move(next_);
  if (absl::Status s = Adopt(); !s.ok()) return s;
  std::vector<int64_t> fresh;
  for (const int64_t id : ids) {
    if (current_.manifest->Find(id) == nullptr) fresh.push_back(id);
  }
  std::sort(fresh.begin(), fresh.end());
  fresh.erase(std::unique(fresh.begin(), fresh.end()), fresh.end());
  if (!fresh.empty()) {
    const absl::Status read = ReadStagedBatch(
        objects(), merging_.app, fresh, merging_.options.limits,
        [this](int64_t id, StagedProfile profile) {
          return Add(id, std::move(profile));
        },
        next_.refused);
    if (!read.ok()) return read;
  }
  if (remembered != nullptr) {
    std::vector<MergedProfile>& merged = next_.manifest.merged;
    merged = *remembered;
    next_.changed = true;
  }
  next_.changed |= !next_.damage.empty() || !current_.damage.ok();
  if (!next_.changed) return std::move(next_);
  if (absl::Status s = Finish(); !s.ok()) return s;
  if (absl::Status s = Write(); !s.ok()) return s;
  if (absl::Status s = Commit(); !s.ok()) return s;
  return std::move(next_);
}

}  // namespace

absl::StatusOr<NextBase> MergeNext(
    const Merging& merging, const CurrentBase& current,
    const std::vector<int64_t>& ids,
    const std::vector<MergedProfile>* remembered) {
  return NextVersion(merging, current).Make(ids, remembered);
}

}  // namespace wallprof::pgo
