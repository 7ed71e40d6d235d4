// What must hold between the merge of messages and that of profiles, whatever
// the bytes. Used as decoder_checks.h is.
#ifndef WALLPROF_TESTS_ENCODE_MERGE_CHECKS_H_
#define WALLPROF_TESTS_ENCODE_MERGE_CHECKS_H_

#include <string_view>

namespace wallprof {

// `bytes` are messages, each behind its size in two bytes, the lower one first:
// they are refused, and added up, as DecodePprof and Merge do it.
void CheckPprofMerge(std::string_view bytes);

}  // namespace wallprof

#endif  // WALLPROF_TESTS_ENCODE_MERGE_CHECKS_H_
