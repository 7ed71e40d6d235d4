// Objects as files below a directory, for the processes of one machine.
#ifndef WALLPROF_FLEET_OBJECTS_DIRECTORY_STORE_H_
#define WALLPROF_FLEET_OBJECTS_DIRECTORY_STORE_H_

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "fleet/files/files.h"
#include "wallprof/object_store.h"

namespace wallprof::objects {

// The object "a/b" is the file DIR/a/b, so that others find it with their own
// means. A file system has its own mind about names: besides what ObjectStore
// says InvalidArgument is the answer to a step of more than 255 bytes, to the
// directory kWriting, and to a key below another key ("a/b" where there is "a")
// or above one.
class DirectoryStore : public ObjectStore {
 public:
  // What is being written is in DIR/.writing until it has all its bytes.
  static constexpr char kWriting[] = ".writing";

  // Makes the directory if it is missing, and removes what writers that died
  // have left.
  static absl::StatusOr<std::unique_ptr<ObjectStore>> Open(
      std::string directory);

  absl::Status Put(std::string_view key, std::string_view bytes) override;
  absl::StatusOr<std::string> Get(std::string_view key,
                                  size_t max_bytes) override;
  absl::StatusOr<std::string> GetRange(std::string_view key, int64_t offset,
                                       int64_t bytes) override;
  absl::Status Delete(std::string_view key) override;
  absl::StatusOr<std::vector<ObjectInfo>> List(std::string_view prefix,
                                               std::string_view after,
                                               int limit) override;

 private:
  // What a directory has, as keys' steps sort: those of directories end in '/'.
  using Names = std::vector<std::string>;

  // A directory that was read: reading one of a million names for each page of
  // a thousand would take longer than what the pages are for.
  struct Known {
    std::string directory;
    absl::Time changed;  // the directory
    std::shared_ptr<const Names> names;
  };

  // An object that is being read.
  struct Object {
    fleet::File file;
    int64_t bytes = 0;
  };

  struct Page {
    std::string_view prefix;
    std::string_view after;
    size_t limit;
    std::vector<ObjectInfo> objects;
  };

  explicit DirectoryStore(std::string directory)
      : directory_(std::move(directory)) {}

  std::string PathOf(std::string_view key) const;
  absl::StatusOr<Object> OpenObject(std::string_view key) const;
  absl::Status Place(const std::string& temporary, const std::string& key);
  absl::StatusOr<std::shared_ptr<const Names>> NamesIn(
      const std::string& directory);
  absl::Status Collect(const std::string& steps, Page& page);

  const std::string directory_;
  std::mutex mutex_;
  Known known_;
};

inline constexpr std::string_view kDirectoryScheme = "file:";

// The directory of "file:///DIR". InvalidArgument for what is none.
absl::StatusOr<std::string> ParseDirectoryUrl(std::string_view url);

}  // namespace wallprof::objects

#endif  // WALLPROF_FLEET_OBJECTS_DIRECTORY_STORE_H_
