# libfirbank: the objects of io, kernels and engine in one library, static or shared.
add_library(firbank
  $<TARGET_OBJECTS:firbank_io> $<TARGET_OBJECTS:firbank_kernels> $<TARGET_OBJECTS:firbank_engine>)
add_library(firbank::firbank ALIAS firbank)
set_target_properties(firbank PROPERTIES
  VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR} LINKER_LANGUAGE CXX)
target_compile_features(firbank PUBLIC cxx_std_20)
target_include_directories(firbank PUBLIC
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/firbank>
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(firbank PRIVATE Threads::Threads fmt::fmt hwy::hwy PkgConfig::sndfile
                                      PkgConfig::soxr $<BUILD_INTERFACE:firbank_options>)
