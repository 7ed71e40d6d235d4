// A consumer of the object store alone.
#include <wallprof/object_store.h>

#include <iostream>

int main() {
  const absl::Status status = wallprof::OpenObjectStore("s3://").status();
  std::cout << status << '\n';
  return absl::IsInvalidArgument(status) ? 0 : 1;
}
