// What any object store must do, for whatever it is in.
#ifndef WALLPROF_TESTS_FLEET_OBJECTS_OBJECT_STORE_CONFORMANCE_H_
#define WALLPROF_TESTS_FLEET_OBJECTS_OBJECT_STORE_CONFORMANCE_H_

#include <memory>
#include <string>

#include "wallprof/object_store.h"

namespace wallprof {

// An empty store below `place`. Each program that has the tests defines it.
std::unique_ptr<ObjectStore> OpenStore(const std::string& place);

}  // namespace wallprof

#endif  // WALLPROF_TESTS_FLEET_OBJECTS_OBJECT_STORE_CONFORMANCE_H_
