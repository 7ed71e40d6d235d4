// What is written and read: labels, parcels, URLs, answers, lines of the log.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "fleet/agent/http_message.h"
#include "fleet/agent/labels.h"
#include "fleet/agent/parcel.h"
#include "fleet/agent/url.h"
#include "tests/fleet/agent/fuzzing.h"

namespace wallprof::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

// --- labels ------------------------------------------------------------------

TEST(LabelsTest, AreEscapedForTheSecondUnescaping) {
  const AgentLabels labels = {{"version", "1.0.0"},
                              {"a=b", "c,d e+f%/\xc3\xa4"}};
  const std::string text = FormatLabels(labels);
  EXPECT_EQ(text, "version=1.0.0,a%3Db=c%2Cd%20e%2Bf%25%2F%C3%A4");
  EXPECT_EQ(ParseLabels(text), labels);
}

TEST(LabelsTest, AreReadAsTheCollectorReadsThem) {
  EXPECT_THAT(ParseLabels(",, a = b ,=lost,c=d=e,f,g=1+2,h=%zz"),
              ElementsAre(Pair("a", "b"), Pair("c", "d=e"), Pair("f", ""),
                          Pair("g", "1 2"), Pair("h", "%zz")));
  EXPECT_THAT(ParseLabels(""), IsEmpty());
}

TEST(LabelsTest, ThoseWithoutAValueAreLeftOut) {
  EXPECT_THAT(WithoutEmpty({{"a", ""}, {"b", "c"}}),
              ElementsAre(Pair("b", "c")));
  EXPECT_TRUE(HasLabel({{"a", ""}}, "a"));
  EXPECT_FALSE(HasLabel({{"a", ""}}, "b"));
}

// --- parcels -----------------------------------------------------------------

Parcel SomeParcel() {
  return {"id-1",
          "svc",
          "wall",
          {{"k", "v,=&\n"}},
          absl::FromUnixNanos(1'700'000'000'123'456'789),
          std::string("a\nb\0c", 5)};
}

TEST(ParcelTest, SurvivesItsFile) {
  const Parcel parcel = SomeParcel();
  const auto read = DecodeParcel(EncodeParcel(parcel));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->id, parcel.id);
  EXPECT_EQ(read->service, parcel.service);
  EXPECT_EQ(read->type, parcel.type);
  EXPECT_EQ(read->labels, parcel.labels);
  EXPECT_EQ(read->created_at, parcel.created_at);
  EXPECT_EQ(read->body, parcel.body);
}

TEST(ParcelTest, EveryCutAndEveryChangedByteIsNoticed) {
  const std::string bytes = EncodeParcel(SomeParcel());
  for (size_t i = 0; i < bytes.size(); ++i) {
    EXPECT_TRUE(absl::IsDataLoss(DecodeParcel(bytes.substr(0, i)).status()));
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_TRUE(absl::IsDataLoss(DecodeParcel(changed).status())) << i;
  }
  EXPECT_TRUE(absl::IsDataLoss(DecodeParcel(bytes + "x").status()));
}

TEST(ParcelTest, OtherFilesAndOtherVersionsAreSaidToBeThat) {
  EXPECT_THAT(DecodeParcel("PNG\n").status().message(),
              HasSubstr("no profile of an agent"));
  std::string next = EncodeParcel(SomeParcel());
  next.replace(next.find(" 1 "), 3, " 2 ");
  EXPECT_THAT(DecodeParcel(next).status().message(), HasSubstr("version 2"));
  EXPECT_THAT(DecodeParcel(FrameParcel("id=1&type=cpu", "")).status().message(),
              HasSubstr("lacks its id, service"));
}

// --- URLs --------------------------------------------------------------------

TEST(UrlTest, HasItsParts) {
  const auto url = ParseUrl("http://collector:10100/base/api?x=1");
  ASSERT_TRUE(url.ok()) << url.status();
  EXPECT_EQ(url->host, "collector");
  EXPECT_EQ(url->port, "10100");
  EXPECT_EQ(url->target, "/base/api?x=1");
  EXPECT_EQ(url->authority, "collector:10100");
  EXPECT_EQ(ParseUrl("HTTPS://[::1]")->host, "::1");
  EXPECT_EQ(ParseUrl("https://[::1]")->port, "443");
  EXPECT_EQ(ParseUrl("http://h")->target, "/");
  EXPECT_EQ(ParseUrl("http://h?a=b")->target, "/?a=b");
}

