#include "http/server/server.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/http/server/serving.h"

namespace wallprof::http {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kMeasure[] =
    "GET /?seconds=10 HTTP/1.1\r\nHost: localhost\r\n\r\n";

class ServerTest : public Serving {};

// What a descriptor of this process is, as /proc shows it.
std::vector<int> OpenSockets() {
  std::vector<int> sockets;
  for (int number = 0; number < 1024; ++number) {
    struct stat found;
    if (fstat(number, &found) == 0 && S_ISSOCK(found.st_mode)) {
      sockets.push_back(number);
    }
  }
  return sockets;
}

TEST_F(ServerTest, AnswersOverTcp) {
  Serve();
  EXPECT_GT(server_->port(), 0);
  EXPECT_EQ(server_->url(),
            absl::StrCat("http://127.0.0.1:", server_->port(), "/"));
  std::string response = Get(server_->port(), "/?seconds=1");
  EXPECT_THAT(response,
              AllOf(StartsWith("HTTP/1.1 200 OK\r\n"),
                    HasSubstr("\r\nConnection: close\r\n"),
                    HasSubstr("\r\nContent-Type: text/plain; charset=utf-8"),
                    EndsWith("\r\n\r\nmain;nap() 2000\nmain;work() 3000\n")));
}

TEST_F(ServerTest, RefusalsOfTheHandlerArriveWhole) {
  Serve();
  std::string response = Get(server_->port(), "/?seconds=x");
  EXPECT_THAT(response, AllOf(StartsWith("HTTP/1.1 400 "),
                              HasSubstr("\r\nX-Go-Pprof: 1\r\n"),
                              HasSubstr("'seconds' must be")));
  EXPECT_EQ(StatusOf(Get(server_->port(), "/none")), 404);
  response = Exchange("DELETE /stats HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(response, AllOf(StartsWith("HTTP/1.1 405 "),
                              HasSubstr("\r\nAllow: GET, HEAD\r\n")));
  response = Exchange("GET /stats HTTP/1.1\r\nHost: evil.example\r\n\r\n");
  EXPECT_THAT(response, StartsWith("HTTP/1.1 403 "));
  // Two hosts, one of which would do.
  response = Exchange(
      "GET /stats HTTP/1.1\r\nHost: evil.example\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(response, StartsWith("HTTP/1.1 403 "));
}

TEST_F(ServerTest, SixteenLongRequestsHoldUpNobody) {
  Serve();
  source_.Hold();
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 16; ++i) {
    clients.push_back(std::make_unique<RawClient>(server_->port()));
    ASSERT_TRUE(clients.back()->Send(kMeasure));
  }
  source_.AwaitHeld(16);
  EXPECT_EQ(StatusOf(Get(server_->port(), "/stats?format=json")), 200);
  EXPECT_EQ(StatusOf(Get(server_->port(), "/threads")), 200);
  source_.Release();
  for (std::unique_ptr<RawClient>& client : clients) {
    EXPECT_EQ(StatusOf(client->ReceiveAll()), 200);
  }
}

TEST_F(ServerTest, MeasurementsBeyondTheLimitGet503WhilePagesStillCome) {
  options_.max_measurements = 2;
  Serve();
  source_.Hold();
  RawClient first(server_->port()), second(server_->port());
  ASSERT_TRUE(first.Send(kMeasure) && second.Send(kMeasure));
  source_.AwaitHeld(2);
  EXPECT_THAT(Get(server_->port(), "/?seconds=1"),
              AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("Retry-After: ")));
  EXPECT_EQ(StatusOf(Get(server_->port(), "/stats")), 200);
  source_.Release();
}

TEST_F(ServerTest, AClientThatLeavesFreesItsRequest) {
  options_.max_measurements = 1;
  Serve();
  source_.Hold();
  {
    RawClient client(server_->port());
    ASSERT_TRUE(client.Send(kMeasure));
    source_.AwaitHeld(1);
  }
  source_.AwaitCancelled(1);
  source_.Release();
  // The slot is given back right after; until then 503 is the answer.
  std::string response;
  do {
    response = Get(server_->port(), "/?seconds=1");
  } while (StatusOf(response) == 503);
  EXPECT_EQ(StatusOf(response), 200);
}

TEST_F(ServerTest, StopEndsRequestsOfEveryKind) {
  Serve();
  source_.Hold();
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 8; ++i) {
    clients.push_back(std::make_unique<RawClient>(server_->port()));
    ASSERT_TRUE(clients.back()->Send(kMeasure));
  }
  source_.AwaitHeld(8);
  RawClient silent(server_->port());
  RawClient halfway(server_->port());
  ASSERT_TRUE(halfway.Send("GET /stats HT"));
  int port = server_->port();
  server_->Stop();
  source_.AwaitCancelled(8);
  for (std::unique_ptr<RawClient>& client : clients) {
    EXPECT_EQ(StatusOf(client->ReceiveAll()), 503);
  }
  EXPECT_NE(StatusOf(halfway.ReceiveAll()), 200);
  EXPECT_NE(StatusOf(silent.ReceiveAll()), 200);
  // The port is free again, at once.
  absl::StatusOr<std::unique_ptr<Server>> next =
      Open(absl::StrCat("127.0.0.1:", port));
  EXPECT_TRUE(next.ok()) << next.status();
  server_->Stop();
}

