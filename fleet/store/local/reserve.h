// Room on the disk that is kept for removing: on a full disk an index has to
// write before it can let go of anything.
#ifndef WALLPROF_FLEET_STORE_LOCAL_RESERVE_H_
#define WALLPROF_FLEET_STORE_LOCAL_RESERVE_H_

#include <string>

namespace wallprof::store::local {

// For one thread at a time.
class Reserve {
 public:
  // A file at `path` takes the room.
  explicit Reserve(std::string path);

  // Takes it, unless it is taken or there is none.
  void Take();

  // Gives it back for others to use; false if there was nothing to give.
  bool Give();

 private:
  const std::string path_;
};

}  // namespace wallprof::store::local

#endif  // WALLPROF_FLEET_STORE_LOCAL_RESERVE_H_
