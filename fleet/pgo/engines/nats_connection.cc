#include "fleet/pgo/engines/nats_connection.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace wallprof::pgo {
namespace {

// Of one server; a place far away answers in a tenth of it.
constexpr absl::Duration kConnectTimeout = absl::Seconds(2);

// Between attempts to connect again. A server that restarts is back in a second
// or a few, and is not hurt by being asked.
constexpr absl::Duration kReconnectWait = absl::Milliseconds(100);
constexpr absl::Duration kReconnectJitter = absl::Milliseconds(100);

// A server that vanished without a word is noticed in about 15 seconds.
constexpr absl::Duration kPingInterval = absl::Seconds(5);
constexpr int kMaxPings = 2;

// Between attempts of a call, doubled each time.
constexpr absl::Duration kFirstGap = absl::Milliseconds(20);
constexpr absl::Duration kLongestGap = absl::Milliseconds(500);

struct DestroyOptions {
  void operator()(natsOptions* options) const { natsOptions_Destroy(options); }
};
using Options = std::unique_ptr<natsOptions, DestroyOptions>;

// Else the library prints them. What fails is seen by the call that fails.
void IgnoreError(natsConnection*, natsSubscription*, natsStatus, void*) {}

absl::StatusCode CodeOf(natsStatus status) {
  switch (status) {
    case NATS_IO_ERROR:
    case NATS_PROTOCOL_ERROR:
    case NATS_CONNECTION_CLOSED:
    case NATS_CONNECTION_DISCONNECTED:
    case NATS_NO_SERVER:
    case NATS_STALE_CONNECTION:
    case NATS_NOT_YET_CONNECTED:
    case NATS_NO_RESPONDERS:
    case NATS_TIMEOUT:
    case NATS_SSL_ERROR:
    case NATS_SYS_ERROR:
    case NATS_INSUFFICIENT_BUFFER:
      return absl::StatusCode::kUnavailable;
    case NATS_CONNECTION_AUTH_FAILED:
    case NATS_NOT_PERMITTED:
      return absl::StatusCode::kPermissionDenied;
    case NATS_NOT_FOUND:
      return absl::StatusCode::kNotFound;
    default:
      return absl::StatusCode::kFailedPrecondition;
  }
}

// Of JetStream's errors those that are not what CodeOf(status) says.
absl::StatusCode CodeOf(jsErrCode code, natsStatus status) {
  switch (code) {
    case JSStreamWrongLastSequenceErr:
      return absl::StatusCode::kAborted;
    case JSStreamNotFoundErr:
    case JSConsumerNotFoundErr:
    case JSNoMessageFoundErr:
      return absl::StatusCode::kNotFound;
    // What a server, a cluster or a disk says that may be better soon.
    case JSClusterNoPeersErr:
    case JSClusterNotActiveErr:
    case JSClusterNotAvailErr:
    case JSClusterNotLeaderErr:
    case JSClusterIncompleteErr:
    case JSInsufficientResourcesErr:
    case JSMemoryResourcesExceededErr:
    case JSStorageResourcesExceededErr:
    case JSAccountResourcesExceededErr:
    case JSStreamStoreFailedErr:
    case JSRaftGeneralErr:
      return absl::StatusCode::kUnavailable;
    default:
      return CodeOf(status);
  }
}

natsStatus SetCredentials(const NatsServers& servers, natsOptions* options) {
  natsStatus status = NATS_OK;
  if (!servers.credentials_file.empty()) {
    status = natsOptions_SetUserCredentialsFromFiles(
        options, servers.credentials_file.c_str(), nullptr);
  } else if (!servers.user.empty()) {
    status = natsOptions_SetUserInfo(options, servers.user.c_str(),
                                     servers.password.c_str());
  } else if (!servers.token.empty()) {
    status = natsOptions_SetToken(options, servers.token.c_str());
  }
  if (status == NATS_OK && (servers.tls || !servers.ca_file.empty())) {
    status = natsOptions_SetSecure(options, true);
  }
  if (status == NATS_OK && !servers.ca_file.empty()) {
    status =
        natsOptions_LoadCATrustedCertificates(options, servers.ca_file.c_str());
  }
  if (status == NATS_OK && !servers.certificate_file.empty()) {
    status = natsOptions_LoadCertificatesChain(
        options, servers.certificate_file.c_str(), servers.key_file.c_str());
  }
  return status;
}

natsStatus SetOptions(const NatsServers& servers, natsOptions* options) {
  std::vector<const char*> urls;
  for (const std::string& url : servers.urls) urls.push_back(url.c_str());
  const natsStatus statuses[] = {
      natsOptions_SetServers(options, urls.data(),
                             static_cast<int>(urls.size())),
      natsOptions_SetName(options, "wallprof"),
      natsOptions_SetTimeout(options,
                             absl::ToInt64Milliseconds(kConnectTimeout)),
      natsOptions_SetMaxReconnect(options, -1),
      natsOptions_SetReconnectWait(options,
                                   absl::ToInt64Milliseconds(kReconnectWait)),
      natsOptions_SetReconnectJitter(
          options, absl::ToInt64Milliseconds(kReconnectJitter),
          absl::ToInt64Milliseconds(kReconnectJitter)),
      natsOptions_SetPingInterval(options,
                                  absl::ToInt64Milliseconds(kPingInterval)),
      natsOptions_SetMaxPingsOut(options, kMaxPings),
      natsOptions_SetFailRequestsOnDisconnect(options, true),
      natsOptions_SetErrorHandler(options, IgnoreError, nullptr)};
  const auto wrong =
      std::find_if(std::begin(statuses), std::end(statuses),
                   [](natsStatus status) { return status != NATS_OK; });
  return wrong != std::end(statuses) ? *wrong
                                     : SetCredentials(servers, options);
}

// The library's own words for what went wrong last on this thread.
std::string LastWords(natsStatus status) {
  natsStatus last = NATS_OK;
  const char* words = nats_GetLastError(&last);
  return words != nullptr && *words != '\0' && last == status
             ? words
             : natsStatus_GetText(status);
}

}  // namespace

