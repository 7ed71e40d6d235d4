#include "fleet/pgo/versions/nats_versions.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "fleet/pgo/names.h"
#include "fleet/pgo/uuid.h"

namespace wallprof::pgo {
namespace {

constexpr absl::Duration kCheckPatience = absl::Seconds(2);

struct Destroy {
  void operator()(natsMsg* message) const { natsMsg_Destroy(message); }
  void operator()(jsStreamInfo* info) const { jsStreamInfo_Destroy(info); }
  void operator()(jsPubAck* answer) const { jsPubAck_Destroy(answer); }
  void operator()(jsCtx* streams) const { jsCtx_Destroy(streams); }
  void operator()(kvStore* store) const { kvStore_Destroy(store); }
  void operator()(kvWatcher* watcher) const { kvWatcher_Destroy(watcher); }
  void operator()(kvEntry* entry) const { kvEntry_Destroy(entry); }
};

absl::string_view View(std::string_view text) {
  return {text.data(), text.size()};
}

// What tools of NATS have deleted has no text left.
BaseVersion VersionOf(const void* text, int bytes, uint64_t revision) {
  return {std::string(static_cast<const char*>(text),
                      static_cast<size_t>(std::max(bytes, 0))),
          revision};
}

}  // namespace

absl::StatusOr<std::unique_ptr<BaseVersions>> NatsVersions::Open(
    NatsServers servers, std::string bucket, absl::Duration patience) {
  auto connection = NatsConnection::Open(std::move(servers), patience);
  if (!connection.ok()) return connection.status();
  std::unique_ptr<NatsVersions> versions(
      new NatsVersions(*std::move(connection), std::move(bucket), patience));
  const absl::Status ready = versions->connection_->Insist(
      patience, [&](NatsSession& session, absl::Duration wait) {
        const absl::Status there = versions->CheckBucket(session, wait);
        return absl::IsDataLoss(there) ? versions->MakeBucket(session, wait)
                                       : there;
      });
  if (!ready.ok()) return ready;
  return versions;
}

absl::Status NatsVersions::Error(NatsSession& session, natsStatus status,
                                 jsErrCode code) {
  const absl::Status error = connection_->ErrorOf(
      session, status, code, absl::StrCat("the bucket ", bucket_));
  // With it are gone the revisions that were; that cannot be made good here.
  return code == JSStreamNotFoundErr ? absl::DataLossError(absl::StrCat(
                                           error.message(), " (it is gone)"))
                                     : error;
}

// In JetStream's words, since those for buckets bound no waiting.
absl::Status NatsVersions::MakeBucket(NatsSession& session,
                                      absl::Duration wait) {
  const std::string all = SubjectOf(">");
  const char* subjects[] = {all.c_str()};
  jsStreamConfig config;
  jsStreamConfig_Init(&config);
  config.Name = stream_.c_str();
  config.Description = "Which base each application has, for wallprof pgo";
  config.Subjects = subjects;
  config.SubjectsLen = 1;
  config.Storage = js_FileStorage;
  config.Discard = js_DiscardNew;
  config.MaxMsgsPerSubject = 1;
  config.AllowRollup = true;
  config.DenyDelete = true;
  jsOptions options = OptionsOf(wait);
  jsErrCode code = static_cast<jsErrCode>(0);
  const natsStatus status =
      js_AddStream(nullptr, session.streams(), &config, &options, &code);
  return status == NATS_OK ? absl::OkStatus() : Error(session, status, code);
}

absl::Status NatsVersions::CheckBucket(NatsSession& session,
                                       absl::Duration wait) {
  jsOptions options = OptionsOf(wait);
  jsStreamInfo* found = nullptr;
  jsErrCode code = static_cast<jsErrCode>(0);
  const natsStatus status = js_GetStreamInfo(&found, session.streams(),
                                             stream_.c_str(), &options, &code);
  const std::unique_ptr<jsStreamInfo, Destroy> info(found);
  if (status != NATS_OK) return Error(session, status, code);
  if (info->Config->MaxAge != 0 || info->Config->Storage != js_FileStorage) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the bucket ", bucket_,
        " must keep what it has: in files, and without a time to live"));
  }
  return absl::OkStatus();
}

std::string NatsVersions::SubjectOf(std::string_view app) const {
  return absl::StrCat("$KV.", bucket_, ".", View(app));
}

