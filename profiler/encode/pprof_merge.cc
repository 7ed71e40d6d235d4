#include "wallprof/pprof_merge.h"

#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "profiler/encode/gzip.h"
#include "profiler/encode/merge/add_to_sum.h"
#include "profiler/encode/merge/pprof_tables.h"
#include "profiler/encode/merge/read_tables.h"
#include "profiler/encode/merge/sample_order.h"
#include "profiler/encode/merge/sum_header.h"
#include "profiler/encode/merge/sum_tables.h"
#include "profiler/encode/merge/write_sum.h"
#include "profiler/encode/pprof_message.h"

namespace wallprof {

absl::StatusOr<PprofFacts> CheckPprof(std::string_view message,
                                      size_t max_bytes) {
  PprofTables tables;
  absl::Status read =
      ReadTables(message, max_bytes, SamplesKept::kNone, tables);
  if (!read.ok()) return read;
  PprofFacts facts;
  SumHeader header = HeaderOf(tables);
  facts.sample_types = std::move(header.sample_types);
  facts.default_sample_type = std::move(header.default_sample_type);
  facts.period_type = std::move(header.period_type);
  facts.period = header.period;
  facts.time = absl::FromUnixNanos(header.time_nanos);
  facts.duration = header.duration;
  facts.samples = tables.all_samples;
  facts.max_depth = tables.max_depth;
  facts.max_labels_per_sample = tables.max_labels;
  facts.mappings = tables.mappings.size();
  facts.locations = tables.locations.size();
  facts.functions = tables.functions.size();
  facts.strings = tables.strings.size();
  for (std::string_view text : tables.strings) {
    facts.string_bytes += text.size();
  }
  return facts;
}

std::string PackPprof(std::string_view message) { return Gzip(message); }

absl::StatusOr<std::string> UnpackPprof(std::string_view bytes,
                                        size_t max_bytes) {
  if (!IsGzip(bytes)) {
    if (bytes.size() <= max_bytes) return std::string(bytes);
    return absl::InvalidArgumentError(
        absl::StrCat("decompressing profile: more than ", max_bytes, " bytes"));
  }
  absl::StatusOr<std::string> message = Gunzip(bytes, max_bytes);
  if (message.ok()) return message;
  return absl::InvalidArgumentError(
      absl::StrCat("decompressing profile: ", message.status().message()));
}

class PprofMerger::Sum {
 public:
  explicit Sum(const Options& options)
      : options_(options),
        tables_(options.any_order ? Decides::kContent : Decides::kFirst) {}

  absl::Status Add(std::string_view message) {
    absl::Status read = ReadTables(message, options_.max_message_bytes,
                                   SamplesKept::kAll, read_);
    if (!read.ok()) return read;
    if (options_.drop_comments) read_.comments.clear();
    SumHeader header = HeaderOf(read_);
    absl::Status fits = CheckCompatible(header_, header);
    if (!fits.ok()) return fits;
    if (!AddToSum(read_, options_.max_memory_bytes, tables_)) return TooLarge();
    AddHeader(header_, header, tables_.decides);
    return absl::OkStatus();
  }

  absl::Status Add(const Sum& other) {
    if (options_.any_order != other.options_.any_order) {
      return absl::InvalidArgumentError(
          "sums in any order and in a given one do not add up");
    }
    absl::Status fits = CheckCompatible(header_, other.header_);
    if (!fits.ok()) return fits;
    if (!AddToSum(other.tables_, other.header_.sample_types.size(),
                  options_.max_memory_bytes, tables_)) {
      return TooLarge();
    }
    AddHeader(header_, other.header_, tables_.decides);
    return absl::OkStatus();
  }

  absl::StatusOr<std::string> Message() const {
    if (header_.profiles == 0) {
      return absl::InvalidArgumentError("no profiles to merge");
    }
    return WriteSum(header_, tables_, SampleOrder(tables_));
  }

  const SumHeader& header() const { return header_; }
  const SumTables& tables() const { return tables_; }

 private:
  absl::Status TooLarge() const {
    return absl::ResourceExhaustedError(
        absl::StrCat("the sum of the profiles would take more than ",
                     options_.max_memory_bytes, " bytes of memory"));
  }

  Options options_;
  SumHeader header_;
  SumTables tables_;
  PprofTables read_;  // the message being added
};

PprofMerger::PprofMerger() : PprofMerger(Options()) {}
PprofMerger::PprofMerger(const Options& options)
    : sum_(std::make_unique<Sum>(options)) {}
PprofMerger::~PprofMerger() = default;
PprofMerger::PprofMerger(PprofMerger&& other) noexcept = default;
PprofMerger& PprofMerger::operator=(PprofMerger&& other) noexcept = default;

absl::Status PprofMerger::Add(std::string_view message) {
  return sum_->Add(message);
}

absl::Status PprofMerger::Add(const PprofMerger& other) {
  return sum_->Add(*other.sum_);
}

size_t PprofMerger::count() const { return sum_->header().profiles; }

size_t PprofMerger::memory_bytes() const { return sum_->tables().bytes(); }

absl::StatusOr<std::string> PprofMerger::FinishMessage() && {
  absl::StatusOr<std::string> message = sum_->Message();
  sum_.reset();
  return message;
}

absl::StatusOr<std::string> PprofMerger::FinishEncoded() && {
  absl::StatusOr<std::string> message = std::move(*this).FinishMessage();
  if (!message.ok()) return message;
  return Gzip(*message);
}

absl::StatusOr<Profile> PprofMerger::Finish() && {
  // The message has no room for it where it is above int64's range.
  absl::Duration duration = sum_->header().duration;
  absl::StatusOr<std::string> message = std::move(*this).FinishMessage();
  if (!message.ok()) return message.status();
  absl::StatusOr<Profile> profile =
      DecodePprofMessage(*message, std::numeric_limits<size_t>::max());
  if (profile.ok()) profile->duration = duration;
  return profile;
}

}  // namespace wallprof