jsOptions OptionsOf(absl::Duration wait) {
  jsOptions options;
  jsOptions_Init(&options);
  options.Wait = absl::ToInt64Milliseconds(wait);
  return options;
}

NatsSession::~NatsSession() {
  jsCtx_Destroy(streams_);
  natsConnection_Destroy(connection_);
}

bool NatsSession::IsConnected() const {
  return natsConnection_Status(connection_) == NATS_CONN_STATUS_CONNECTED;
}

uint64_t NatsSession::reconnects() const {
  natsStatistics* statistics = nullptr;
  uint64_t reconnects = 0;
  if (natsStatistics_Create(&statistics) == NATS_OK &&
      natsConnection_GetStats(connection_, statistics) == NATS_OK) {
    natsStatistics_GetCounts(statistics, nullptr, nullptr, nullptr, nullptr,
                             &reconnects);
  }
  natsStatistics_Destroy(statistics);
  return reconnects;
}

absl::Status NatsConnection::Error(absl::StatusCode code,
                                   std::string_view why) const {
  return {code, absl::StrCat(servers_.place, ": ",
                             absl::string_view(why.data(), why.size()))};
}

absl::StatusOr<std::shared_ptr<NatsSession>> NatsConnection::Connect() const {
  natsOptions* made = nullptr;
  natsStatus status = natsOptions_Create(&made);
  const Options options(made);
  if (status == NATS_OK) status = SetOptions(servers_, made);
  if (status != NATS_OK) {
    return Error(absl::StatusCode::kFailedPrecondition, LastWords(status));
  }
  natsConnection* connection = nullptr;
  status = natsConnection_Connect(&connection, made);
  if (status != NATS_OK) return Error(CodeOf(status), LastWords(status));
  jsCtx* streams = nullptr;
  status = natsConnection_JetStream(&streams, connection, nullptr);
  auto session = std::make_shared<NatsSession>(connection, streams);
  if (status != NATS_OK) return Error(CodeOf(status), LastWords(status));
  return session;
}

absl::StatusOr<std::unique_ptr<NatsConnection>> NatsConnection::Open(
    NatsServers servers, absl::Duration patience) {
  std::unique_ptr<NatsConnection> opened(
      new NatsConnection(std::move(servers)));
  const absl::Status connected = opened->Insist(
      patience, [](NatsSession&, absl::Duration) { return absl::OkStatus(); });
  if (!connected.ok()) return connected;
  return opened;
}

absl::StatusOr<std::shared_ptr<NatsSession>> NatsConnection::Session() {
  std::lock_guard lock(mutex_);
  if (session_ == nullptr || natsConnection_IsClosed(session_->connection())) {
    session_ = nullptr;
    auto connected = Connect();
    if (!connected.ok()) return connected.status();
    session_ = *std::move(connected);
  }
  return session_;
}

absl::Status NatsConnection::Insist(absl::Duration patience, Once once) {
  const absl::Time end = absl::Now() + patience;
  absl::Duration gap = kFirstGap;
  for (;;) {
    absl::Status status = [&] {
      const auto session = Session();
      if (!session.ok()) return session.status();
      if (!(*session)->IsConnected()) {
        return Error(absl::StatusCode::kUnavailable, "not connected");
      }
      return once(**session,
                  std::clamp(end - absl::Now(), kFirstGap, kAnswerTimeout));
    }();
    if (!absl::IsUnavailable(status) || absl::Now() + gap > end) return status;
    absl::SleepFor(gap);
    gap = std::min(2 * gap, kLongestGap);
  }
}

absl::Status NatsConnection::ErrorOf(NatsSession& session, natsStatus status,
                                     jsErrCode code,
                                     std::string_view doing) const {
  const absl::string_view view(doing.data(), doing.size());
  if (status == NATS_TIMEOUT) {
    // What is not allowed is not answered; it is told beside.
    const char* told = nullptr;
    natsConnection_GetLastError(session.connection(), &told);
    if (told != nullptr && absl::StrContains(told, "Permissions Violation")) {
      return Error(absl::StatusCode::kPermissionDenied,
                   absl::StrCat(view, ": ", told));
    }
  }
  if (status == NATS_NO_RESPONDERS) {
    return Error(absl::StatusCode::kUnavailable,
                 absl::StrCat(view, ": nobody answers; JetStream must be on"));
  }
  return Error(CodeOf(code, status),
               absl::StrCat(view, ": ", LastWords(status)));
}

}  // namespace wallprof::pgo
