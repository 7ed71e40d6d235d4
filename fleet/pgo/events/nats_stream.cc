#include "fleet/pgo/events/nats_stream.h"

#include <memory>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace wallprof::pgo {
namespace {

// An event that nobody has read for so long is dropped; what is staged is found
// without it.
constexpr absl::Duration kMaxAge = absl::Hours(7 * 24);

// For so long the same event, written again since no answer came, is dropped.
constexpr absl::Duration kDuplicates = absl::Minutes(2);

struct Destroy {
  void operator()(jsStreamInfo* info) const { jsStreamInfo_Destroy(info); }
  void operator()(jsStreamNamesList* names) const {
    jsStreamNamesList_Destroy(names);
  }
};

absl::string_view View(std::string_view text) {
  return {text.data(), text.size()};
}

// All of a stream of ours is events; of another, what has the subject.
NatsStream StreamOf(const jsStreamInfo& info, const std::string& subject) {
  const std::string below = absl::StrCat(subject, ".>");
  std::set<std::string> subjects;
  for (int i = 0; i < info.Config->SubjectsLen; ++i) {
    subjects.insert(info.Config->Subjects[i]);
  }
  const bool is_ours = subjects == std::set<std::string>{subject, below};
  return {info.Config->Name, is_ours ? "" : below};
}

absl::StatusOr<NatsStream> MakeStream(const NatsConnection& connection,
                                      NatsSession& session,
                                      const std::string& subject,
                                      absl::Duration wait) {
  const std::string name =
      absl::StrCat("wallprof-", absl::StrReplaceAll(subject, {{".", "_"}}));
  const std::string below = absl::StrCat(subject, ".>");
  const char* subjects[] = {subject.c_str(), below.c_str()};
  jsStreamConfig config;
  jsStreamConfig_Init(&config);
  config.Name = name.c_str();
  config.Description = "Events of wallprof pgo";
  config.Subjects = subjects;
  config.SubjectsLen = 2;
  config.Storage = js_FileStorage;
  // Not a queue: others may listen too.
  config.Retention = js_LimitsPolicy;
  config.MaxAge = absl::ToInt64Nanoseconds(kMaxAge);
  config.Duplicates = absl::ToInt64Nanoseconds(kDuplicates);
  jsOptions options = OptionsOf(wait);
  jsStreamInfo* made = nullptr;
  jsErrCode code = static_cast<jsErrCode>(0);
  const natsStatus status =
      js_AddStream(&made, session.streams(), &config, &options, &code);
  const std::unique_ptr<jsStreamInfo, Destroy> info(made);
  if (status != NATS_OK) {
    return connection.ErrorOf(session, status, code,
                              absl::StrCat("making the stream ", name));
  }
  return StreamOf(*info, subject);
}

}  // namespace

absl::Status CheckSubject(std::string_view subject) {
  for (const absl::string_view step : absl::StrSplit(View(subject), '.')) {
    bool good = !step.empty();
    for (const unsigned char c : step) {
      good &= absl::ascii_isalnum(c) || c == '-' || c == '_';
    }
    if (!good) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the subject '", View(subject),
          "' must be letters, digits, '-' and '_', with dots between"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<NatsStream> FindStream(const NatsConnection& connection,
                                      NatsSession& session,
                                      std::string_view subject,
                                      absl::Duration wait) {
  const std::string ours(subject);
  const std::string below = absl::StrCat(ours, ".>");
  jsOptions options = OptionsOf(wait);
  options.Stream.Info.SubjectsFilter = below.c_str();
  jsStreamNamesList* listed = nullptr;
  jsErrCode code = static_cast<jsErrCode>(0);
  natsStatus status =
      js_StreamNames(&listed, session.streams(), &options, &code);
  const std::unique_ptr<jsStreamNamesList, Destroy> names(listed);
  if (status != NATS_OK && status != NATS_NOT_FOUND) {
    return connection.ErrorOf(session, status, code,
                              absl::StrCat("looking for ", ours));
  }
  if (names == nullptr || names->Count == 0) {
    return MakeStream(connection, session, ours, wait);
  }
  options = OptionsOf(wait);
  jsStreamInfo* found = nullptr;
  status = js_GetStreamInfo(&found, session.streams(), names->List[0], &options,
                            &code);
  const std::unique_ptr<jsStreamInfo, Destroy> info(found);
  if (status != NATS_OK) {
    return connection.ErrorOf(session, status, code,
                              absl::StrCat("the stream ", names->List[0]));
  }
  return StreamOf(*info, ours);
}

}  // namespace wallprof::pgo
