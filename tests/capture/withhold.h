// What a kernel or a container withholds, withheld here.
#ifndef WALLPROF_TESTS_CAPTURE_WITHHOLD_H_
#define WALLPROF_TESTS_CAPTURE_WITHHOLD_H_

#include <initializer_list>

namespace wallprof::capture {

// From now on these system calls fail with `error`, for this thread and those
// it starts. False if that could not be had.
bool Withhold(std::initializer_list<int> calls, int error);

}  // namespace wallprof::capture

#endif  // WALLPROF_TESTS_CAPTURE_WITHHOLD_H_
