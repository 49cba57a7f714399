# Tests of io/, and a short fixed run of every parser's fuzzer.
foreach(name IN ITEMS
    audio_device_test audio_file_test continuity_test error_test file_watch_test
    native_samples_test npy_file_test output_file_test packet_pipe_test planar_packets_test
    process_identity_test rate_meter_test raw_pcm_test resampler_test sample_encoding_test
    shared_ring_death_test shared_ring_hostile_test shared_segment_test signals_test
    stream_recorder_test tcp_sink_test tcp_source_test wav_header_test wire_parser_test)
  firbank_test(${name})
endforeach()
firbank_test(block_queue_test support/counting_new.cpp)
firbank_test(broadcast_queue_test support/counting_new.cpp)
firbank_test(shared_ring_test support/counting_new.cpp)
# The sender in io/README.md speaks the format that it documents.
add_executable(wire_example_receiver wire_example_receiver.cpp)
target_link_libraries(wire_example_receiver PRIVATE firbank firbank_options fmt::fmt)
add_test(NAME wire_example COMMAND ${CMAKE_CURRENT_LIST_DIR}/wire_example_check
         $<TARGET_FILE:wire_example_receiver> ${PROJECT_SOURCE_DIR}/io/README.md)
set_tests_properties(wire_example PROPERTIES TIMEOUT 300)
firbank_test(zeromq_packets_test)
target_link_libraries(zeromq_packets_test PRIVATE firbank_zeromq)
if(zeromq_FOUND)
  target_compile_definitions(zeromq_packets_test PRIVATE FIRBANK_HAS_ZEROMQ)
  target_link_libraries(zeromq_packets_test PRIVATE PkgConfig::zeromq)
endif()
add_subdirectory(${CMAKE_CURRENT_LIST_DIR}/fuzz fuzz)
# Beside what it tests, and with a fuzzer of its own.
if(TARGET firbank_monitor)
  add_subdirectory(${PROJECT_SOURCE_DIR}/demos/firbank/monitor/tests monitor)
endif()
