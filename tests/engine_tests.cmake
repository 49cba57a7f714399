add_library(firbank_test_support STATIC support/random_cases.cpp support/signals.cpp)
target_link_libraries(firbank_test_support PUBLIC firbank firbank_options GTest::gtest)

foreach(name IN ITEMS
    filter_bank_test filter_text_test filter_files_test routing_test stats_test reference_test
    backend_conformance_test direct_conformance_test planner_test level_test deferred_level_test
    engine_config_test fifo_test input_history_test input_log_test intake_test
    frequency_delay_line_test cost_model_test
    engine_contract_test engine_compact_test engine_rows_test engine_long_partitions_test
    engine_swap_test engine_update_test engine_nonfinite_test
    engine_pipeline_test engine_readers_test tuning_test filter_gain_test group_delay_test capi_test
    array_convolver_test
    live_session_test live_history_test live_dropouts_test call_times_test sample_tap_test
    band_spectrum_test plan_floor_test)
  firbank_test(${name})
  target_link_libraries(${name} PRIVATE firbank_test_support)
endforeach()

firbank_test(engine_memory_test support/counting_new.cpp)
target_link_libraries(engine_memory_test PRIVATE firbank_test_support)

# The guard takes the place of malloc and of system calls, which sanitizers do as well;
# RealtimeSanitizer is a guard itself.
if(NOT FIRBANK_SANITIZE)
  firbank_test(real_time_test live_real_time_test.cpp stages_real_time_test.cpp support/rt_guard.cpp)
  set_target_properties(real_time_test PROPERTIES ENABLE_EXPORTS ON)  # names in its backtraces
elseif(FIRBANK_SANITIZE STREQUAL "realtime")
  firbank_test(real_time_test live_real_time_test.cpp stages_real_time_test.cpp support/rt_guard_rtsan.cpp)
  # Its reports do not name the function in one word.
  set_property(TEST real_time_test
               PROPERTY ENVIRONMENT GTEST_FILTER=-RtGuard.TellsWhatWasCalledFirst)
endif()
if(TARGET real_time_test)
  target_link_libraries(real_time_test PRIVATE firbank_test_support ${CMAKE_DL_LIBS})
  # Where the guard cannot work, nothing was proved, and ctest says so.
  set_property(TEST real_time_test PROPERTY SKIP_REGULAR_EXPRESSION "not proved: ")
endif()

foreach(name IN ITEMS acquisition_stream_test common_reference_test decimator_test envelope_test event_detector_test
                      template_distance_test window_energy_test)
  firbank_test(${name})
  target_link_libraries(${name} PRIVATE firbank_test_support)
endforeach()
