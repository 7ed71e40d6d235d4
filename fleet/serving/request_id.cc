#include "fleet/serving/request_id.h"

#include <algorithm>
#include <cstdint>
#include <random>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace wallprof::serving {
namespace {

constexpr size_t kMostCharacters = 128;
constexpr std::string_view kPunctuation = "-._:/+=@";

}  // namespace

bool IsRequestId(std::string_view text) {
  return !text.empty() && text.size() <= kMostCharacters &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return absl::ascii_isalnum(c) ||
                  kPunctuation.find(static_cast<char>(c)) !=
                      std::string_view::npos;
         });
}

std::string NewRequestId() {
  // They need to differ, not to be secret.
  thread_local std::mt19937_64 random((uint64_t{std::random_device()()} << 32) ^
                                      std::random_device()());
  return absl::StrCat(absl::Hex(random(), absl::kZeroPad16),
                      absl::Hex(random(), absl::kZeroPad16));
}

}  // namespace wallprof::serving