TEST_F(ServerTest, StopMayComeFromSeveralThreads) {
  Serve();
  std::thread other([this] { server_->Stop(); });
  server_->Stop();
  other.join();
  EXPECT_FALSE(RawClient(server_->port()).Send("x"));
}

TEST_F(ServerTest, StopWorksWithoutAThreadToSpare) {
  Serve();
  RawClient halfway(server_->port());
  ASSERT_TRUE(halfway.Send("GET /stats HT"));
  AllowThreads(false);
  server_->Stop();
  EXPECT_NE(StatusOf(halfway.ReceiveAll()), 200);
}

TEST_F(ServerTest, WithoutAThreadForThemConnectionsAreRefused) {
  Serve();
  AllowThreads(false);
  EXPECT_THAT(Get(server_->port(), "/stats"),
              AllOf(StartsWith("HTTP/1.1 503 Service Unavailable\r\n"),
                    HasSubstr("\r\nRetry-After: "),
                    HasSubstr("\r\nX-Go-Pprof: 1\r\n")));
  AllowThreads(true);
  EXPECT_EQ(StatusOf(Get(server_->port(), "/stats")), 200);
}

TEST_F(ServerTest, WithoutAnyThreadServingFails) {
  AllowThreads(false);
  EXPECT_EQ(Open("127.0.0.1:0").status().code(),
            absl::StatusCode::kResourceExhausted);
}

TEST_F(ServerTest, IdleThreadsAreUsedAgain) {
  Serve();
  for (int i = 0; i < 40; ++i) {
    EXPECT_EQ(StatusOf(Get(server_->port(), "/stats")), 200);
  }
  // One that accepts, one that answers; a second where a connection came
  // before the last one's thread was through with it.
  EXPECT_LE(threads_made(), 10u);
}

TEST_F(ServerTest, ConnectionsBeyondThreadsAndLineAreRefused) {
  options_.max_measurements = 1;
  Serve();
  // 17 threads and 64 places in line, all taken by clients that say nothing.
  // As many again as there are places: those that came before a thread had
  // taken the first are refused themselves.
  std::vector<std::unique_ptr<RawClient>> silent;
  for (int i = 0; i < 17 + 64 + 64; ++i) {
    silent.push_back(std::make_unique<RawClient>(server_->port()));
  }
  std::string response = Get(server_->port(), "/stats");
  EXPECT_THAT(response,
              AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("Retry-After: ")));
}

TEST_F(ServerTest, LeavesTheProgramsSigpipeAlone) {
  auto own = [](int) {};
  struct sigaction before = {}, mine = {}, after = {};
  mine.sa_handler = own;
  sigaction(SIGPIPE, &mine, &before);
  Serve();
  EXPECT_EQ(StatusOf(Get(server_->port(), "/stats")), 200);
  server_->Stop();
  sigaction(SIGPIPE, &before, &after);
  EXPECT_EQ(after.sa_handler, static_cast<void (*)(int)>(own));
}

TEST_F(ServerTest, SocketsCloseOnExecAndAreAllClosedInTheEnd) {
  std::vector<int> before = OpenSockets();
  Serve();
  source_.Hold();
  // The client's own end is the one without the flag.
  RawClient client(server_->port());
  client.Send(kMeasure);
  source_.AwaitHeld(1);
  int inherited = 0;
  for (int number : OpenSockets()) {
    if ((fcntl(number, F_GETFD) & FD_CLOEXEC) == 0) ++inherited;
  }
  EXPECT_EQ(OpenSockets().size(), before.size() + 3);
  EXPECT_EQ(inherited, static_cast<int>(before.size()) + 1);
  server_->Stop();
  EXPECT_EQ(OpenSockets().size(), before.size() + 1);
}

// go tool pprof, as its users run it.
TEST_F(ServerTest, GoToolPprofReadsTheProfiles) {
  if (std::system("go version > /dev/null 2>&1") != 0) {
    GTEST_SKIP() << "no go here";
  }
  Serve();
  auto top = [this](const std::string& target) {
    std::string command = absl::StrCat(
        "PPROF_TMPDIR=", ::testing::TempDir(), " go tool pprof -top 'http://",
        "127.0.0.1:", server_->port(), target, "' 2>&1");
    std::string output;
    FILE* pipe = popen(command.c_str(), "r");
    char chunk[4096];
    while (size_t count = fread(chunk, 1, sizeof(chunk), pipe)) {
      output.append(chunk, count);
    }
    pclose(pipe);
    return output;
  };
  EXPECT_THAT(
      top("/debug/pprof/wall?seconds=1"),
      AllOf(HasSubstr("Type: wall"), HasSubstr("work"), HasSubstr("nap")));
  EXPECT_THAT(
      top("/debug/pprof/profile?seconds=1"),
      AllOf(HasSubstr("Type: cpu"), HasSubstr("work"), Not(HasSubstr("nap"))));
  EXPECT_THAT(top("/debug/pprof/wall?seconds=1&hz=0"),
              HasSubstr("'hz' must be"));
}

}  // namespace
}  // namespace wallprof::http
