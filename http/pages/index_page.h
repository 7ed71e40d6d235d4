// The pages that list what is served, for someone who comes with a browser.
// Whole in themselves: no script, nothing fetched from elsewhere.
#ifndef WALLPROF_HTTP_PAGES_INDEX_PAGE_H_
#define WALLPROF_HTTP_PAGES_INDEX_PAGE_H_

#include <string>

#include "wallprof/http.h"

namespace wallprof::http {

// Of the mount point. The example commands go to `host`, a Host header that has
// passed the host guard or is empty, and there below `mount_point`.
HttpResponse IndexPage(const std::string& host, const std::string& mount_point);

// Of /debug/pprof/, where Go's users look.
HttpResponse PprofIndexPage();

}  // namespace wallprof::http

#endif  // WALLPROF_HTTP_PAGES_INDEX_PAGE_H_
