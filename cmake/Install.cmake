# What `cmake --install` puts where: the libraries with their headers, CMake
# package and pkg-config files, and the programs that were built.
include(CMakePackageConfigHelpers)

set(cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/wallprof)
set(pkgconfig_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# What pkg-config calls a library that one of ours links: sets `module`, to
# require, or `option`, for the linker.
function(wallprof_pkgconfig_name library)
  set(module "")
  set(option "")
  if(library MATCHES "^absl::(.+)$")
    set(module absl_${CMAKE_MATCH_1})
  elseif(library MATCHES "^wallprof_(.+)$")
    set(module "wallprof-${CMAKE_MATCH_1} = ${PROJECT_VERSION}")
  elseif(library MATCHES "^PkgConfig::(LIBCARES|LIBDW|LIBELF|LIBLZMA|PUGIXML)$")
    string(TOLOWER ${CMAKE_MATCH_1} module)
  elseif(library STREQUAL "CURL::libcurl")
    set(module libcurl)
  elseif(library STREQUAL "OpenSSL::Crypto")
    set(module libcrypto)
  elseif(library STREQUAL "PkgConfig::HTTPLIB")
    set(module cpp-httplib)
  elseif(library STREQUAL "ZLIB::ZLIB")
    set(module zlib)
  elseif(library STREQUAL "Threads::Threads")
    set(option -pthread)
  elseif(library MATCHES "^[a-z]+$")
    set(option -l${library})
  else()
    message(FATAL_ERROR "No pkg-config module is known for ${library}; "
                        "add it to ${CMAKE_CURRENT_FUNCTION_LIST_FILE}.")
  endif()
  set(module ${module} PARENT_SCOPE)
  set(option ${option} PARENT_SCOPE)
endfunction()

# Installs wallprof-NAME.pc. The libraries are static, so whatever they link
# their users link too.
function(wallprof_install_pkgconfig name description)
  set(requires "")
  set(libs "")
  get_target_property(libraries wallprof_${name} LINK_LIBRARIES)
  list(REMOVE_DUPLICATES libraries)
  # CMake's marks of the directory that a library was named in.
  list(FILTER libraries EXCLUDE REGEX "^::@")
  foreach(library IN LISTS libraries)
    wallprof_pkgconfig_name(${library})
    list(APPEND requires ${module})
    list(APPEND libs ${option})
  endforeach()
  list(JOIN requires ", " requires)
  list(JOIN libs " " libs)
  # Relative, so that an installed tree can be moved.
  file(RELATIVE_PATH prefix /${pkgconfig_dir} /)
  string(REGEX REPLACE "/$" "" prefix ${prefix})
  configure_file(cmake/wallprof.pc.in
                 ${PROJECT_BINARY_DIR}/pkgconfig/wallprof-${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/pkgconfig/wallprof-${name}.pc
          DESTINATION ${pkgconfig_dir})
endfunction()

# Installs one library, in an export set of its own: who asks for one component
# needs the dependencies of no other.
function(wallprof_install_library name description)
  install(TARGETS wallprof_${name} EXPORT wallprof-${name}
          ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT wallprof-${name} NAMESPACE wallprof:: DESTINATION ${cmake_dir})
  wallprof_install_pkgconfig(${name} ${description})
endfunction()

wallprof_install_library(profile "Wall-clock profiles as data, and their formats")
wallprof_install_library(profiler "Wall-clock profiler for C++ programs")
wallprof_install_library(bundle "What a process tells of itself, in one zip")
wallprof_install_library(http "The wallprof profiler over HTTP")
wallprof_install_library(agent "Profiles of this program, sent to a collector")
install(FILES fleet/include/wallprof/agent.h
              fleet/include/wallprof/bundle.h
              fleet/include/wallprof/bundle_schedule.h
              fleet/include/wallprof/variables.h
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/wallprof)
if(TARGET wallprof_objects)
  wallprof_install_library(objects "Objects in S3 and stores of its protocol")
  install(FILES fleet/include/wallprof/bundle_objects.h
                fleet/include/wallprof/object_store.h
          DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/wallprof)
endif()
install(DIRECTORY profiler/include/wallprof http/include/wallprof
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")

configure_package_config_file(cmake/wallprofConfig.cmake.in
  ${PROJECT_BINARY_DIR}/wallprofConfig.cmake INSTALL_DESTINATION ${cmake_dir}
  NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file(
  ${PROJECT_BINARY_DIR}/wallprofConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/wallprofConfig.cmake
              ${PROJECT_BINARY_DIR}/wallprofConfigVersion.cmake
        DESTINATION ${cmake_dir})

foreach(program IN ITEMS wallprof_cli wallprof_preload wallprof_engine
                         wallprof_engine_http)
  if(TARGET ${program})
    install(TARGETS ${program}
            RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
            LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
  endif()
endforeach()
