// A profile as text, every field of it: what tests compare, so that a failure
// shows where two profiles part.
#ifndef WALLPROF_TESTS_PROFILE_PROFILE_TEXT_H_
#define WALLPROF_TESTS_PROFILE_PROFILE_TEXT_H_

#include <string>

#include "wallprof/profile.h"

namespace wallprof {

std::string ProfileText(const Profile& profile);

}  // namespace wallprof

#endif  // WALLPROF_TESTS_PROFILE_PROFILE_TEXT_H_
