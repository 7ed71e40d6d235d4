#include "fleet/store/shared/series_table.h"

#include <openssl/sha.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "fleet/postgres/rows.h"

namespace wallprof::store::shared {
namespace {

// A series that a collector may still add to must not be removed: it is marked
// as used every hour, and goes when it has not been for so much longer that no
// clock and no statement under way matters.
constexpr absl::Duration kMarkEvery = absl::Hours(1);
constexpr char kUnused[] = "used_at < now() - interval '2 days'";

// Each takes about 300 bytes; a fleet's collector sees tens of thousands.
constexpr size_t kMaxRemembered = 200'000;

// Fields one after the other, each after its length.
void Append(std::string_view field, std::string& bytes) {
  const auto size = static_cast<uint32_t>(field.size());
  for (int shift = 24; shift >= 0; shift -= 8) {
    bytes += static_cast<char>(size >> shift);
  }
  bytes += field;
}

std::optional<std::string> Next(std::string_view& bytes) {
  uint32_t size = 0;
  if (bytes.size() < sizeof size) return std::nullopt;
  for (size_t i = 0; i < sizeof size; ++i) {
    size = size << 8 | static_cast<unsigned char>(bytes[i]);
  }
  bytes.remove_prefix(sizeof size);
  if (bytes.size() < size) return std::nullopt;
  std::string field(bytes.substr(0, size));
  bytes.remove_prefix(size);
  return field;
}

std::string EncodeLabels(const Labels& labels) {
  std::string bytes;
  for (const auto& [key, value] : labels) {
    Append(key, bytes);
    Append(value, bytes);
  }
  return bytes;
}

absl::StatusOr<Labels> DecodeLabels(std::string_view bytes) {
  Labels labels;
  while (!bytes.empty()) {
    std::optional<std::string> key = Next(bytes);
    std::optional<std::string> value = key ? Next(bytes) : std::nullopt;
    if (!value) return absl::DataLossError("wallprof_series.labels is damaged");
    labels.emplace_back(*std::move(key), *std::move(value));
  }
  return labels;
}

std::string DigestOf(const Series& series) {
  std::string bytes;
  Append(series.service, bytes);
  Append(series.type, bytes);
  Append(EncodeLabels(series.labels), bytes);
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

// Of columns id, service, type, labels.
absl::StatusOr<SharedSeries> SeriesOf(const postgres::Rows& rows, int row) {
  absl::StatusOr<Labels> labels = DecodeLabels(rows.Bytes(row, 3));
  if (!labels.ok()) return labels.status();
  return std::make_shared<const Series>(
      Series{rows.Bytes(row, 1), rows.Bytes(row, 2), *std::move(labels)});
}

}  // namespace

absl::StatusOr<std::vector<int64_t>> SeriesTable::Number(
    postgres::Connection& connection, absl::Span<const Series* const> series) {
  const absl::Time now = absl::Now();
  std::vector<std::string> digests;
  std::map<std::string, const Series*> unknown;  // in one order for all
  std::map<std::string, int64_t> found;
  {
    std::lock_guard lock(mutex_);
    for (const Series* one : series) {
      digests.push_back(DigestOf(*one));
      const auto known = numbers_.find(digests.back());
      if (known != numbers_.end() && now - known->second.since < kMarkEvery) {
        found[digests.back()] = known->second.number;
      } else {
        unknown[digests.back()] = one;
      }
    }
  }
  if (!unknown.empty()) {
    postgres::ArrayLiteral columns[4];
    for (const auto& [digest, one] : unknown) {
      columns[0].Add(postgres::BytesLiteral(digest));
      columns[1].Add(postgres::BytesLiteral(one->service));
      columns[2].Add(postgres::BytesLiteral(one->type));
      columns[3].Add(postgres::BytesLiteral(EncodeLabels(one->labels)));
    }
    const absl::StatusOr<postgres::Rows> rows = connection.Run(
        "INSERT INTO wallprof_series (digest, service, type, labels, used_at) "
        "SELECT *, now() "
        "FROM unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::bytea[]) "
        "ORDER BY 1 ON CONFLICT (digest) DO UPDATE SET used_at = now() "
        "RETURNING id, digest, is_empty",
        {std::move(columns[0]).Done(), std::move(columns[1]).Done(),
         std::move(columns[2]).Done(), std::move(columns[3]).Done()});
    if (!rows.ok()) return rows.status();
    std::lock_guard lock(mutex_);
    for (int i = 0; i < rows->size(); ++i) {
      const std::string digest = rows->Bytes(i, 1);
      found[digest] = rows->Number(i, 0);
      if (numbers_.size() >= kMaxRemembered) {
        numbers_.clear();
        empty_.clear();
      }
      if (rows->IsTrue(i, 2)) empty_.insert(rows->Number(i, 0));
      numbers_[digest] = {rows->Number(i, 0), now};
    }
  }
  std::vector<int64_t> numbers;
  for (const std::string& digest : digests) numbers.push_back(found[digest]);
  return numbers;
}

absl::StatusOr<SeriesTable::ByNumber> SeriesTable::Get(
    postgres::Connection& connection, const std::vector<int64_t>& numbers) {
  ByNumber found;
  postgres::ArrayLiteral unknown;
  bool all_known = true;
  {
    std::lock_guard lock(mutex_);
    for (const int64_t number : numbers) {
      const auto known = series_.find(number);
      if (known != series_.end()) {
        found[number] = known->second;
      } else {
        unknown.Add(number);
        all_known = false;
      }
    }
  }
  if (all_known) return found;
  const absl::StatusOr<postgres::Rows> rows = connection.Run(
      "SELECT id, service, type, labels FROM wallprof_series "
      "WHERE id = ANY ($1::int8[])",
      {std::move(unknown).Done()});
  if (!rows.ok()) return rows.status();
  for (int i = 0; i < rows->size(); ++i) {
    absl::StatusOr<SharedSeries> series = SeriesOf(*rows, i);
    if (!series.ok()) return series.status();
    found[rows->Number(i, 0)] = *series;
    std::lock_guard lock(mutex_);
    if (series_.size() >= kMaxRemembered) series_.clear();
    series_[rows->Number(i, 0)] = *std::move(series);
  }
  return found;
}

absl::StatusOr<SeriesTable::ByNumber> SeriesTable::Find(
    postgres::Connection& connection, const Selector& selector) {
  std::string sql = "SELECT id FROM wallprof_series WHERE true";
  std::vector<std::string> parameters;
  for (const char* name : {"service", "type"}) {
    if (const std::optional<std::string> value = selector.ValueOf(name)) {
      parameters.push_back(postgres::BytesLiteral(*value));
      absl::StrAppend(&sql, " AND ", name, " = $", parameters.size(),
                      "::bytea");
    }
  }
  const absl::StatusOr<postgres::Rows> rows = connection.Run(sql, parameters);
  if (!rows.ok()) return rows.status();
  std::vector<int64_t> numbers;
  for (int i = 0; i < rows->size(); ++i) numbers.push_back(rows->Number(i, 0));
  absl::StatusOr<ByNumber> found = Get(connection, numbers);
  if (!found.ok()) return found;
  for (auto one = found->begin(); one != found->end();) {
    one = selector.Matches(*one->second) ? std::next(one) : found->erase(one);
  }
  return found;
}

absl::Status SeriesTable::MarkUsed(postgres::Connection& connection,
                                   const std::vector<int64_t>& numbers) {
  std::set<int64_t> were_empty;
  {
    std::lock_guard lock(mutex_);
    for (const int64_t number : numbers) {
      if (empty_.contains(number)) were_empty.insert(number);
    }
  }
  if (were_empty.empty()) return absl::OkStatus();
  postgres::ArrayLiteral array;
  for (const int64_t number : were_empty) array.Add(number);
  const absl::Status marked =
      connection
          .Run(
              "UPDATE wallprof_series SET is_empty = false "
              "WHERE id = ANY ($1::int8[])",
              {std::move(array).Done()})
          .status();
  if (!marked.ok()) return marked;
  std::lock_guard lock(mutex_);
  for (const int64_t number : were_empty) empty_.erase(number);
  return absl::OkStatus();
}

absl::Status SeriesTable::MarkEmpty(postgres::Connection& connection,
                                    const std::vector<int64_t>& numbers) {
  if (numbers.empty()) return absl::OkStatus();
  {
    std::lock_guard lock(mutex_);
    empty_.insert(numbers.begin(), numbers.end());
  }
  postgres::ArrayLiteral array;
  for (const int64_t number : numbers) array.Add(number);
  return connection
      .Run(
          "UPDATE wallprof_series SET is_empty = true "
          "WHERE id = ANY ($1::int8[])",
          {std::move(array).Done()})
      .status();
}

absl::StatusOr<std::vector<int64_t>> SeriesTable::ListUnused(
    postgres::Connection& connection) {
  const absl::StatusOr<postgres::Rows> rows = connection.Run(
      absl::StrCat("SELECT id FROM wallprof_series WHERE ", kUnused));
  if (!rows.ok()) return rows.status();
  std::vector<int64_t> numbers;
  for (int i = 0; i < rows->size(); ++i) numbers.push_back(rows->Number(i, 0));
  return numbers;
}

absl::Status SeriesTable::RemoveUnused(postgres::Connection& connection,
                                       const std::vector<int64_t>& numbers) {
  postgres::ArrayLiteral array;
  for (const int64_t number : numbers) array.Add(number);
  return connection
      .Run(absl::StrCat("DELETE FROM wallprof_series WHERE id = ANY "
                        "($1::int8[]) AND ",
                        kUnused),
           {std::move(array).Done()})
      .status();
}

}  // namespace wallprof::store::shared
