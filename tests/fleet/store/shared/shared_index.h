// Indexes in the PostgreSQL that servers_test.py has started.
#ifndef WALLPROF_TESTS_FLEET_STORE_SHARED_SHARED_INDEX_H_
#define WALLPROF_TESTS_FLEET_STORE_SHARED_SHARED_INDEX_H_

#include <string>

#include "fleet/store/index.h"

namespace wallprof::store {

// The variable's value; fails the test if it is not there.
std::string TestVariable(const char* name);

// The URL of a store that nothing is in, in a schema of its own.
std::string FreshPostgresUrl();

// Ends PostgreSQL without a word to its clients; it is started again at once.
void KillPostgres();

// What `sql` gives in the store of `url`: the first row's first column.
std::string AskPostgres(const std::string& url, const std::string& sql);

// The profile of `origin`, in `service`, at `second`, in a segment.
IndexEntry MakeEntry(int64_t second, const std::string& origin,
                     const std::string& service = "shop",
                     const std::string& segment = "s1");

}  // namespace wallprof::store

#endif  // WALLPROF_TESTS_FLEET_STORE_SHARED_SHARED_INDEX_H_
