# Instructions of the running path against those on record. Each says that it was skipped where there
# is no valgrind, or no record for this compiler. Valgrind cannot run what sanitizers instrument.
if(FIRBANK_SANITIZE)
  return()
endif()
add_subdirectory(${PROJECT_SOURCE_DIR}/bench/instructions ${PROJECT_BINARY_DIR}/bench/instructions)
set(check_instructions ${PROJECT_SOURCE_DIR}/bench/instructions/check)
add_test(NAME instructions COMMAND ${check_instructions} ${PROJECT_BINARY_DIR})
add_test(NAME instructions_self_test COMMAND ${check_instructions} --self-test ${PROJECT_BINARY_DIR})
# Cases run beside each other, as far as there are cores.
set_tests_properties(instructions PROPERTIES PROCESSORS 2)
set_tests_properties(instructions instructions_self_test PROPERTIES
  LABELS instructions TIMEOUT 600 SKIP_REGULAR_EXPRESSION "skipped: ")
