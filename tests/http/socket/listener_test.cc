#include "http/socket/listener.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "tests/http/server/serving.h"

namespace wallprof::http {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class ListenerTest : public Serving {};

TEST_F(ListenerTest, AnswersOverIpv6) {
  absl::StatusOr<std::unique_ptr<Server>> server = Open("[::1]:0");
  if (!server.ok()) GTEST_SKIP() << "no IPv6 here: " << server.status();
  EXPECT_THAT((*server)->url(), StartsWith("http://[::1]:"));
}

TEST_F(ListenerTest, PortInUseIsNamed) {
  Serve();
  std::string address = absl::StrCat("127.0.0.1:", server_->port());
  absl::Status status = Open(address).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr(address), HasSubstr("in use")));
}

TEST_F(ListenerTest, UnreadableAddressIsInvalid) {
  EXPECT_EQ(Open("nowhere").status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(ListenerTest, AnAddressOfAnotherMachineIsTheSystemsError) {
  absl::Status status = Open("192.0.2.1:0").status();
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("192.0.2.1:0"), HasSubstr("Cannot assign")));
}

class UnixListenerTest : public Serving {
 protected:
  UnixListenerTest() { std::filesystem::remove_all(path_); }
  ~UnixListenerTest() override { std::filesystem::remove_all(path_); }

  const std::string path_ =
      absl::StrCat(::testing::TempDir(), "wallprof-", getpid(), ".sock");
  const std::string address_ = "unix:" + path_;
};

TEST_F(UnixListenerTest, AnswersAndRemovesItsSocket) {
  Serve(address_);
  EXPECT_EQ(server_->port(), 0);
  EXPECT_EQ(server_->url(), address_);
  RawClient client(path_);
  client.Send("GET /stats HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(StatusOf(client.ReceiveAll()), 200);
  server_->Stop();
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(UnixListenerTest, SocketThatAnswersIsInUse) {
  Serve(address_);
  EXPECT_EQ(Open(address_).status().code(), absl::StatusCode::kAlreadyExists);
  RawClient client(path_);
  client.Send("GET /stats HTTP/1.0\r\n\r\n");
  EXPECT_EQ(StatusOf(client.ReceiveAll()), 200);
}

TEST_F(UnixListenerTest, SocketLeftBehindIsReplaced) {
  std::string kept = path_ + ".kept";
  Serve(address_);
  std::filesystem::rename(path_, kept);  // so that it outlives its server
  server_->Stop();
  std::filesystem::rename(kept, path_);
  Serve(address_);
  RawClient client(path_);
  client.Send("GET /stats HTTP/1.0\r\n\r\n");
  EXPECT_EQ(StatusOf(client.ReceiveAll()), 200);
}

TEST_F(UnixListenerTest, FileThatIsNoSocketIsKept) {
  std::ofstream(path_) << "precious";
  absl::Status status = Open(address_).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(status.message()), HasSubstr("no socket"));
  EXPECT_EQ(std::filesystem::file_size(path_), 8u);
}

TEST_F(UnixListenerTest, AnothersSocketIsNotRemoved) {
  Serve(address_);
  std::filesystem::remove(path_);
  std::ofstream(path_) << "another's";
  server_->Stop();
  EXPECT_TRUE(std::filesystem::exists(path_));
}

}  // namespace
}  // namespace wallprof::http
