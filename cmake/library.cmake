# libfirbank: the objects of io, kernels and engine in one library, static or shared.
add_library(firbank
  $<TARGET_OBJECTS:firbank_io> $<TARGET_OBJECTS:firbank_kernels> $<TARGET_OBJECTS:firbank_engine>)
add_library(firbank::firbank ALIAS firbank)

# Before 1.0 a minor version may change the binary interface, so it is part of the SONAME.
set_target_properties(firbank PROPERTIES
  VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
  LINKER_LANGUAGE CXX)
target_compile_features(firbank PUBLIC cxx_std_20)

# An installed header is included as <firbank/engine/engine.hpp>, and finds "engine/config.hpp".
target_include_directories(firbank INTERFACE
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/firbank>
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(firbank PRIVATE Threads::Threads fmt::fmt hwy::hwy PkgConfig::sndfile
                                      PkgConfig::soxr $<BUILD_INTERFACE:firbank_options>)

# What an installed library offers; internal headers stay out, and *-inl.h always.
target_sources(firbank PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR} FILES
  io/block.hpp
  io/block_pool.hpp
  io/block_queue.hpp
  io/endpoint.hpp
  io/error.hpp
  io/files.hpp
  io/sample_encoding.hpp
  io/shared_block_queue.hpp
  io/signals.hpp
  engine/config.hpp
  engine/engine.hpp
  engine/filter_bank.hpp
  engine/filter_files.hpp
  engine/partition_plan.hpp
  engine/reference.hpp
  engine/routing.hpp
  engine/stats.hpp
  kernels/backend.hpp
  kernels/backends.hpp)
