// What holds whatever the bytes: decoding ends with a profile or an error, and
// a profile survives being written and read again. The process is ended where
// it does not hold. For libFuzzer (the *_fuzz.cc beside this, built with
// WALLPROF_BUILD_FUZZERS) and, over the corpus alone, for corpus_test.
#ifndef WALLPROF_TESTS_ENCODE_DECODER_CHECKS_H_
#define WALLPROF_TESTS_ENCODE_DECODER_CHECKS_H_

#include <string_view>

namespace wallprof {

void CheckPprof(std::string_view bytes);
void CheckFolded(std::string_view text);
void CheckPerfScript(std::string_view text);
void CheckGperftoolsCpu(std::string_view bytes);

}  // namespace wallprof

#endif  // WALLPROF_TESTS_ENCODE_DECODER_CHECKS_H_
