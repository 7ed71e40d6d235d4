// Zips as readers see them: by the directory at the end.
#ifndef WALLPROF_TESTS_FLEET_BUNDLE_ZIP_READER_H_
#define WALLPROF_TESTS_FLEET_BUNDLE_ZIP_READER_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wallprof::bundle {

// Name and bytes, in the directory's order.
using Entries = std::vector<std::pair<std::string, std::string>>;

// Holds every field of every header to what it should be, and the entries to
// lie side by side; empty, with a sentence in `problem`, where something is not
// as it should be.
Entries ReadZip(std::string_view bytes, std::string& problem);

std::vector<std::string> NamesOf(const Entries& entries);

}  // namespace wallprof::bundle

#endif  // WALLPROF_TESTS_FLEET_BUNDLE_ZIP_READER_H_
