// Sends profiles to a collector at a given rate, as a fleet would, and says how
// long each took until it was acknowledged.
//
//   load --port 10100 --run a --rate 1000 --seconds 60 PROFILE...
//
// The times are counted from when a profile was due, so that waiting for those
// before it counts too. Prints one line of JSON.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace {

struct Options {
  std::string host = "127.0.0.1";
  int port = 10100;
  double rate = 0;  // a second; 0: each connection sends without a pause
  double seconds = 10;
  int connections = 16;
  int services = 10;
  int instances = 30;
  std::string run;  // makes ids differ from those of other runs
  std::vector<std::string> files;
};

// What one connection saw.
struct Seen {
  std::vector<double> milliseconds;  // of those acknowledged
  std::map<int, int64_t> refused;    // by status; 0: no answer
  int64_t bytes = 0;
};

class Sender {
 public:
  Sender(const Options& options, const std::vector<std::string>& profiles)
      : options_(options), profiles_(profiles) {
    address_.sin_family = AF_INET;
    address_.sin_port = htons(static_cast<uint16_t>(options.port));
    inet_pton(AF_INET, options.host.c_str(), &address_.sin_addr);
  }

  // Sends profiles whose turn `next` gives until time is up.
  void Run(std::atomic<int64_t>& next, absl::Time start) {
    const absl::Time end = start + absl::Seconds(options_.seconds);
    for (;;) {
      const int64_t number = next++;
      absl::Time due = absl::Now();
      if (options_.rate > 0) {
        due = start + absl::Seconds(number / options_.rate);
        if (due >= end) return;
        absl::SleepFor(due - absl::Now());
      } else if (due >= end) {
        return;
      }
      const int status = Send(number, start);
      if (status == 200) {
        seen_.milliseconds.push_back(
            absl::ToDoubleMilliseconds(absl::Now() - due));
      } else {
        ++seen_.refused[status];
      }
    }
  }

  const Seen& seen() const { return seen_; }

 private:
  int Send(int64_t number, absl::Time start) {
    const int64_t instance = number % (options_.services * options_.instances);
    const std::string& body = profiles_[number % profiles_.size()];
    const std::string head = absl::StrCat(
        "POST /api/0/profiles?service=service-", instance / options_.instances,
        "&type=wall&labels=instance%3D", instance,
        "&created_at=", absl::ToUnixSeconds(start) + number / 1000,
        " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        "X-Wallprof-Profile-Id: ",
        options_.run, "-", number, "\r\nContent-Length: ", body.size(),
        "\r\n\r\n");
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int status = 0;
    if (connect(socket, reinterpret_cast<const sockaddr*>(&address_),
                sizeof(address_)) == 0 &&
        SendAll(socket, head) && SendAll(socket, body)) {
      status = ReadStatus(socket);
    }
    close(socket);
    seen_.bytes += static_cast<int64_t>(body.size());
    return status;
  }

  static bool SendAll(int socket, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent =
          send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }

  // Reads the answer to its end.
  static int ReadStatus(int socket) {
    std::string answer;
    char chunk[4096];
    ssize_t count = 0;
    while ((count = recv(socket, chunk, sizeof(chunk), 0)) > 0) {
      answer.append(chunk, static_cast<size_t>(count));
    }
    int status = 0;
    return std::sscanf(answer.c_str(), "HTTP/1.1 %d", &status) == 1 ? status
                                                                    : 0;
  }

  const Options& options_;
  const std::vector<std::string>& profiles_;
  sockaddr_in address_ = {};
  Seen seen_;
};

double Quantile(const std::vector<double>& sorted, double q) {
  if (sorted.empty()) return 0;
  return sorted[static_cast<size_t>(q *
                                    static_cast<double>(sorted.size() - 1))];
}

void Print(const std::vector<Sender>& senders, absl::Duration took) {
  std::vector<double> all;
  std::map<int, int64_t> refused;
  int64_t bytes = 0;
  for (const Sender& sender : senders) {
    const Seen& seen = sender.seen();
    all.insert(all.end(), seen.milliseconds.begin(), seen.milliseconds.end());
    for (const auto& [status, count] : seen.refused) refused[status] += count;
    bytes += seen.bytes;
  }
  std::sort(all.begin(), all.end());
  std::string text;
  for (const auto& [status, count] : refused) {
    absl::StrAppend(&text, text.empty() ? "" : ",", "\"", status, "\":", count);
  }
  const double seconds = absl::ToDoubleSeconds(took);
  std::printf(
      "{\"acknowledged\":%zu,\"rate\":%.1f,\"mb_per_second\":%.1f,"
      "\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"max_ms\":%.2f,\"refused\":{%s}}\n",
      all.size(), static_cast<double>(all.size()) / seconds,
      static_cast<double>(bytes) / 1e6 / seconds, Quantile(all, 0.5),
      Quantile(all, 0.99), Quantile(all, 1), text.c_str());
}

int Run(const Options& options) {
  std::vector<std::string> profiles;
  for (const std::string& path : options.files) {
    std::ifstream file(path, std::ios::binary);
    profiles.emplace_back(std::istreambuf_iterator<char>(file),
                          std::istreambuf_iterator<char>());
    if (profiles.back().empty()) {
      std::fprintf(stderr, "load: %s cannot be read or is empty\n",
                   path.c_str());
      return 1;
    }
  }
  std::vector<Sender> senders(static_cast<size_t>(options.connections),
                              Sender(options, profiles));
  std::atomic<int64_t> next{0};
  const absl::Time start = absl::Now();
  std::vector<std::thread> threads;
  for (Sender& sender : senders) {
    threads.emplace_back([&] { sender.Run(next, start); });
  }
  for (std::thread& thread : threads) thread.join();
  Print(senders, absl::Now() - start);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Sends profiles to a collector.");
  app.add_option("--host", options.host)->capture_default_str();
  app.add_option("--port", options.port)->required();
  app.add_option("--rate", options.rate, "a second; 0: as many as it takes")
      ->capture_default_str();
  app.add_option("--seconds", options.seconds)->capture_default_str();
  app.add_option("--connections", options.connections)->capture_default_str();
  app.add_option("--services", options.services)->capture_default_str();
  app.add_option("--instances", options.instances, "of each service")
      ->capture_default_str();
  app.add_option("--run", options.run, "part of the ids")->required();
  app.add_option("files", options.files, "gzipped profiles")->required();
  CLI11_PARSE(app, argc, argv);
  return Run(options);
}
