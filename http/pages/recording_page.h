// What is recorded of the past: slices and events, as text or JSON.
#ifndef WALLPROF_HTTP_PAGES_RECORDING_PAGE_H_
#define WALLPROF_HTTP_PAGES_RECORDING_PAGE_H_

#include <string>

#include "wallprof/recorder.h"

namespace wallprof::http {

std::string RecordingText(const Recorded& recorded);
std::string RecordingJson(const Recorded& recorded);

}  // namespace wallprof::http

#endif  // WALLPROF_HTTP_PAGES_RECORDING_PAGE_H_
