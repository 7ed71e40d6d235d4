// A request's head before cpp-httplib gets it.
#ifndef WALLPROF_HTTP_SERVER_REQUEST_HEAD_H_
#define WALLPROF_HTTP_SERVER_REQUEST_HEAD_H_

#include <string>
#include <string_view>

namespace wallprof::http {

// Whether `head` is made of lines and characters that may stand on one. What
// else there is, the library and a proxy before it may read in two ways.
bool IsClean(std::string_view head);

// `head` without the headers that the library would act upon by itself: Range
// with a regular expression that recurses a level for each byte, and by cutting
// our responses without a 206; Accept-Encoding with CPU time of the program's,
// Brotli's at its slowest setting.
std::string WithoutDropped(std::string_view head);

// `head` in which a multipart Content-Type has another name. The library takes
// a multipart body apart by itself, unless it does not see that it is one.
std::string WithPartsHidden(std::string_view head);
inline constexpr char kHiddenContentType[] = "X-Content-Type-Kept";

}  // namespace wallprof::http

#endif  // WALLPROF_HTTP_SERVER_REQUEST_HEAD_H_
