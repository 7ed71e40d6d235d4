// Profiles that wait on disk, in a directory that the programs of a service
// share:
//
//   DIR/<service>/<time, ns since 1970>-<owner>-<number>.parcel
//
// so that names sort by time. Only the owner reads and sends its files; it is
// alive while it holds the lock on DIR/<service>/<owner>.lock, which nobody
// holds any more once it has ended, however it did. Then the next that asks
// owns them. A file is written under a temporary name, synced and renamed.
//
//   .parcel   waits
//   .unsure   may have arrived: it was under way when the connection, or the
//             program, ended
//   .corrupt  cannot be read; kept for people, within the same bounds
//
// Anything else in the directory is somebody else's and is left alone.
#ifndef WALLPROF_FLEET_AGENT_SPOOL_H_
#define WALLPROF_FLEET_AGENT_SPOOL_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "fleet/agent/parcel.h"

namespace wallprof::agent {

struct SpoolEntry {
  std::string name;  // in the directory
  std::string owner;
  absl::Time created_at;
  int64_t bytes = 0;
  absl::Time changed_at;  // when it got its name
  bool unsure = false;
  bool corrupt = false;
};

// Its descriptors are of the table of the thread that uses it first; all must
// share one. For one thread at a time.
class Spool {
 public:
  // Makes the directory if need be. The system's error; PermissionDenied where
  // the directory is another user's, who could read what is written there.
  static absl::StatusOr<std::unique_ptr<Spool>> Open(
      const std::string& dir, const std::string& service);
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  const std::string& directory() const { return directory_; }

  // Writes `parcel`. Unless `durable` it need only outlive the program, not the
  // machine: syncing can take long.
  absl::StatusOr<SpoolEntry> Put(const Parcel& parcel, bool unsure,
                                 bool durable);

  // NotFound if it is gone, DataLoss if it is corrupt, else the system's error.
  absl::StatusOr<Parcel> Read(const SpoolEntry& entry) const;

  // Gives the file the name that says so.
  absl::Status SetUnsure(SpoolEntry& entry, bool unsure) const;
  absl::Status SetCorrupt(SpoolEntry& entry) const;

  // No error if it is gone already.
  absl::Status Remove(const SpoolEntry& entry) const;

  // Everything of ours in the directory, whoever owns it, the oldest first.
  // What is somebody else's is named in `foreign` if that is not null.
  absl::StatusOr<std::vector<SpoolEntry>> List(
      std::vector<std::string>* foreign = nullptr) const;

  // Whether the entry is this spool's: its own, or of an owner that has ended,
  // which is then taken over.
  bool Owns(const SpoolEntry& entry);

  // Gives back what was taken over and has no files any more; removes temporary
  // files that a program left when it was killed.
  void Tidy(const std::vector<SpoolEntry>& listed);

 private:
  Spool(std::string directory, std::string owner);

  std::string PathOf(const std::string& name) const;
  bool TakeOver(const std::string& owner);
  absl::Status WriteTo(const std::string& path, const std::string& bytes,
                       bool durable) const;

  const std::string directory_;
  const std::string owner_;
  std::map<std::string, int> locks_;  // by owner; our own among them
  int64_t last_number_ = 0;
};

}  // namespace wallprof::agent

#endif  // WALLPROF_FLEET_AGENT_SPOOL_H_
