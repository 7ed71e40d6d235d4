#include "fleet/objects/listing.h"

#include <cstring>
#include <pugixml.hpp>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace wallprof::objects {
namespace {

absl::StatusOr<ObjectInfo> ParseObject(const pugi::xml_node& node) {
  ObjectInfo object;
  object.key = node.child_value("Key");
  if (object.key.empty()) {
    return absl::DataLossError("the listing has an object without a key");
  }
  if (!absl::SimpleAtoi(node.child_value("Size"), &object.bytes) ||
      object.bytes < 0) {
    return absl::DataLossError(absl::StrCat("the listing has no size of ",
                                            object.key, " but '",
                                            node.child_value("Size"), "'"));
  }
  std::string why;
  if (!absl::ParseTime(absl::RFC3339_full, node.child_value("LastModified"),
                       &object.modified, &why)) {
    return absl::DataLossError(
        absl::StrCat("the listing has no time of ", object.key, ": ", why));
  }
  return object;
}

}  // namespace

absl::StatusOr<Listing> ParseListing(std::string_view xml) {
  pugi::xml_document document;
  const pugi::xml_parse_result parsed =
      document.load_buffer(xml.data(), xml.size());
  if (!parsed) {
    return absl::DataLossError(absl::StrCat("the listing is no XML, at byte ",
                                            parsed.offset, ": ",
                                            parsed.description()));
  }
  const pugi::xml_node root = document.child("ListBucketResult");
  if (!root) return absl::DataLossError("the answer is no listing");
  Listing listing;
  listing.truncated = strcmp(root.child_value("IsTruncated"), "true") == 0;
  for (const pugi::xml_node& node : root.children("Contents")) {
    absl::StatusOr<ObjectInfo> object = ParseObject(node);
    if (!object.ok()) return object.status();
    listing.objects.push_back(*std::move(object));
  }
  return listing;
}

std::optional<StoreError> ParseStoreError(std::string_view xml) {
  pugi::xml_document document;
  if (!document.load_buffer(xml.data(), xml.size())) return std::nullopt;
  const pugi::xml_node root = document.child("Error");
  if (!root) return std::nullopt;
  return StoreError{root.child_value("Code"), root.child_value("Message")};
}

}  // namespace wallprof::objects
