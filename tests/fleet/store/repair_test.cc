// What is found when a store is opened after an end without warning.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "fleet/files/files.h"
#include "fleet/store/profile_store.h"
#include "fleet/store/record.h"
#include "tests/fleet/store/sample_profiles.h"

namespace wallprof::store {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class RepairTest : public testing::Test {
 protected:
  void Open() {
    store_.reset();
    lines_.clear();
    StoreOptions options;
    options.directory = path();
    options.log = [this](const fleet::LogLine& line) {
      lines_.push_back(line.text());
    };
    auto opened = OpenProfileStore(options);
    ASSERT_TRUE(opened.ok()) << opened.status();
    store_ = *std::move(opened);
  }

  void Close() { store_.reset(); }

  void Add(int number) {
    const std::string message = SampleMessage(number);
    const std::string gzipped = GzipOf(message);
    const auto added = store_->Add({SampleInfo(number), message, gzipped});
    ASSERT_TRUE(added.ok()) << added.status();
    EXPECT_TRUE(*added);
  }

  void AddSome(int from, int to) {
    for (int i = from; i < to; ++i) Add(i);
  }

  // How many are there, all of them as they were added.
  size_t CountReadable(int to) {
    size_t readable = 0;
    for (int i = 0; i < to; ++i) {
      const auto entries = store_->Get({SampleInfo(i).id});
      EXPECT_TRUE(entries.ok()) << entries.status();
      if (entries->empty()) continue;
      const auto message = store_->Read(entries->front());
      EXPECT_TRUE(message.ok()) << message.status();
      EXPECT_EQ(message.value_or(""), SampleMessage(i));
      ++readable;
    }
    EXPECT_EQ(FindAll(*store_).size(), readable);
    return readable;
  }

  // The only segment's file.
  std::string SegmentPath() const {
    std::string found;
    for (const auto& file : fs::directory_iterator(path() + "/segments")) {
      EXPECT_THAT(found, IsEmpty());
      found = file.path();
    }
    return found;
  }

  void LoseIndex() {
    for (const char* suffix : {"", "-wal", "-shm"}) {
      fs::remove(absl::StrCat(path(), "/index.sqlite", suffix));
    }
  }

  std::string path() const { return directory_.path() + "/store"; }

  const TemporaryDirectory directory_;
  std::unique_ptr<ProfileStore> store_;
  std::vector<std::string> lines_;
};

void Append(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary | std::ios::app) << bytes;
}

TEST_F(RepairTest, NothingIsSaidWhereNothingIsWrong) {
  Open();
  AddSome(0, 3);
  Open();
  EXPECT_EQ(CountReadable(3), 3);
  EXPECT_THAT(lines_, IsEmpty());
}

TEST_F(RepairTest, ATornEndIsCutOff) {
  Open();
  AddSome(0, 3);
  Close();
  const std::string segment = SegmentPath();
  const auto size = fs::file_size(segment);
  const auto bytes = fleet::ReadWhole(segment);
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  // The first record is as good as any.
  Append(segment, bytes->substr(0, 100));
  Open();
  EXPECT_THAT(lines_, ElementsAre(AllOf(
                          HasSubstr("event=repaired"),
                          HasSubstr(absl::StrCat("offset=", size)),
                          HasSubstr("bytes=100"), HasSubstr("cut short"))));
  EXPECT_EQ(fs::file_size(segment), size);
  EXPECT_EQ(CountReadable(3), 3);
  Open();
  EXPECT_THAT(lines_, IsEmpty());
}

TEST_F(RepairTest, AnIndexThatIsBehindCatchesUp) {
  Open();
  AddSome(0, 3);
  Close();
  const std::string index = path() + "/index.sqlite";
  fs::copy_file(index, directory_.path() + "/old");
  // What came is in the same segment, as if nothing had been opened again.
  const std::string segment = SegmentPath();
  for (int i = 3; i < 6; ++i) {
    const std::string message = SampleMessage(i);
    Record record;
    record.info = SampleInfo(i);
    record.message_bytes = static_cast<int64_t>(message.size());
    record.payload = message;
    Append(segment, EncodeRecord(record));
    Append(segment, EncodeRecord(record));  // sent again after an error
  }
  Open();
  EXPECT_EQ(CountReadable(6), 6);
  EXPECT_THAT(lines_, ElementsAre(AllOf(HasSubstr("event=indexed"),
                                        HasSubstr("records=6"),
                                        HasSubstr("profiles=3"))));
}

