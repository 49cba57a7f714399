# The Python package: each file of python/tests is one ctest entry, run on what lies in the build
# tree. Those that need packages which are not installed skip themselves and say so.
if(NOT FIRBANK_BUILD_PYTHON)
  return()
endif()
file(GLOB python_tests CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}/python/tests
  ${PROJECT_SOURCE_DIR}/python/tests/*_test.py)
set(pytest_options -p no:cacheprovider)
if("$ENV{FIRBANK_TEST_FULL}" STREQUAL "1")
  list(APPEND pytest_options --full)
endif()
foreach(file ${python_tests})
  string(REPLACE ".py" "" name python_${file})
  add_test(NAME ${name} COMMAND ${Python_EXECUTABLE} -m pytest ${pytest_options}
    ${PROJECT_SOURCE_DIR}/python/tests/${file}
    WORKING_DIRECTORY ${PROJECT_BINARY_DIR}/python)
  set_tests_properties(${name} PROPERTIES
    TIMEOUT ${test_timeout_s} LABELS python
    ENVIRONMENT "PYTHONPATH=${PROJECT_BINARY_DIR}/python;PYTHONDONTWRITEBYTECODE=1")
endforeach()

# What asks for a GPU, on the fake device.
if(FIRBANK_FAKE_DEVICE_DIR)
  add_test(NAME python_on_device COMMAND ${Python_EXECUTABLE} -m pytest ${pytest_options} -k gpu
    ${PROJECT_SOURCE_DIR}/python/tests/convolve_test.py
    ${PROJECT_SOURCE_DIR}/python/tests/stream_test.py
    WORKING_DIRECTORY ${PROJECT_BINARY_DIR}/python)
  set_tests_properties(python_on_device PROPERTIES TIMEOUT ${test_timeout_s} LABELS python
    ENVIRONMENT "PYTHONPATH=${PROJECT_BINARY_DIR}/python;PYTHONDONTWRITEBYTECODE=1;FIRBANK_PLUGIN_DIR=${FIRBANK_FAKE_DEVICE_DIR}")
endif()
