#include "fleet/bundle/assembly.h"

#include <cxxabi.h>
#include <time.h>

#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"
#include "fleet/bundle/escape.h"
#include "fleet/bundle/json.h"

namespace wallprof::bundle {
namespace {

// Of the bound on the bundle, for what is said of its parts.
constexpr size_t kMetaBytes = 64 << 10;

// Of a sentence in meta; a program's own errors may be of any length.
constexpr size_t kMaxWhyBytes = 500;

absl::Duration Now(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return absl::DurationFromTimespec(now);
}

absl::Status TooLarge(size_t bound) {
  return absl::ResourceExhaustedError(
      absl::StrCat("it has more than ", bound, " bytes"));
}

// Runs the program's own code: what it throws is an error like any other.
absl::StatusOr<std::string> MakeGuarded(const Assembly::Make& make,
                                        std::string& remark) {
  try {
    return make(remark);
  } catch (const abi::__forced_unwind&) {
    throw;  // of a thread that is cancelled
  } catch (const std::exception& thrown) {
    return absl::InternalError(absl::StrCat("it threw ", thrown.what()));
  } catch (...) {
    return absl::InternalError("it threw");
  }
}

std::string Sentence(absl::string_view why) {
  return std::string(why.substr(0, kMaxWhyBytes));
}

Json PartJson(const BundlePart& part) {
  Json json = {{"name", part.name},
               {"status", part.taken ? "taken" : "skipped"}};
  if (!part.why.empty()) json["why"] = part.why;
  json["took_ns"] = absl::ToInt64Nanoseconds(part.took);
  json["cpu_ns"] = absl::ToInt64Nanoseconds(part.cpu);
  json["bytes"] = part.bytes;
  return json;
}

std::string MetaJson(const BundleIdentity& identity, absl::Time capture,
                     const BundleReport& report) {
  Json parts = Json::array();
  for (const BundlePart& part : report.parts) parts.push_back(PartJson(part));
  return JsonText({{"main", identity.program},
                   {"revision", identity.version},
                   {"go_version", ""},
                   {"hostname", identity.host},
                   {"proc_id", identity.process},
                   {"init_time", FormatInstant(identity.start)},
                   {"capture_time", FormatInstant(capture)},
                   {"build_id", identity.build_id},
                   {"parts", std::move(parts)}});
}

}  // namespace

Assembly::Assembly(const BundleSink& sink, size_t max_part_bytes,
                   size_t max_bytes, std::function<bool()> cancelled,
                   CallProgram call)
    : zip_(sink),
      max_part_bytes_(max_part_bytes),
      max_bytes_(max_bytes),
      cancelled_(std::move(cancelled)),
      call_(std::move(call)) {}

void Assembly::Take(const std::string& name, const Make& make) {
  TakeBy(nullptr, name, make);
}

void Assembly::TakeOfProgram(const std::string& name, const Make& make) {
  TakeBy(call_, name, make);
}

void Assembly::TakeBy(const CallProgram& call, const std::string& name,
                      const Make& make) {
  if (!ended_.ok()) return;
  const absl::Duration began = Now(CLOCK_MONOTONIC);
  BundlePart part;
  part.name = name;
  std::string remark;
  absl::StatusOr<std::string> made;
  const auto work = [&] {
    const absl::Duration cpu_before = Now(CLOCK_THREAD_CPUTIME_ID);
    made = MakeGuarded(make, remark);
    part.cpu = Now(CLOCK_THREAD_CPUTIME_ID) - cpu_before;
  };
  call ? call(work) : work();
  if (cancelled_ && cancelled_()) {
    ended_ = absl::CancelledError("nobody waits for the bundle any more");
    return;
  }
  const absl::Status written = made.ok() ? Write(name, *made) : made.status();
  part.taken = written.ok();
  part.why =
      Sentence(written.ok() ? absl::string_view(remark) : written.message());
  part.bytes = part.taken ? static_cast<int64_t>(made->size()) : 0;
  part.took = Now(CLOCK_MONOTONIC) - began;
  report_.parts.push_back(std::move(part));
}

void Assembly::TakeStreamed(
    const std::string& name,
    const std::function<absl::Status(const BundleSink&)>& give) {
  TakeOfProgram(name, [&](std::string&) -> absl::StatusOr<std::string> {
    std::string bytes;
    // A source that goes on after the refusal is refused again.
    absl::Status refused;
    const absl::Status given = give([&](std::string_view more) {
      if (refused.ok() && more.size() > max_part_bytes_ - bytes.size()) {
        refused = TooLarge(max_part_bytes_);
      }
      if (refused.ok()) bytes.append(more.data(), more.size());
      return refused;
    });
    if (!refused.ok()) return refused;
    if (!given.ok()) return given;
    return bytes;
  });
}

void Assembly::Skip(const std::string& name, std::string_view why) {
  BundlePart part;
  part.name = name;
  part.why = std::string(why);
  report_.parts.push_back(std::move(part));
}

// Its error is the part's own; the sink's ends the bundle besides.
absl::Status Assembly::Write(const std::string& name, std::string_view bytes) {
  if (bytes.size() > max_part_bytes_) return TooLarge(max_part_bytes_);
  const auto used = static_cast<size_t>(zip_.bytes());
  if (used + bytes.size() + kMetaBytes > max_bytes_) {
    return absl::ResourceExhaustedError("the bundle is as large as it may be");
  }
  if (absl::Status fits = zip_.CheckFits(name, bytes.size()); !fits.ok()) {
    return fits;
  }
  ended_ = zip_.Add(name, bytes);
  return ended_;
}

absl::StatusOr<BundleReport> Assembly::Finish(const BundleIdentity& identity,
                                              absl::Time capture) {
  if (ended_.ok()) {
    ended_ = zip_.Add("meta", MetaJson(identity, capture, report_));
  }
  if (ended_.ok()) ended_ = zip_.FinishLastFirst();
  if (!ended_.ok()) return ended_;
  report_.bytes = zip_.bytes();
  return std::move(report_);
}

}  // namespace wallprof::bundle
