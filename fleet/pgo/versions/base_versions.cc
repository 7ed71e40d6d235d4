#include "fleet/pgo/versions/base_versions.h"

#include "absl/strings/str_cat.h"
#include "fleet/pgo/names.h"

namespace wallprof::pgo {

absl::Status CheckReplacement(std::string_view app, std::string_view record) {
  if (absl::Status named = CheckApp(app); !named.ok()) return named;
  if (record.size() > kMaxRecordBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("a record of ", record.size(), " bytes is more than ",
                     kMaxRecordBytes));
  }
  return absl::OkStatus();
}

}  // namespace wallprof::pgo
