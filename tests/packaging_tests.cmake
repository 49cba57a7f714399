# Tests of the project round the code: who includes whom, and that an installed firbank can be used.
add_test(NAME layering COMMAND ${CMAKE_CURRENT_LIST_DIR}/layering_check)
add_test(NAME layering_check_self_test COMMAND ${CMAKE_CURRENT_LIST_DIR}/layering_check --self-test)

# An instrumented library cannot be linked into a plain program.
if(NOT FIRBANK_SANITIZE)
  add_test(NAME consumers
           COMMAND ${CMAKE_CURRENT_LIST_DIR}/consumers/check ${PROJECT_BINARY_DIR}
                   ${PROJECT_BINARY_DIR}/consumers ${CMAKE_CXX_COMPILER})
  set_tests_properties(consumers PROPERTIES TIMEOUT 400)
endif()
