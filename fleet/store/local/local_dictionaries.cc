// The dictionaries of a local index.
#include <zstd.h>

#include <filesystem>
#include <system_error>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "fleet/files/files.h"
#include "fleet/store/local/local_index.h"
#include "fleet/store/record.h"

namespace wallprof::store::local {
namespace {

// They are written once for thousands of profiles.
constexpr int kLevel = 12;

std::string Compress(std::string_view bytes) {
  std::string compressed(ZSTD_compressBound(bytes.size()), '\0');
  compressed.resize(ZSTD_compress(compressed.data(), compressed.size(),
                                  bytes.data(), bytes.size(), kLevel));
  return compressed;
}

}  // namespace

// The files are what counts: a row may be missing.
absl::Status LocalIndex::LoadDictionaries() {
  std::error_code error;
  std::filesystem::directory_iterator it(directory_ + "/dictionaries", error);
  for (; !error && it != std::filesystem::directory_iterator();
       it.increment(error)) {
    int64_t id = 0;
    if (!absl::SimpleAtoi(it->path().filename().string(), &id)) continue;
    Statement& known = writer_->Use("SELECT 1 FROM dictionaries WHERE id = ?");
    const absl::StatusOr<bool> is_known = known.Bind(id).Step();
    if (!is_known.ok()) return is_known.status();
    if (*is_known) continue;
    const absl::StatusOr<std::string> bytes =
        fleet::ReadWhole(it->path().string());
    if (!bytes.ok()) return bytes.status();
    // Of a damaged one nothing can be read, nor is it used for new profiles.
    const absl::StatusOr<Record> record = DecodeRecord(*bytes);
    if (!record.ok()) continue;
    absl::Status added =
        writer_->Use("INSERT INTO dictionaries(id, service) VALUES(?, ?)")
            .Bind(id)
            .Bind(record->info.series.service)
            .Run();
    if (!added.ok()) return added;
  }
  if (error) return fleet::FileError(error.value(), directory_);
  return absl::OkStatus();
}

absl::StatusOr<int64_t> LocalIndex::AddDictionary(std::string_view service,
                                                  std::string_view bytes) {
  int64_t id = 0;
  absl::Status added = Change(true, [&](Changes&) {
    absl::Status made =
        writer_->Use("INSERT INTO dictionaries(service) VALUES(?)")
            .Bind(service)
            .Run();
    if (!made.ok()) return made;
    id = writer_->last_key();
    Record record;
    record.info.series.service = service;
    record.message_bytes = static_cast<int64_t>(bytes.size());
    const std::string compressed = Compress(bytes);
    record.encoding = Encoding::kZstd;
    record.payload = compressed;
    return fleet::WriteDurably(PathOfDictionary(id), EncodeRecord(record));
  });
  if (!added.ok()) return added;
  return id;
}

std::string LocalIndex::PathOfDictionary(int64_t id) const {
  return absl::StrCat(directory_, "/dictionaries/", id);
}

absl::StatusOr<Dictionary> LocalIndex::GetDictionary(int64_t id) {
  const absl::StatusOr<std::string> bytes =
      fleet::ReadWhole(PathOfDictionary(id));
  if (!bytes.ok()) return bytes.status();
  const absl::StatusOr<Record> record = DecodeRecord(*bytes);
  if (!record.ok()) return record.status();
  Dictionary dictionary = {
      id, std::string(static_cast<size_t>(record->message_bytes), '\0')};
  const size_t size =
      ZSTD_decompress(dictionary.bytes.data(), dictionary.bytes.size(),
                      record->payload.data(), record->payload.size());
  if (ZSTD_isError(size) != 0 || size != dictionary.bytes.size()) {
    return absl::DataLossError("the dictionary is damaged");
  }
  return dictionary;
}

}  // namespace wallprof::store::local