TEST_F(RepairTest, WithoutAnIndexAllIsFoundAgain) {
  Open();
  AddSome(0, 20);
  Open();
  ASSERT_TRUE(store_->KeepHouse().ok());
  AddSome(20, 25);
  Close();
  LoseIndex();
  Open();
  EXPECT_EQ(CountReadable(25), 25);
  EXPECT_EQ(*store_->CountSeries(), 1);
}

TEST_F(RepairTest, ADamagedIndexIsPutAsideAndMadeAgain) {
  Open();
  AddSome(0, 5);
  Close();
  std::ofstream(path() + "/index.sqlite", std::ios::binary)
      << std::string(8192, 'x');
  Open();
  EXPECT_EQ(CountReadable(5), 5);
  EXPECT_TRUE(fs::exists(path() + "/index.sqlite.damaged"));
  EXPECT_THAT(lines_, Contains(AllOf(HasSubstr("event=repaired"),
                                     HasSubstr("index.sqlite"))));
}

TEST_F(RepairTest, WhatIsBehindDamageIsFound) {
  Open();
  AddSome(0, 3);
  const auto second = store_->Get({SampleInfo(1).id});
  ASSERT_TRUE(second.ok()) << second.status();
  const Place place = second->front().place;
  Close();
  std::fstream file(SegmentPath(),
                    std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(place.offset + place.bytes - 3);
  file << '!';
  file.close();
  Open();
  const auto entries = store_->Get({SampleInfo(1).id});
  EXPECT_EQ(store_->Read(entries->front()).status().code(),
            absl::StatusCode::kDataLoss);
  EXPECT_EQ(store_->Stats()->damaged, 1);
  EXPECT_THAT(lines_, Contains(HasSubstr("event=damaged")));
  Close();
  LoseIndex();
  Open();
  EXPECT_EQ(CountReadable(3), 2);
  EXPECT_THAT(lines_,
              Contains(AllOf(HasSubstr("event=repaired"),
                             HasSubstr(absl::StrCat("offset=", place.offset)),
                             HasSubstr("payload damaged"))));
}

TEST_F(RepairTest, WhatWasRemovedStaysAway) {
  Open();
  AddSome(0, 5);
  ASSERT_TRUE(store_->Delete({SampleInfo(1).id, SampleInfo(4).id}).ok());
  // As it would be found if the power failed now.
  fs::copy(path(), directory_.path() + "/found", fs::copy_options::recursive);
  Close();
  fs::remove_all(path());
  fs::rename(directory_.path() + "/found", path());
  Open();
  EXPECT_EQ(CountReadable(5), 3);
}

TEST_F(RepairTest, WhatWasBeingPackedIsPackedAnew) {
  Open();
  AddSome(0, 3);
  Close();
  const std::string segment = SegmentPath();
  const std::string packed = path() + "/segments/1.packed";
  fs::copy_file(segment, packed);
  Open();
  EXPECT_FALSE(fs::exists(packed));
  EXPECT_THAT(lines_, ElementsAre(HasSubstr("packing was not finished")));
  EXPECT_EQ(CountReadable(3), 3);
}

TEST_F(RepairTest, ProfilesOfASegmentThatIsGoneAreNoneAnyMore) {
  Open();
  AddSome(0, 3);
  Close();
  fs::remove(SegmentPath());
  Open();
  EXPECT_THAT(lines_, ElementsAre(AllOf(HasSubstr("profiles=3"),
                                        HasSubstr("segment is gone"))));
  EXPECT_EQ(CountReadable(3), 0);
  AddSome(0, 3);
  EXPECT_EQ(CountReadable(3), 3);
}

TEST_F(RepairTest, DictionariesOutliveTheIndex) {
  Open();
  // Alike, so that one is worth its size.
  const std::string alike = SampleMessage(1, 20'000);
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(store_->Add({SampleInfo(i), alike, GzipOf(alike)}).ok());
  }
  Open();
  ASSERT_TRUE(store_->KeepHouse().ok());
  EXPECT_FALSE(fs::is_empty(path() + "/dictionaries"));
  Close();
  LoseIndex();
  Open();
  const auto found = FindAll(*store_);
  ASSERT_THAT(found, SizeIs(20));
  for (const IndexEntry& entry : found) {
    EXPECT_LT(entry.place.bytes, 500);
    EXPECT_EQ(store_->Read(entry).value_or(""), alike);
  }
}

}  // namespace
}  // namespace wallprof::store
