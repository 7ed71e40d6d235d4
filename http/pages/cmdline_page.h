// The program's command line.
#ifndef WALLPROF_HTTP_PAGES_CMDLINE_PAGE_H_
#define WALLPROF_HTTP_PAGES_CMDLINE_PAGE_H_

#include <string>

namespace wallprof::http {

// Its parts with a NUL between two, none at the end, as Go serves it.
std::string CommandLine();

}  // namespace wallprof::http

#endif  // WALLPROF_HTTP_PAGES_CMDLINE_PAGE_H_
