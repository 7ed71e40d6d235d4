// Profiles as bytes: folded stacks and gzipped pprof, to and from, and what is
// only written, for viewers and people.
//
//   std::cout << wallprof::EncodeFolded(profile);
//   absl::Status status = wallprof::WriteFile(profile, "out.pb.gz");
//   absl::StatusOr<wallprof::Profile> back = wallprof::DecodePprof(bytes);
//
// All functions are pure but for the files they name; safe from any thread.
#ifndef WALLPROF_FORMATS_H_
#define WALLPROF_FORMATS_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "wallprof/merge.h"
#include "wallprof/profile.h"

namespace wallprof {

struct FoldedOptions {
  View view = View::kWall;
  bool threads = false;  // the label `thread` as the first frame
  bool lines = false;    // "serve(int) (server.cc:12)" where the line is known
};

// Folded stacks: a line per distinct stack, sorted bytewise; frames root
// first, joined by ';', then a space and the weight. The weight is whole
// microseconds where the type's unit is nanoseconds, the plain value
// otherwise; stacks of weight 0 are left out. A profile without the view's
// type is shown by its default (else last) sample type. No stacks: empty.
// A difference whose base is labelled (merge.h) has two weights, that of the
// base and that of the rest: "stack before after".
std::string EncodeFolded(const Profile& profile,
                         const FoldedOptions& options = {});

// Reads folded stacks into a profile of types samples/count and
// wall/nanoseconds (weights are microseconds). Where every line has two weights
// it is a difference, whose base is labelled. InvalidArgument names the line.
absl::StatusOr<Profile> DecodeFolded(std::string_view text);

// Gzipped profile.proto. The profile must pass CheckValid.
std::string EncodePprof(const Profile& profile);

// Reads a profile.proto, gzipped or not. InvalidArgument says what is wrong,
// in pprof's words where it has some; never crashes, whatever the bytes, and
// refuses to unpack more than kMaxDecodedBytes.
absl::StatusOr<Profile> DecodePprof(std::string_view bytes);

// Reads what `perf script` prints: the types are samples/count and, for each
// event, what its periods count (cpu/nanoseconds of perf's clocks); labels are
// `thread` and `tid`. InvalidArgument names the line.
absl::StatusOr<Profile> DecodePerfScript(std::string_view text);

// Reads a CPU profile of gperftools, of a 64-bit little-endian program: types
// samples/count and cpu/nanoseconds. It has addresses, not names; the memory
// map that ends it says in which files. InvalidArgument names the byte.
absl::StatusOr<Profile> DecodeGperftoolsCpu(std::string_view bytes);

// No real profile comes near; an archive that unpacks to more is an attack.
inline constexpr size_t kMaxDecodedBytes = size_t{1} << 30;

// JSON that speedscope opens, a profile of it for each thread (by the labels
// `thread` and `tid`). Of a difference the two sides are apart. Where slices of
// a recording are (PastOptions::slices_apart), they follow each other in time.
std::string EncodeSpeedscope(const Profile& profile, View view = View::kWall);

// JSON that chrome://tracing and Perfetto open: a row for each thread, on which
// the slices of a recording (PastOptions::slices_apart) follow each other in
// time, each a flame graph of its heaviest stacks; and what happened meanwhile.
// A profile without slices is one.
std::string EncodeChromeTrace(const Profile& profile, View view = View::kWall);

struct FlameGraphOptions {
  View view = View::kWall;
  bool threads = false;  // the label `thread` as the first frame
  std::string title;     // empty: one that names the view
};

// A flame graph that needs no other file and no server: readable as it is, and
// where scripts run, a click zooms and names can be searched. Of a difference,
// or of negative values, colours show what grew and what shrank. Frames too
// narrow to be seen are left out, and their number is said.
std::string EncodeSvg(const Profile& profile,
                      const FlameGraphOptions& options = {});

// A page with that flame graph and the functions where the time goes.
std::string EncodeHtml(const Profile& profile,
                       const FlameGraphOptions& options = {});

// The functions with their own and total weight of every sample type, as JSON
// for programs; docs/formats.md has the form.
std::string EncodeJson(const Profile& profile);

enum class Format {
  kFolded,
  kPprof,
  kSpeedscope,
  kSvg,
  kHtml,
  kJson,
  kChrome,
};

// Whether a format shows time as it passed, so that a recording's slices should
// be kept apart for it.
bool ShowsTime(Format format);

// By suffix, one of kFormatSuffixes. nullopt for any other.
std::optional<Format> FormatOfPath(std::string_view path);

// For sentences about a path that has none of them.
inline constexpr char kFormatSuffixes[] =
    ".folded, .txt, .pb.gz, .pprof, .speedscope.json, .svg, .html, .json and "
    ".trace.json";

// "folded", "pprof", "speedscope", "svg", "html", "json", "chrome"; nullopt for
// any other.
std::optional<Format> FormatOfName(std::string_view name);

// Encodes as `format`, which decides the type of the bytes. `folded` counts for
// folded stacks only.
std::string Encode(const Profile& profile, Format format,
                   const FoldedOptions& folded = {});

// Reads any format that is read here, told apart by content.
absl::StatusOr<Profile> Decode(std::string_view bytes);

// Writes `profile` in the format of the path's suffix: under a temporary name
// beside it, then renamed, so that a reader never sees half a file. Devices
// and pipes are written to.
// InvalidArgument for an unknown suffix; the system's error otherwise.
absl::Status WriteFile(const Profile& profile, std::string_view path);

// The same in a format of the caller's choice, whatever the suffix.
absl::Status WriteFile(const Profile& profile, std::string_view path,
                       Format format, const FoldedOptions& folded = {});

// The same of a profile that is encoded already.
absl::Status WriteBytes(std::string_view bytes, std::string_view path);

}  // namespace wallprof

#endif  // WALLPROF_FORMATS_H_
