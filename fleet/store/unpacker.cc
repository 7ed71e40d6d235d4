#include "fleet/store/unpacker.h"

#include <zstd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "fleet/gzip/whole_gzip.h"
#include "fleet/store/columns.h"

namespace wallprof::store {
namespace {

absl::StatusOr<std::string> Gunzip(std::string_view gzipped, int64_t bytes) {
  absl::StatusOr<std::string> message =
      fleet::UnpackWhole(gzipped, static_cast<size_t>(bytes));
  if (!message.ok()) return absl::DataLossError("record: gzip is damaged");
  if (message->size() != static_cast<size_t>(bytes)) {
    return absl::DataLossError("record: the message is shorter than it was");
  }
  return message;
}

// Services that are looked at in turn; each takes about a megabyte.
constexpr size_t kMaxPrepared = 64;

struct FreeContext {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

}  // namespace

absl::StatusOr<Unpacker::Prepared> Unpacker::DictionaryOf(int64_t id) {
  {
    const std::lock_guard lock(mutex_);
    const auto known = prepared_.find(id);
    if (known != prepared_.end()) {
      used_.splice(used_.begin(), used_,
                   std::find(used_.begin(), used_.end(), id));
      return known->second;
    }
  }
  const absl::StatusOr<Dictionary> dictionary = index_.GetDictionary(id);
  if (!dictionary.ok()) {
    return absl::Status(
        dictionary.status().code(),
        absl::StrCat("dictionary ", id, ": ", dictionary.status().message()));
  }
  Prepared prepared(
      ZSTD_createDDict(dictionary->bytes.data(), dictionary->bytes.size()),
      [](ZSTD_DDict_s* one) { ZSTD_freeDDict(one); });
  const std::lock_guard lock(mutex_);
  if (prepared_.emplace(id, prepared).second) used_.push_front(id);
  if (used_.size() > kMaxPrepared) {
    prepared_.erase(used_.back());
    used_.pop_back();
  }
  return prepared;
}

absl::StatusOr<std::string> Unpacker::Decompress(const Record& record,
                                                 size_t bytes) {
  Prepared dictionary;
  if (record.dictionary != 0) {
    absl::StatusOr<Prepared> found = DictionaryOf(record.dictionary);
    if (!found.ok()) return found.status();
    dictionary = *std::move(found);
  }
  thread_local const std::unique_ptr<ZSTD_DCtx, FreeContext> context(
      ZSTD_createDCtx());
  std::string message(bytes, '\0');
  const size_t size = ZSTD_decompress_usingDDict(
      context.get(), message.data(), message.size(), record.payload.data(),
      record.payload.size(), dictionary.get());
  if (ZSTD_isError(size) != 0 || size != message.size()) {
    return absl::DataLossError("record: zstd is damaged");
  }
  return message;
}

absl::StatusOr<std::string> Unpacker::Unpack(const Record& record) {
  switch (record.encoding) {
    case Encoding::kRaw:
      return std::string(record.payload);
    case Encoding::kGzip:
      return Gunzip(record.payload, record.message_bytes);
    case Encoding::kZstd:
      return Decompress(record, static_cast<size_t>(record.message_bytes));
    case Encoding::kColumns:
      break;
  }
  const unsigned long long size =
      ZSTD_getFrameContentSize(record.payload.data(), record.payload.size());
  if (size > kMaxPayloadBytes) {
    return absl::DataLossError("record: zstd is damaged");
  }
  const absl::StatusOr<std::string> columns = Decompress(record, size);
  if (!columns.ok()) return columns.status();
  return JoinColumns(*columns, record.message_bytes);
}

}  // namespace wallprof::store
