#include "fleet/store/shared/profile_rows.h"

#include <openssl/sha.h>

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "fleet/postgres/rows.h"
#include "fleet/store/profile_info.h"

namespace wallprof::store::shared {
namespace {

// Rows go in in one order, so that two who add the same wait for each other at
// most once. A segment's row is made or grows by what has really been added.
constexpr char kInsert[] = R"(
WITH added AS (
  INSERT INTO wallprof_profiles
    (second, id, series, segment, position, bytes, message_bytes)
  SELECT * FROM unnest($1::int8[], $2::text[], $3::int8[], $4::uuid[],
                       $5::int8[], $6::int8[], $7::int8[])
    AS given(second, id, series, segment, position, bytes, message_bytes)
  ORDER BY given.second, given.id COLLATE "C"
  ON CONFLICT DO NOTHING
  RETURNING second, id, segment, bytes),
used AS (
  INSERT INTO wallprof_segments AS s
    (key, name, profiles, bytes, oldest, newest)
  SELECT n.key, n.name, count(*), sum(a.bytes)::int8, min(a.second),
         max(a.second)
  FROM unnest($8::uuid[], $9::text[]) AS n(key, name)
    JOIN added a ON a.segment = n.key
  GROUP BY n.key, n.name ORDER BY n.key
  ON CONFLICT (key) DO UPDATE SET
    profiles = s.profiles + excluded.profiles,
    bytes = s.bytes + excluded.bytes,
    oldest = least(s.oldest, excluded.oldest),
    newest = greatest(s.newest, excluded.newest))
SELECT id FROM added)";

constexpr char kSelect[] = R"(
SELECT p.second, p.id, p.series, s.name, p.position, p.bytes, p.message_bytes
FROM unnest($1::int8[], $2::text[]) AS w(second, id)
  JOIN wallprof_profiles p ON p.second = w.second AND p.id = w.id
  JOIN wallprof_segments s ON s.key = p.segment
WHERE p.second BETWEEN $3::int8 AND $4::int8)";

constexpr char kDelete[] = R"(
DELETE FROM wallprof_profiles p
USING unnest($1::int8[], $2::text[]) AS w(second, id)
WHERE p.second = w.second AND p.id = w.id
  AND p.second BETWEEN $3::int8 AND $4::int8
RETURNING p.second, p.id, p.series, p.segment, p.position, p.bytes,
          p.message_bytes)";

// A statement of its own: one that had to wait for a row sees the row as it is
// now, but all else as it was, and a row may be in a segment that is newer.
constexpr char kLeave[] = R"(
UPDATE wallprof_segments s
SET profiles = s.profiles - g.profiles, bytes = s.bytes - g.bytes
FROM unnest($1::uuid[], $2::int8[], $3::int8[]) AS g(key, profiles, bytes)
WHERE s.key = g.key
RETURNING s.key, s.name, s.profiles, s.oldest, s.newest)";

constexpr char kMove[] = R"(
WITH moved AS (
  UPDATE wallprof_profiles p
  SET segment = m.new_segment, position = m.new_position, bytes = m.new_bytes
  FROM unnest($1::int8[], $2::text[], $3::uuid[], $4::int8[], $5::int8[],
              $6::uuid[], $7::int8[], $8::int8[])
    AS m(second, id, segment, position, bytes, new_segment, new_position,
         new_bytes)
  WHERE p.second = m.second AND p.id = m.id AND p.segment = m.segment
    AND p.position = m.position AND p.bytes = m.bytes
    AND p.second BETWEEN $11::int8 AND $12::int8
  RETURNING m.*),
change AS (
  SELECT segment, sum(profiles)::int8 AS profiles, sum(bytes)::int8 AS bytes,
         coalesce(min(second) FILTER (WHERE profiles > 0),
                  9223372036854775807) AS oldest,
         coalesce(max(second) FILTER (WHERE profiles > 0), -1) AS newest,
         coalesce(max(second) FILTER (WHERE profiles < 0), -1) AS left_newest
  FROM (SELECT segment, -1 AS profiles, -bytes AS bytes, second FROM moved
        UNION ALL
        SELECT new_segment, 1, new_bytes, second FROM moved) parts
  GROUP BY segment),
used AS (
  INSERT INTO wallprof_segments AS s
    (key, name, profiles, bytes, oldest, newest)
  SELECT c.segment, n.name, c.profiles, c.bytes, c.oldest, c.newest
  FROM change c JOIN unnest($9::uuid[], $10::text[]) AS n(key, name)
    ON n.key = c.segment
  ORDER BY c.segment
  ON CONFLICT (key) DO UPDATE SET
    profiles = s.profiles + excluded.profiles,
    bytes = s.bytes + excluded.bytes,
    oldest = least(s.oldest, excluded.oldest),
    newest = greatest(s.newest, excluded.newest)
  RETURNING s.*)
SELECT u.name, u.profiles, u.oldest, u.newest, c.left_newest
FROM used u JOIN change c ON c.segment = u.key)";

