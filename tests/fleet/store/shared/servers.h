// The servers that servers_test.py has started.
#ifndef WALLPROF_TESTS_FLEET_STORE_SHARED_SERVERS_H_
#define WALLPROF_TESTS_FLEET_STORE_SHARED_SERVERS_H_

#include <memory>
#include <string>

#include "fleet/store/index.h"
#include "fleet/store/profile_store.h"

namespace wallprof::store::shared {

// The URL of an index that nothing is in, in a schema of its own.
std::string FreshPostgresUrl();

// Ends PostgreSQL without a word to its clients; it is started again at once.
void KillPostgres();

// What `sql` gives in the index of `url`: the first row's first column.
std::string AskPostgres(const std::string& url, const std::string& sql);

// The URL of a part of a bucket where nothing is; the second is the same, by
// way of a proxy.
struct ObjectUrls {
  std::string straight;
  std::string through_faults;
};
ObjectUrls FreshObjectUrls();

// What the proxy does to the next requests; see tests/fleet/servers.py. Without
// any, all is well.
void ScriptFaults(const std::string& faults);

// The profile of `origin`, in `service`, at `second`, in a segment.
IndexEntry MakeEntry(int64_t second, const std::string& origin,
                     const std::string& service = "shop",
                     const std::string& segment = "s1");

}  // namespace wallprof::store::shared

#endif  // WALLPROF_TESTS_FLEET_STORE_SHARED_SERVERS_H_