// Of the stream's leader: replicas may be behind.
absl::StatusOr<BaseVersion> NatsVersions::Get(std::string_view app) {
  if (absl::Status named = CheckApp(app); !named.ok()) return named;
  const std::string subject = SubjectOf(app);
  BaseVersion version;
  const absl::Status got = connection_->Insist(
      patience_, [&](NatsSession& session, absl::Duration wait) {
        jsOptions options = OptionsOf(wait);
        natsMsg* found = nullptr;
        jsErrCode code = static_cast<jsErrCode>(0);
        const natsStatus status =
            js_GetLastMsg(&found, session.streams(), stream_.c_str(),
                          subject.c_str(), &options, &code);
        const std::unique_ptr<natsMsg, Destroy> message(found);
        if (code == JSNoMessageFoundErr) return absl::OkStatus();
        if (status != NATS_OK) return Error(session, status, code);
        version =
            VersionOf(natsMsg_GetData(found), natsMsg_GetDataLength(found),
                      natsMsg_GetSequence(found));
        return absl::OkStatus();
      });
  if (!got.ok()) return got;
  return version;
}

absl::StatusOr<uint64_t> NatsVersions::Replace(std::string_view app,
                                               uint64_t revision,
                                               std::string_view record) {
  if (absl::Status fits = CheckReplacement(app, record); !fits.ok()) {
    return fits;
  }
  const std::string subject = SubjectOf(app);
  // By this the server knows what it has already, of an attempt whose answer
  // was lost.
  const std::string id = NewUuid();
  uint64_t replaced = 0;
  const absl::Status status = connection_->Insist(
      patience_, [&](NatsSession& session, absl::Duration wait) {
        jsPubOptions options;
        jsPubOptions_Init(&options);
        options.MaxWait = absl::ToInt64Milliseconds(wait);
        options.MsgId = id.c_str();
        options.ExpectLastSubjectSeq = revision;
        options.ExpectNoMessage = revision == 0;
        jsPubAck* answered = nullptr;
        jsErrCode code = static_cast<jsErrCode>(0);
        const natsStatus published = js_Publish(
            &answered, session.streams(), subject.c_str(), record.data(),
            static_cast<int>(record.size()), &options, &code);
        const std::unique_ptr<jsPubAck, Destroy> answer(answered);
        if (published == NATS_OK) {
          replaced = answer->Sequence;
          return absl::OkStatus();
        }
        const absl::Status error = Error(session, published, code);
        if (published != NATS_NO_RESPONDERS) return error;
        // Whether the bucket is gone, or JetStream not there yet.
        const absl::Status there = CheckBucket(session, wait);
        return there.ok() ? error : there;
      });
  if (!status.ok()) return status;
  return replaced;
}

absl::Status NatsVersions::ListOnce(NatsSession& session, absl::Duration wait,
                                    Listed& listed) {
  constexpr auto kNone = static_cast<jsErrCode>(0);
  jsOptions options = OptionsOf(wait);
  jsCtx* made = nullptr;
  natsStatus status =
      natsConnection_JetStream(&made, session.connection(), &options);
  const std::unique_ptr<jsCtx, Destroy> streams(made);
  kvStore* found = nullptr;
  if (status == NATS_OK) status = js_KeyValue(&found, made, bucket_.c_str());
  const std::unique_ptr<kvStore, Destroy> store(found);
  if (status == NATS_NOT_FOUND) {
    return Error(session, status, JSStreamNotFoundErr);
  }
  kvWatcher* watching = nullptr;
  if (status == NATS_OK) status = kvStore_WatchAll(&watching, found, nullptr);
  const std::unique_ptr<kvWatcher, Destroy> watcher(watching);
  while (status == NATS_OK) {
    kvEntry* next = nullptr;
    status = kvWatcher_Next(&next, watching, absl::ToInt64Milliseconds(wait));
    const std::unique_ptr<kvEntry, Destroy> entry(next);
    if (status != NATS_OK) break;
    if (next == nullptr) return absl::OkStatus();  // that was all
    BaseVersion version = VersionOf(kvEntry_Value(next), kvEntry_ValueLen(next),
                                    kvEntry_Revision(next));
    if (version.record.empty()) continue;
    listed.emplace_back(kvEntry_Key(next), std::move(version));
  }
  return Error(session, status, kNone);
}

absl::StatusOr<std::vector<std::pair<std::string, BaseVersion>>>
NatsVersions::List() {
  Listed listed;
  const absl::Status status = connection_->Insist(
      patience_, [&](NatsSession& session, absl::Duration wait) {
        listed.clear();
        return ListOnce(session, wait, listed);
      });
  if (!status.ok()) return status;
  std::sort(listed.begin(), listed.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  return listed;
}

absl::Status NatsVersions::Check() {
  return connection_->Insist(std::min(patience_, kCheckPatience),
                             [&](NatsSession& session, absl::Duration wait) {
                               return CheckBucket(session, wait);
                             });
}

}  // namespace wallprof::pgo
