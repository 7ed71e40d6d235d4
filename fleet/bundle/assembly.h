// A bundle in the making: parts one by one, each made in memory and written
// whole or not at all, and `meta`, which says what became of each.
//
// `meta` can only be written when all is known. It comes last in the file and
// first in the zip's directory, which is what readers go by; so nothing is kept
// back until then, in memory or on disk.
#ifndef WALLPROF_FLEET_BUNDLE_ASSEMBLY_H_
#define WALLPROF_FLEET_BUNDLE_ASSEMBLY_H_

#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "fleet/bundle/zip_writer.h"
#include "wallprof/bundle.h"

namespace wallprof::bundle {

class Assembly {
 public:
  // Gives a part's bytes. What it adds to `remark` is said of a part that is
  // taken all the same.
  using Make = std::function<absl::StatusOr<std::string>(std::string& remark)>;

  // Makes what it is given, which calls the program, wherever that is to be
  // called; returns when that has been done.
  using CallProgram = std::function<void(const std::function<void()>&)>;

  // `sink` must outlive the assembly. Without `call` the program is called on
  // this thread.
  Assembly(const BundleSink& sink, size_t max_part_bytes, size_t max_bytes,
           std::function<bool()> cancelled, CallProgram call = nullptr);

  // Makes a part and writes it; one that fails is left out.
  void Take(const std::string& name, const Make& make);

  // The same of a part that the program makes.
  void TakeOfProgram(const std::string& name, const Make& make);

  // A part that the program streams: collected up to the bound on parts.
  void TakeStreamed(const std::string& name,
                    const std::function<absl::Status(const BundleSink&)>& give);

  // Says of a part that it was left out, and why.
  void Skip(const std::string& name, std::string_view why);

  // Writes `meta` and the end. The sink's error or Cancelled, if the bundle
  // came to that.
  absl::StatusOr<BundleReport> Finish(const BundleIdentity& identity,
                                      absl::Time capture);

 private:
  void TakeBy(const CallProgram& call, const std::string& name,
              const Make& make);
  absl::Status Write(const std::string& name, std::string_view bytes);

  ZipWriter zip_;
  const size_t max_part_bytes_;
  const size_t max_bytes_;
  const std::function<bool()> cancelled_;
  const CallProgram call_;
  absl::Status ended_;  // once not OK, nothing more is done
  BundleReport report_;
};

}  // namespace wallprof::bundle

#endif  // WALLPROF_FLEET_BUNDLE_ASSEMBLY_H_
