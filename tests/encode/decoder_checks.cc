#include "tests/encode/decoder_checks.h"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "profiler/encode/foreign/recognize.h"
#include "profiler/profile/top_functions.h"
#include "tests/profile/profile_text.h"
#include "wallprof/filter.h"
#include "wallprof/formats.h"
#include "wallprof/merge.h"

namespace wallprof {
namespace {

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "fuzzing found that not: %s\n", what);
  std::abort();
}

void CheckFilters(const Profile& profile) {
  NameMatch odd = [](std::string_view name) { return name.size() % 2 == 1; };
  Filters focus;
  Filters frames;
  focus.focus = odd;
  frames.hide = frames.show_from = odd;
  frames.show = [](std::string_view name) { return name.size() % 4 != 2; };
  for (const absl::StatusOr<Profile>& part :
       {Filter(profile, focus), Filter(profile, frames),
        Prune(profile, odd, nullptr), PruneFrom(profile, odd)}) {
    Require(part.ok() && CheckValid(*part).ok(), "a part is valid");
  }
}

// What is done with profiles from elsewhere must not fail on valid ones.
void CheckOperations(const Profile& profile) {
  absl::StatusOr<Profile> merged = Merge(absl::MakeConstSpan(&profile, 1));
  Require(merged.ok() && CheckValid(*merged).ok(), "a valid profile merges");
  Require(EncodeFolded(*merged) == EncodeFolded(profile),
          "merging one profile changes no weight");
  for (View view : {View::kCpu, View::kOffCpu}) {
    absl::StatusOr<Profile> seen = SelectView(profile, view);
    Require(!seen.ok() || CheckValid(*seen).ok(), "a view is valid");
  }
  Require(Diff(profile, profile, {.normalize = true, .label_base = true}).ok(),
          "a profile has a difference");
  ComputeTopFunctions(profile, View::kWall);
  CheckFilters(profile);
  for (Format format :
       {Format::kSpeedscope, Format::kHtml, Format::kJson, Format::kChrome}) {
    Require(!Encode(profile, format).empty(), "every format has bytes");
  }
}

// Of a profile that was decoded from anything.
void CheckDecoded(const Profile& profile) {
  Require(CheckValid(profile).ok(), "what is decoded is valid");
  absl::StatusOr<Profile> again = DecodePprof(EncodePprof(profile));
  Require(again.ok(), "what was written is read");
  Require(ProfileText(*again) == ProfileText(profile),
          "what is read is what was written");
  CheckOperations(profile);
}

}  // namespace

void CheckPprof(std::string_view bytes) {
  absl::StatusOr<Profile> profile = DecodePprof(bytes);
  if (!profile.ok()) return;
  CheckDecoded(*profile);
}

void CheckFolded(std::string_view text) {
  absl::StatusOr<Profile> profile = DecodeFolded(text);
  if (!profile.ok()) return;
  Require(CheckValid(*profile).ok(), "folded stacks make a valid profile");
  std::string folded = EncodeFolded(*profile);
  absl::StatusOr<Profile> again = DecodeFolded(folded);
  Require(again.ok(), "written stacks are read");
  Require(EncodeFolded(*again) == folded, "stacks read are those written");
}

void CheckPerfScript(std::string_view text) {
  IsPerfScript(text);
  absl::StatusOr<Profile> profile = DecodePerfScript(text);
  if (profile.ok()) CheckDecoded(*profile);
}

void CheckGperftoolsCpu(std::string_view bytes) {
  absl::StatusOr<Profile> profile = DecodeGperftoolsCpu(bytes);
  if (profile.ok()) CheckDecoded(*profile);
}

}  // namespace wallprof
