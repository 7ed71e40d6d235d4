#include "fleet/pgo/scrape/sources/reaching.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "fleet/files/files.h"
#include "fleet/transfer/url.h"

namespace wallprof::pgo {

absl::StatusOr<Reaching> ReachingOf(
    const char* name, std::string address, const TlsVariables& tls,
    const std::function<std::string(const char*)>& variable) {
  constexpr absl::string_view kUnix = "unix://";
  Reaching reaching;
  reaching.url = std::move(address);
  while (absl::EndsWith(reaching.url, "/")) reaching.url.pop_back();
  if (absl::StartsWith(reaching.url, kUnix)) {
    reaching.transfer.unix_socket = reaching.url.substr(kUnix.size());
    reaching.url = "http://localhost";
  }
  if (absl::Status s = fleet::CheckUrl(reaching.url); !s.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, " is wrong: ", absl::string_view(s.message())));
  }
  fleet::TransferOptions& transfer = reaching.transfer;
  for (const auto& [file, text] :
       {std::pair{tls.certificates, &transfer.certificates},
        std::pair{tls.client_certificate, &transfer.client_certificate},
        std::pair{tls.client_key, &transfer.client_key}}) {
    const std::string path = variable(file);
    if (path.empty()) continue;
    absl::StatusOr<std::string> read = fleet::ReadWhole(path);
    if (!read.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(file, ": ", absl::string_view(read.status().message())));
    }
    *text = *std::move(read);
  }
  return reaching;
}

}  // namespace wallprof::pgo
