# Settings shared by all targets of the project.

# Warnings, language level and sanitizers for one of our own targets.
function(wallprof_configure_target target)
  target_compile_features(${target} PRIVATE cxx_std_20)
  set_target_properties(${target} PROPERTIES
    CXX_EXTENSIONS ON POSITION_INDEPENDENT_CODE ON
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wno-missing-field-initializers)
  if(WALLPROF_SANITIZE)
    target_compile_options(${target} PRIVATE
      -fsanitize=${WALLPROF_SANITIZE} -fno-sanitize-recover=all
      -fno-omit-frame-pointer)
    target_link_options(${target} PUBLIC -fsanitize=${WALLPROF_SANITIZE})
  endif()
  if(WALLPROF_BUILD_FUZZERS)
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
  endif()
endfunction()

# A library with public headers in <room>/include, used as wallprof::NAME
# inside and outside.
function(wallprof_library name)
  add_library(wallprof_${name} STATIC)
  add_library(wallprof::${name} ALIAS wallprof_${name})
  wallprof_configure_target(wallprof_${name})
  target_compile_features(wallprof_${name} INTERFACE cxx_std_17)
  set_target_properties(wallprof_${name} PROPERTIES EXPORT_NAME ${name})
  target_include_directories(wallprof_${name}
    PUBLIC $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>
           $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
    PRIVATE ${PROJECT_SOURCE_DIR})
  wallprof_precompile_headers(wallprof_${name})
endfunction()

# Headers of others that most files of a library include: parsing them is a third
# of what compiling takes.
function(wallprof_precompile_headers target)
  if(WALLPROF_PRECOMPILE_HEADERS)
    target_precompile_headers(${target} PRIVATE
      <algorithm> <functional> <map> <memory> <mutex> <optional> <string>
      <string_view> <vector> <absl/container/flat_hash_map.h>
      <absl/status/statusor.h> <absl/strings/str_cat.h> <absl/time/time.h>)
  endif()
endfunction()

# An executable of the project: example, benchmark, test or tool.
function(wallprof_executable name)
  cmake_parse_arguments(arg "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  wallprof_configure_target(${name})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${arg_LIBRARIES})
endfunction()