ProfileRow RowOf(const postgres::Rows& rows, int i) {
  return {rows.Number(i, 0),
          std::string(rows.Text(i, 1)),
          rows.Number(i, 2),
          {std::string(rows.Text(i, 3)), rows.Number(i, 4), rows.Number(i, 5)},
          rows.Number(i, 6)};
}

std::vector<ProfileRow> RowsOf(const postgres::Rows& rows) {
  std::vector<ProfileRow> all;
  for (int i = 0; i < rows.size(); ++i) all.push_back(RowOf(rows, i));
  return all;
}

// Keys and names of segments, each once.
class SegmentNames {
 public:
  void Add(const std::string& name) { names_.insert(name); }

  void AppendTo(std::vector<std::string>& parameters) const {
    postgres::ArrayLiteral keys, names;
    for (const std::string& name : names_) {
      keys.Add(SegmentKey(name));
      names.Add(name);
    }
    parameters.push_back(std::move(keys).Done());
    parameters.push_back(std::move(names).Done());
  }

 private:
  std::set<std::string> names_;
};

void AppendTo(std::vector<std::string>& parameters, const Seconds& seconds) {
  parameters.push_back(absl::StrCat(seconds.from));
  parameters.push_back(absl::StrCat(seconds.to));
}

// Parameters of kSelect and kDelete.
std::vector<std::string> ByIds(int64_t day, absl::Span<const std::string> ids) {
  postgres::ArrayLiteral seconds, texts;
  for (const std::string& id : ids) {
    seconds.Add(absl::ToUnixSeconds(TimeOfProfileId(id)));
    texts.Add(id);
  }
  std::vector<std::string> parameters = {std::move(seconds).Done(),
                                         std::move(texts).Done()};
  AppendTo(parameters, SecondsOf(day));
  return parameters;
}

void Enter(const std::string& name, const Remainder& now,
           Remainders& remainders) {
  Remainder& entered = remainders[name];
  const int64_t left_newest = std::max(now.left_newest, entered.left_newest);
  entered = now;
  entered.left_newest = left_newest;
}

}  // namespace

std::string SegmentKey(std::string_view name) {
  constexpr size_t kUuidBytes = 16;
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(name.data()), name.size(),
         digest);
  return absl::BytesToHexString(
      {reinterpret_cast<const char*>(digest), kUuidBytes});
}

absl::StatusOr<std::set<std::string>> InsertProfiles(
    postgres::Connection& connection, absl::Span<const ProfileRow> rows) {
  postgres::ArrayLiteral columns[7];
  SegmentNames segments;
  for (const ProfileRow& row : rows) {
    columns[0].Add(row.second);
    columns[1].Add(row.id);
    columns[2].Add(row.series);
    columns[3].Add(SegmentKey(row.place.segment));
    columns[4].Add(row.place.offset);
    columns[5].Add(row.place.bytes);
    columns[6].Add(row.message_bytes);
    segments.Add(row.place.segment);
  }
  std::vector<std::string> parameters;
  for (postgres::ArrayLiteral& column : columns) {
    parameters.push_back(std::move(column).Done());
  }
  segments.AppendTo(parameters);
  const absl::StatusOr<postgres::Rows> added =
      connection.Run(kInsert, parameters);
  if (!added.ok()) return added.status();
  std::set<std::string> ids;
  for (int i = 0; i < added->size(); ++i) ids.emplace(added->Text(i, 0));
  return ids;
}

absl::StatusOr<std::vector<ProfileRow>> ReadPage(
    postgres::Connection& connection, const Page& page) {
  std::vector<std::string> parameters;
  AppendTo(parameters, page.seconds);
  parameters.push_back(absl::StrCat(page.after_second));
  parameters.push_back(page.after_id);
  parameters.push_back(absl::StrCat(page.limit));
  if (page.series != nullptr) parameters.push_back(*page.series);
  const absl::StatusOr<postgres::Rows> rows = connection.Run(
      absl::StrCat(
          "SELECT p.second, p.id, p.series, s.name, p.position, p.bytes, "
          "p.message_bytes FROM (SELECT * FROM wallprof_profiles "
          "WHERE second BETWEEN $1::int8 AND $2::int8 "
          "AND (second, id) > ($3::int8, $4::text) ",
          page.series == nullptr ? "" : "AND series = ANY ($6::int8[]) ",
          "ORDER BY second, id LIMIT $5::int8) p "
          "JOIN wallprof_segments s ON s.key = p.segment "
          "ORDER BY p.second, p.id"),
      parameters);
  if (!rows.ok()) return rows.status();
  return RowsOf(*rows);
}

absl::StatusOr<std::vector<ProfileRow>> SelectProfiles(
    postgres::Connection& connection, int64_t day,
    absl::Span<const std::string> ids) {
  const absl::StatusOr<postgres::Rows> rows =
      connection.Run(kSelect, ByIds(day, ids));
  if (!rows.ok()) return rows.status();
  return RowsOf(*rows);
}

