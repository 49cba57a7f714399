# Tests of the firbank program from outside: arguments in; files, streams and exit codes out.
if(TARGET firbank_program)
  firbank_test(cli_test cli_bad_input_test.cpp cli_bench_show_test.cpp cli_bench_throughput_test.cpp
               cli_commands_test.cpp cli_doctor_test.cpp cli_documents_test.cpp cli_live_test.cpp cli_loopback_test.cpp cli_run_test.cpp
               cli_serve_monitor_test.cpp
               cli_serve_test.cpp cli_tune_test.cpp support/program_cache.cpp
               support/program_files.cpp support/run_program.cpp support/served_stream.cpp)
  target_link_libraries(cli_test PRIVATE nlohmann_json::nlohmann_json)
  target_compile_definitions(cli_test PRIVATE
    FIRBANK_PROGRAM="$<TARGET_FILE:firbank_program>" FIRBANK_EMBED="$<TARGET_FILE:firbank_embed>"
    FIRBANK_MANUAL="${PROJECT_BINARY_DIR}/demos/firbank/firbank.1"
    FIRBANK_SOURCE="${PROJECT_SOURCE_DIR}" FIRBANK_VERSION="${PROJECT_VERSION}")
  add_dependencies(cli_test firbank_program firbank_embed)
endif()
if(TARGET firbank_program)
  firbank_test(cli_serve_ways_test support/program_cache.cpp support/program_files.cpp
               support/run_program.cpp support/served_stream.cpp)
  target_link_libraries(cli_serve_ways_test PRIVATE firbank_zeromq nlohmann_json::nlohmann_json)
  target_compile_definitions(cli_serve_ways_test PRIVATE
    FIRBANK_PROGRAM="$<TARGET_FILE:firbank_program>" $<$<BOOL:${zeromq_FOUND}>:FIRBANK_HAS_ZEROMQ>)
  add_dependencies(cli_serve_ways_test firbank_program)
  # As in the test itself, for the program that it runs.
  set_tests_properties(cli_serve_ways_test PROPERTIES ENVIRONMENT_MODIFICATION
    "TSAN_OPTIONS=string_append: suppressions=${CMAKE_CURRENT_LIST_DIR}/support/libzmq.supp")
endif()
if(TARGET firbank_program)
  firbank_test(cli_cuda_test support/program_cache.cpp support/program_files.cpp
               support/run_program.cpp)
  target_link_libraries(cli_cuda_test PRIVATE firbank_test_support nlohmann_json::nlohmann_json)
  target_compile_definitions(cli_cuda_test PRIVATE FIRBANK_PROGRAM="$<TARGET_FILE:firbank_program>")
  firbank_uses_fake_device(cli_cuda_test)
  add_dependencies(cli_cuda_test firbank_program)
endif()
# JACK and ALSA leak at their end, which a sanitizer would count against the program.
if(TARGET firbank_program AND NOT FIRBANK_SANITIZE)
  add_subdirectory(${CMAKE_CURRENT_LIST_DIR}/live live)
endif()
# Beside what they test.
if(TARGET firbank_ecg)
  add_subdirectory(${PROJECT_SOURCE_DIR}/demos/ecg/tests ecg)
endif()
if(TARGET firbank_probe)
  add_subdirectory(${PROJECT_SOURCE_DIR}/demos/probe/tests probe)
endif()
if(TARGET firbank_laboratory)
  add_subdirectory(${PROJECT_SOURCE_DIR}/demos/firbank/bench/tests laboratory)
  add_subdirectory(${PROJECT_SOURCE_DIR}/demos/firbank/doctor/tests doctor)
endif()
if(TARGET firbank_program)
  firbank_test(cli_bench_test support/program_cache.cpp support/program_files.cpp
               support/run_program.cpp)
  target_link_libraries(cli_bench_test PRIVATE nlohmann_json::nlohmann_json)
  target_compile_definitions(cli_bench_test PRIVATE FIRBANK_PROGRAM="$<TARGET_FILE:firbank_program>")
  add_dependencies(cli_bench_test firbank_program)
endif()
