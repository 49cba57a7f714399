# libfirbank: the objects of io, kernels, engine and capi in one library, static or shared.
add_library(firbank
  $<TARGET_OBJECTS:firbank_io> $<TARGET_OBJECTS:firbank_kernels> $<TARGET_OBJECTS:firbank_engine>
  $<TARGET_OBJECTS:firbank_capi>)
add_library(firbank::firbank ALIAS firbank)

# Before 1.0 a minor version may change the binary interface, so it is part of the SONAME.
set_target_properties(firbank PROPERTIES
  VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
  LINKER_LANGUAGE CXX)
target_compile_features(firbank PUBLIC cxx_std_20)
if(BUILD_SHARED_LIBS)
  set(exports ${PROJECT_SOURCE_DIR}/cmake/firbank.map)
  target_link_options(firbank PRIVATE LINKER:--version-script=${exports})
  set_target_properties(firbank PROPERTIES LINK_DEPENDS ${exports})
endif()

target_link_libraries(firbank PRIVATE Threads::Threads fmt::fmt hwy::hwy PkgConfig::sndfile
                                      PkgConfig::soxr $<BUILD_INTERFACE:firbank_options>)

# What the library offers to others, as <firbank/engine/engine.hpp>; internal headers stay out, and
# *-inl.h always. Here headers include each other from the root, "io/block.hpp"; others get them as
# <firbank/io/block.hpp>, so that nothing so short need be on their include path.
set(public_headers
  io/block.hpp
  io/block_pool.hpp
  io/block_queue.hpp
  io/broadcast_queue.hpp
  io/continuity.hpp
  io/endpoint.hpp
  io/error.hpp
  io/files.hpp
  io/frame_time.hpp
  io/native_samples.hpp
  io/packet_endpoint.hpp
  io/packet_order.hpp
  io/packet_pipe.hpp
  io/packet_reader.hpp
  io/packet_tally.hpp
  io/planar_packets.hpp
  io/process_identity.hpp
  io/rate_meter.hpp
  io/sample_encoding.hpp
  io/shared_block_queue.hpp
  io/shared_ring.hpp
  io/shared_segment.hpp
  io/signals.hpp
  io/socket.hpp
  io/stream_recorder.hpp
  io/tcp_sink.hpp
  io/tcp_source.hpp
  io/wire_format.hpp
  io/wire_parser.hpp
  engine/acquisition/acquisition_stream.hpp
  engine/acquisition/unsound_frames.hpp
  engine/band_spectrum.hpp
  engine/config.hpp
  engine/config/config_banks.hpp
  engine/config/config_file.hpp
  engine/config/equaliser.hpp
  engine/config/run_config.hpp
  engine/config/serve_settings.hpp
  engine/cost_model.hpp
  engine/engine.hpp
  engine/filter_bank.hpp
  engine/filter_files.hpp
  engine/filter_gain.hpp
  engine/group_delay.hpp
  engine/live_events.hpp
  engine/live_meter.hpp
  engine/live_session.hpp
  engine/load_meter.hpp
  engine/partition_plan.hpp
  engine/push_intake.hpp
  engine/reference.hpp
  engine/routing.hpp
  engine/sample_tap.hpp
  engine/stages/common_reference.hpp
  engine/stages/decimator.hpp
  engine/stages/envelope.hpp
  engine/stages/event_detector.hpp
  engine/stages/stream_position.hpp
  engine/stages/template_distance.hpp
  engine/stats.hpp
  engine/stream_reader.hpp
  engine/tuning.hpp
  kernels/backend.hpp
  kernels/backends.hpp)
set(offered_headers "")
foreach(header IN LISTS public_headers)
  file(READ ${PROJECT_SOURCE_DIR}/${header} text)
  string(REGEX REPLACE "#include \"([^\"]+)\"" "#include <firbank/\\1>" text "${text}")
  set(offered ${PROJECT_BINARY_DIR}/include/firbank/${header})
  file(CONFIGURE OUTPUT ${offered} CONTENT "${text}" @ONLY)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${header})
  list(APPEND offered_headers ${offered})
endforeach()
# The one header of C, as <firbank/firbank.h>; it includes nothing of the project.
set(c_header ${PROJECT_BINARY_DIR}/include/firbank/firbank.h)
configure_file(capi/firbank.h ${c_header} COPYONLY)
list(APPEND offered_headers ${c_header})
target_sources(firbank PUBLIC
  FILE_SET HEADERS BASE_DIRS ${PROJECT_BINARY_DIR}/include FILES ${offered_headers})
