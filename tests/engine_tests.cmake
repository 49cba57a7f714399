add_library(firbank_test_support STATIC support/random_cases.cpp support/signals.cpp)
target_link_libraries(firbank_test_support PUBLIC firbank firbank_options GTest::gtest)

foreach(name IN ITEMS
    filter_bank_test filter_text_test filter_files_test routing_test stats_test reference_test
    partition_plan_test engine_config_test engine_contract_test engine_swap_test
    engine_nonfinite_test engine_pipeline_test)
  firbank_test(${name})
  target_link_libraries(${name} PRIVATE firbank_test_support)
endforeach()

# The guard takes the place of malloc and of system calls, which sanitizers do as well.
if(NOT FIRBANK_SANITIZE)
  firbank_test(real_time_test support/rt_guard.cpp)
  target_link_libraries(real_time_test PRIVATE firbank_test_support ${CMAKE_DL_LIBS})
  set_target_properties(real_time_test PROPERTIES ENABLE_EXPORTS ON)  # names in its backtraces
endif()