absl::StatusOr<std::vector<ProfileRow>> DeleteProfiles(
    postgres::Connection& connection, int64_t day,
    absl::Span<const std::string> ids, Remainders& remainders) {
  const absl::StatusOr<postgres::Rows> rows =
      connection.Run(kDelete, ByIds(day, ids));
  if (!rows.ok()) return rows.status();
  std::vector<ProfileRow> gone = RowsOf(*rows);
  struct Leaving {
    int64_t profiles = 0;
    int64_t bytes = 0;
    int64_t newest = -1;
    std::string name;
  };
  std::map<std::string, Leaving> segments;  // by key
  for (const ProfileRow& row : gone) {
    Leaving& leaving = segments[row.place.segment];
    ++leaving.profiles;
    leaving.bytes += row.place.bytes;
    leaving.newest = std::max(leaving.newest, row.second);
  }
  if (segments.empty()) return gone;
  postgres::ArrayLiteral keys, profiles, bytes;
  for (const auto& [key, leaving] : segments) {
    keys.Add(key);
    profiles.Add(leaving.profiles);
    bytes.Add(leaving.bytes);
  }
  const absl::StatusOr<postgres::Rows> left = connection.Run(
      kLeave, {std::move(keys).Done(), std::move(profiles).Done(),
               std::move(bytes).Done()});
  if (!left.ok()) return left.status();
  for (int i = 0; i < left->size(); ++i) {
    Leaving& leaving = segments[std::string(left->Text(i, 0))];
    leaving.name = left->Text(i, 1);
    Enter(leaving.name,
          {left->Number(i, 2),
           {left->Number(i, 3), left->Number(i, 4)},
           leaving.newest},
          remainders);
  }
  for (ProfileRow& row : gone) {
    row.place.segment = segments[row.place.segment].name;
  }
  return gone;
}

absl::Status MoveProfiles(postgres::Connection& connection, int64_t day,
                          absl::Span<const Index::Move* const> moves,
                          Remainders& remainders) {
  postgres::ArrayLiteral columns[8];
  SegmentNames segments;
  for (const Index::Move* move : moves) {
    columns[0].Add(absl::ToUnixSeconds(TimeOfProfileId(move->id)));
    columns[1].Add(move->id);
    columns[2].Add(SegmentKey(move->from.segment));
    columns[3].Add(move->from.offset);
    columns[4].Add(move->from.bytes);
    columns[5].Add(SegmentKey(move->to.segment));
    columns[6].Add(move->to.offset);
    columns[7].Add(move->to.bytes);
    segments.Add(move->from.segment);
    segments.Add(move->to.segment);
  }
  std::vector<std::string> parameters;
  for (postgres::ArrayLiteral& column : columns) {
    parameters.push_back(std::move(column).Done());
  }
  segments.AppendTo(parameters);
  AppendTo(parameters, SecondsOf(day));
  const absl::StatusOr<postgres::Rows> rows = connection.Run(kMove, parameters);
  if (!rows.ok()) return rows.status();
  for (int i = 0; i < rows->size(); ++i) {
    Enter(std::string(rows->Text(i, 0)),
          {rows->Number(i, 1),
           {rows->Number(i, 2), rows->Number(i, 3)},
           rows->Number(i, 4)},
          remainders);
  }
  return absl::OkStatus();
}

absl::Status SettleNewest(postgres::Connection& connection,
                          const Remainders& remainders) {
  for (const auto& [name, remainder] : remainders) {
    if (remainder.profiles == 0 ||
        remainder.left_newest != remainder.times.to) {
      continue;
    }
    absl::StatusOr<std::vector<int64_t>> days =
        ListDays(connection, remainder.times);
    if (!days.ok()) return days.status();
    const std::string key = SegmentKey(name);
    for (auto day = days->rbegin(); day != days->rend(); ++day) {
      std::vector<std::string> parameters = {key};
      AppendTo(parameters,
               {std::max(SecondsOf(*day).from, remainder.times.from),
                std::min(SecondsOf(*day).to, remainder.times.to)});
      const absl::StatusOr<postgres::Rows> set = connection.Run(
          "UPDATE wallprof_segments SET newest = p.second FROM "
          "(SELECT second FROM wallprof_profiles WHERE segment = $1::uuid "
          "AND second BETWEEN $2::int8 AND $3::int8 "
          "ORDER BY second DESC LIMIT 1) p WHERE key = $1::uuid RETURNING key",
          parameters);
      if (!set.ok()) return set.status();
      if (set->size() > 0) break;
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<int64_t>> SeriesWithProfiles(
    postgres::Connection& connection, const Seconds& seconds,
    const std::vector<int64_t>& numbers) {
  postgres::ArrayLiteral array;
  for (const int64_t number : numbers) array.Add(number);
  std::vector<std::string> parameters = {std::move(array).Done()};
  AppendTo(parameters, seconds);
  const absl::StatusOr<postgres::Rows> rows = connection.Run(
      "SELECT n FROM unnest($1::int8[]) AS n WHERE EXISTS "
      "(SELECT FROM wallprof_profiles WHERE series = n "
      "AND second BETWEEN $2::int8 AND $3::int8)",
      parameters);
  if (!rows.ok()) return rows.status();
  std::vector<int64_t> found;
  for (int i = 0; i < rows->size(); ++i) found.push_back(rows->Number(i, 0));
  return found;
}

}  // namespace wallprof::store::shared
