# Everything the build needs from outside, found here; what is missing is reported all at once,
# with the Debian packages that bring it.
set(missing "")
set(missing_packages "")

# firbank_need(FOUND WHAT PACKAGE): notes that WHAT, from the Debian package PACKAGE, is missing
# when FOUND is false.
macro(firbank_need found what package)
  if(NOT ${found})
    string(APPEND missing "\n  ${what} (Debian: ${package})")
    list(APPEND missing_packages ${package})
  endif()
endmacro()

find_package(Threads REQUIRED)
find_package(fmt CONFIG QUIET)
firbank_need(fmt_FOUND "fmt" libfmt-dev)
find_package(hwy CONFIG QUIET)
firbank_need(hwy_FOUND "Google Highway" libhwy-dev)
find_package(PkgConfig QUIET)
firbank_need(PkgConfig_FOUND "pkg-config" pkgconf)
if(PkgConfig_FOUND)
  pkg_check_modules(sndfile QUIET IMPORTED_TARGET sndfile)
  pkg_check_modules(soxr QUIET IMPORTED_TARGET soxr)
  pkg_check_modules(portaudio QUIET IMPORTED_TARGET portaudio-2.0)
  pkg_check_modules(zeromq QUIET IMPORTED_TARGET libzmq)
endif()
firbank_need(sndfile_FOUND "libsndfile" libsndfile1-dev)
firbank_need(soxr_FOUND "soxr" libsoxr-dev)
find_path(FIRBANK_READERWRITERQUEUE_INCLUDE_DIR readerwriterqueue/readerwriterqueue.h)
mark_as_advanced(FIRBANK_READERWRITERQUEUE_INCLUDE_DIR)
firbank_need(FIRBANK_READERWRITERQUEUE_INCLUDE_DIR "moodycamel ReaderWriterQueue"
             libreaderwriterqueue-dev)
find_path(FIRBANK_CONCURRENTQUEUE_INCLUDE_DIR concurrentqueue/concurrentqueue.h)
mark_as_advanced(FIRBANK_CONCURRENTQUEUE_INCLUDE_DIR)
firbank_need(FIRBANK_CONCURRENTQUEUE_INCLUDE_DIR "moodycamel ConcurrentQueue" libconcurrentqueue-dev)
# Headers are enough: its package would bring a library to link.
find_path(FIRBANK_TOMLPLUSPLUS_INCLUDE_DIR toml++/toml.h)
mark_as_advanced(FIRBANK_TOMLPLUSPLUS_INCLUDE_DIR)
firbank_need(FIRBANK_TOMLPLUSPLUS_INCLUDE_DIR "toml++" libtomlplusplus-dev)

# Sound cards are a matter of the program alone, which says so where it was built without.
if(portaudio_FOUND)
  message(STATUS "PortAudio: found, with sound cards")
else()
  message(STATUS "PortAudio: not found, so no sound cards (Debian: portaudio19-dev)")
endif()
if(NOT zeromq_FOUND)
  message(STATUS "libzmq: not found, so no ZeroMQ (Debian: libzmq3-dev)")
endif()

if(FIRBANK_BUILD_PROGRAMS OR FIRBANK_BUILD_TESTS)
  find_package(CLI11 CONFIG QUIET)
  firbank_need(CLI11_FOUND "CLI11" libcli11-dev)
  find_package(nlohmann_json CONFIG QUIET)
  firbank_need(nlohmann_json_FOUND "nlohmann-json" nlohmann-json3-dev)
  if(PkgConfig_FOUND)
    pkg_check_modules(cpp-httplib QUIET IMPORTED_TARGET cpp-httplib)
  endif()
  firbank_need(cpp-httplib_FOUND "cpp-httplib" libcpp-httplib-dev)
endif()
if(FIRBANK_BUILD_TESTS)
  find_package(GTest CONFIG QUIET)
  firbank_need(GTest_FOUND "GoogleTest" libgtest-dev)
  if(GTest_FOUND AND NOT TARGET GTest::gmock)
    firbank_need(GTest_gmock_FOUND "GoogleMock" libgmock-dev)
  endif()
endif()
if(FIRBANK_BUILD_BENCHMARKS)
  find_package(benchmark CONFIG QUIET)
  firbank_need(benchmark_FOUND "Google Benchmark" libbenchmark-dev)
endif()

if(missing)
  list(JOIN missing_packages " " missing_packages)
  message(FATAL_ERROR "firbank needs what is not installed here:${missing}\n"
                      "On Debian: apt-get install ${missing_packages}")
endif()

target_include_directories(firbank_options SYSTEM INTERFACE
  ${FIRBANK_READERWRITERQUEUE_INCLUDE_DIR} ${FIRBANK_CONCURRENTQUEUE_INCLUDE_DIR}
  ${FIRBANK_TOMLPLUSPLUS_INCLUDE_DIR})
