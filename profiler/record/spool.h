// Slices on disk: files to which records are appended, each with its length and
// checksum, so that whatever ends the program spoils at most the last one.
//
//   file    wallprof-<time of its start, ns since 1970>-<pid>.spool
//   record  "wPr2" | bytes, 32 bits | CRC-32, 32 bits | payload
//   payload what the dictionary has more than before | slice | events
//
// A file begins with an empty dictionary and can be read without the others.
#ifndef WALLPROF_PROFILER_RECORD_SPOOL_H_
#define WALLPROF_PROFILER_RECORD_SPOOL_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "profiler/record/dictionary.h"
#include "profiler/record/event.h"
#include "profiler/record/slice.h"
#include "profiler/threads/proc_file.h"

namespace wallprof::record {

// The payload of a record: `known` is what the file's records had before.
std::string EncodeRecord(const Dictionary& dictionary,
                         const Dictionary::Extent& known, const Slice& slice,
                         absl::Span<const Event> events);

// `payload` with what tells it from others.
std::string FrameRecord(std::string_view payload);

// What a file holds.
struct SpoolFile {
  Dictionary dictionary;
  std::vector<Slice> slices;
  std::vector<Event> events;
};

// Reads `bytes` of the file called `name`. What is torn or corrupt is left out,
// with a sentence in `problems` that names the file and the offset; samples
// whose key it had are shown as [unseen]. Never crashes, whatever the bytes.
std::unique_ptr<SpoolFile> DecodeSpool(std::string_view bytes,
                                       const std::string& name,
                                       std::vector<std::string>& problems);

// All files of `directory`, by name. NotFound when it has none; the system's
// error when it cannot be read.
absl::StatusOr<std::vector<std::unique_ptr<SpoolFile>>> ReadSpool(
    const std::string& directory, std::vector<std::string>& problems);

// For one thread.
class SpoolWriter {
 public:
  // Files in `directory`, which is made if need be, will take about `max_bytes`
  // together, those of other programs included; the oldest are removed.
  SpoolWriter(std::string directory, int64_t max_bytes);

  // Appends a record, to a new file if `fresh`. After an error the record is
  // not there; the file is as before.
  absl::Status Append(std::string_view payload, bool fresh, int64_t wall_ns);

  // Whether the next record should begin a new file.
  bool full() const { return size_ >= max_bytes_ / kFilesInBudget; }

 private:
  // So many make up the budget: one is dropped at a time.
  static constexpr int64_t kFilesInBudget = 8;

  absl::Status Open(int64_t wall_ns);
  void RemoveOldest();

  const std::string directory_;
  const int64_t max_bytes_;
  threads::FileDescriptor file_;
  std::string path_;
  int64_t size_ = 0;
};

}  // namespace wallprof::record

#endif  // WALLPROF_PROFILER_RECORD_SPOOL_H_
