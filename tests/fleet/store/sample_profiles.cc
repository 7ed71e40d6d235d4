#include "tests/fleet/store/sample_profiles.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdlib>
#include <filesystem>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"

namespace wallprof::store {

ProfileInfo SampleInfo(int number, absl::Time created_at,
                       std::string_view service, std::string_view host) {
  ProfileInfo info;
  info.id = MakeProfileId(created_at, absl::StrCat("profile ", number));
  info.series = {std::string(service), "wall", {{"host", std::string(host)}}};
  info.created_at = created_at;
  return info;
}

std::string SampleMessage(int number, size_t bytes) {
  std::minstd_rand random(static_cast<unsigned>(number) + 1);
  std::string message;
  while (message.size() < bytes) {
    absl::StrAppend(&message, "frame ", random() % 1000, ";");
  }
  message.resize(bytes);
  return message;
}

std::string GzipOf(std::string_view bytes) {
  z_stream stream = {};
  EXPECT_EQ(deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED,
                         15 + 16 /* gzip */, 8, Z_DEFAULT_STRATEGY),
            Z_OK);
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

IndexEntry SampleEntry(int number, absl::Time created_at,
                       std::string_view segment) {
  IndexEntry entry;
  entry.info = SampleInfo(number, created_at);
  entry.place = {std::string(segment), 100 * number, 100};
  entry.message_bytes = 1000 + number;
  return entry;
}

std::vector<std::string> IdsOf(const std::vector<IndexEntry>& entries) {
  std::vector<std::string> ids;
  for (const IndexEntry& entry : entries) ids.push_back(entry.info.id);
  return ids;
}

std::vector<IndexEntry> FindAll(Index& index, const Query& query) {
  std::vector<IndexEntry> entries;
  const absl::Status found = index.Find(query, [&](const IndexEntry& entry) {
    entries.push_back(entry);
    return true;
  });
  EXPECT_TRUE(found.ok()) << found;
  return entries;
}

std::vector<IndexEntry> FindAll(ProfileStore& store, const Query& query) {
  std::vector<IndexEntry> entries;
  const absl::Status found = store.Find(query, [&](const IndexEntry& entry) {
    entries.push_back(entry);
    return true;
  });
  EXPECT_TRUE(found.ok()) << found;
  return entries;
}

Query QueryOf(std::string_view selector, absl::Time from, absl::Time to) {
  Query query;
  auto parsed = Selector::Parse(selector);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  if (parsed.ok()) query.selector = *std::move(parsed);
  query.from = from;
  query.to = to;
  return query;
}

TemporaryDirectory::TemporaryDirectory()
    : path_(testing::TempDir() + "store_XXXXXX") {
  EXPECT_NE(mkdtemp(path_.data()), nullptr);
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
  EXPECT_FALSE(error) << error.message();
}

}  // namespace wallprof::store
