# Tests of engine/config/: the readers, filter design, and what an engine makes of a configuration.
foreach(name IN ITEMS
    config_banks_test equalizer_apo_config_test fir_design_test jconvolver_config_test
    toml_config_test)
  firbank_test(${name})
  target_link_libraries(${name} PRIVATE firbank_test_support)
endforeach()
target_compile_definitions(toml_config_test PRIVATE FIRBANK_SOURCE="${PROJECT_SOURCE_DIR}")

# Beside Debian's fconvolver, where it is installed.
if(TARGET firbank_program AND NOT FIRBANK_SANITIZE)
  add_test(NAME fconvolver_check
           COMMAND ${CMAKE_CURRENT_LIST_DIR}/fconvolver_check $<TARGET_FILE:firbank_program>)
  set_tests_properties(fconvolver_check PROPERTIES TIMEOUT 600 SKIP_RETURN_CODE 77)
endif()
