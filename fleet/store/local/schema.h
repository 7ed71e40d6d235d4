// What the tables of a local index are.
#ifndef WALLPROF_FLEET_STORE_LOCAL_SCHEMA_H_
#define WALLPROF_FLEET_STORE_LOCAL_SCHEMA_H_

namespace wallprof::store::local {

// Keys of series, services and segments are never used again: readers may still
// hold them. Counts of series and segments save counting profiles.
inline constexpr char kSchema[] = R"(
CREATE TABLE IF NOT EXISTS services(
  key INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS series(
  key INTEGER PRIMARY KEY AUTOINCREMENT,
  service INTEGER NOT NULL,
  type TEXT NOT NULL,
  labels TEXT NOT NULL,
  profiles INTEGER NOT NULL DEFAULT 0,
  UNIQUE(service, type, labels));
CREATE TABLE IF NOT EXISTS segments(
  key INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  profiles INTEGER NOT NULL DEFAULT 0,
  bytes INTEGER NOT NULL DEFAULT 0,
  newest INTEGER NOT NULL DEFAULT 0,
  known INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS profiles(
  service INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  id TEXT NOT NULL UNIQUE,
  series INTEGER NOT NULL,
  segment INTEGER NOT NULL,
  offset INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  message_bytes INTEGER NOT NULL,
  PRIMARY KEY(service, created_at, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS profiles_by_series
  ON profiles(series, created_at, id);
CREATE TABLE IF NOT EXISTS dictionaries(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  service TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS dictionaries_by_service ON dictionaries(service, id);
)";

}  // namespace wallprof::store::local

#endif  // WALLPROF_FLEET_STORE_LOCAL_SCHEMA_H_
