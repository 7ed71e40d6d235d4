// The parts of a multipart/form-data body, as forms of web pages send files.
#ifndef WALLPROF_FLEET_COLLECTOR_MULTIPART_H_
#define WALLPROF_FLEET_COLLECTOR_MULTIPART_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace wallprof::collector {

struct FormPart {
  std::string name;
  std::string_view content;  // of the body
};

// Whether `content_type` is that of such a body.
bool IsMultipart(std::string_view content_type);

// InvalidArgument saying what is wrong: no boundary, a part without a name, an
// end that is missing. RFC 7578.
absl::StatusOr<std::vector<FormPart>> SplitForm(std::string_view content_type,
                                                std::string_view body);

}  // namespace wallprof::collector

#endif  // WALLPROF_FLEET_COLLECTOR_MULTIPART_H_