TEST(UrlTest, SaysWhatIsWrong) {
  for (const char* wrong :
       {"collector:10100", "ftp://c", "http://", "http://:80",
        "http://c:", "http://c:0", "http://c:65536", "http://c:8x",
        "http://u:p@c", "http://c/#f", "http://c /", "http://c\r\nX: y",
        "http://[::1", "http://[::1]x"}) {
    const auto url = ParseUrl(wrong);
    EXPECT_TRUE(absl::IsInvalidArgument(url.status())) << wrong;
    EXPECT_THAT(url.status().message(), HasSubstr("\"")) << wrong;
  }
}

// --- answers -----------------------------------------------------------------

AnswerReader::State ReadAll(AnswerReader& reader, std::string_view bytes) {
  reader.Add(bytes);
  return reader.End();
}

TEST(AnswerTest, ByLengthByChunksAndToTheEnd) {
  for (const char* bytes :
       {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b \r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\nx-a: b\r\n\r\n"
        "2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n",
        "HTTP/1.0 200 OK\r\nX-a: b\r\n\r\nhello",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nx-a: b\r\n"
        "Content-Length: 5\r\n\r\nhello"}) {
    AnswerReader reader;
    EXPECT_EQ(ReadAll(reader, bytes), AnswerReader::State::kWhole) << bytes;
    EXPECT_EQ(reader.status(), 200);
    EXPECT_EQ(reader.body(), "hello");
    EXPECT_EQ(reader.headers().at("x-a"), "b");
  }
}

TEST(AnswerTest, WithoutABody) {
  AnswerReader reader;
  EXPECT_EQ(reader.Add("HTTP/1.1 204 No Content\r\n\r\n"),
            AnswerReader::State::kWhole);
}

TEST(AnswerTest, WhatIsCutShortOrNoneIsWrong) {
  for (const char* bytes :
       {"", "HTTP/1.1 200", "SSH-2.0-OpenSSH\r\n\r\n",
        "HTTP/1.1 999 No\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    AnswerReader reader;
    EXPECT_EQ(ReadAll(reader, bytes), AnswerReader::State::kWrong) << bytes;
    EXPECT_THAT(reader.error(), HasSubstr(" "));
  }
}

TEST(AnswerTest, IsBounded) {
  AnswerReader head;
  EXPECT_EQ(head.Add("HTTP/1.1 200 OK\r\n" + std::string(100'000, 'a')),
            AnswerReader::State::kWrong);
  AnswerReader announced;
  EXPECT_EQ(
      announced.Add("HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n"),
      AnswerReader::State::kWrong);
  AnswerReader endless;
  endless.Add("HTTP/1.1 200 OK\r\n\r\n");
  AnswerReader::State state = AnswerReader::State::kMore;
  size_t sent = 0;
  while (state == AnswerReader::State::kMore) {
    state = endless.Add(std::string(1 << 20, 'x'));
    sent += 1 << 20;
  }
  EXPECT_EQ(state, AnswerReader::State::kWrong);
  EXPECT_LE(sent, kMaxAnswerBytes + (1 << 20));
}

TEST(RequestTest, IsOneOfHttp) {
  AgentRequest request;
  request.method = "POST";
  request.headers["A"] = "b";
  request.body = "12345";
  EXPECT_EQ(RequestHead(request, *ParseUrl("http://c:1/p?q=r")),
            "POST /p?q=r HTTP/1.1\r\nHost: c:1\r\nConnection: close\r\n"
            "Content-Length: 5\r\nA: b\r\n\r\n");
}

// --- corpora -----------------------------------------------------------------

std::string BytesOf(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

TEST(CorpusTest, HoldsWhatTheFuzzersCheck) {
  int files = 0;
  const std::pair<const char*, void (*)(std::string_view)> checks[] = {
      {"labels", CheckLabelBytes},
      {"parcel", CheckParcelBytes},
      {"http_answer", CheckAnswerBytes}};
  for (const auto& [name, check] : checks) {
    for (const auto& file : std::filesystem::directory_iterator(
             std::filesystem::path(CORPUS) / name)) {
      check(BytesOf(file.path()));
      ++files;
    }
  }
  EXPECT_GE(files, 9);
}

}  // namespace
}  // namespace wallprof::agent
