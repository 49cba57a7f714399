# The fake device: a module named like the CUDA plug-in, in a folder of its own.
set(FIRBANK_FAKE_DEVICE_DIR ${CMAKE_CURRENT_BINARY_DIR}/fake_device)
add_library(firbank_fake_device MODULE
  support/fake_device.cpp support/fake_device_settings.cpp support/host_executor.cpp
  support/host_graph.cpp support/touched_memory.cpp)
set_target_properties(firbank_fake_device PROPERTIES
  OUTPUT_NAME firbank_cuda LIBRARY_OUTPUT_DIRECTORY ${FIRBANK_FAKE_DEVICE_DIR}
  CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
target_link_libraries(firbank_fake_device PRIVATE firbank_options Threads::Threads)
# It stays when it is closed, or what it never destroys would be lost with its address.
target_link_options(firbank_fake_device PRIVATE LINKER:-z,nodelete)

# firbank_uses_fake_device(TARGET): TARGET finds it in FIRBANK_FAKE_DEVICE_DIR.
function(firbank_uses_fake_device target)
  add_dependencies(${target} firbank_fake_device)
  target_compile_definitions(${target} PRIVATE FIRBANK_FAKE_DEVICE_DIR="${FIRBANK_FAKE_DEVICE_DIR}")
endfunction()

firbank_test(fake_device_test)
firbank_uses_fake_device(fake_device_test)
firbank_test(plugin_loader_test)
firbank_uses_fake_device(plugin_loader_test)
# A static library looks beside the program that it is part of.
if(BUILD_SHARED_LIBS)
  target_compile_definitions(plugin_loader_test PRIVATE
    FIRBANK_LIBRARY_DIR="$<TARGET_FILE_DIR:firbank>")
else()
  target_compile_definitions(plugin_loader_test PRIVATE
    FIRBANK_LIBRARY_DIR="$<TARGET_FILE_DIR:plugin_loader_test>")
endif()

# The plug-in itself, where it is built.
if(TARGET firbank_cuda)
  firbank_test(plugin_test support/elf_file.cpp)
  add_dependencies(plugin_test firbank_cuda)
  list(JOIN FIRBANK_CUDA_ARCHITECTURES " " architectures)
  target_compile_definitions(plugin_test PRIVATE
    FIRBANK_CUDA_PLUGIN="$<TARGET_FILE:firbank_cuda>"
    FIRBANK_CUDA_ARCHITECTURES="${architectures}")
else()
  add_test(NAME plugin_test COMMAND ${CMAKE_COMMAND} -E echo "skipped: this build has no plug-in")
  set_property(TEST plugin_test PROPERTY SKIP_REGULAR_EXPRESSION "skipped: ")
endif()

# The plug-in's own code on the host: behind its interface, and with the tests of all backends.
if(TARGET firbank_cuda)
  set(FIRBANK_HOST_PLUGIN_DIR ${CMAKE_CURRENT_BINARY_DIR}/host_plugin)
  set(plugin_sources ${PROJECT_SOURCE_DIR}/kernels/cuda/device.cu
                     ${PROJECT_SOURCE_DIR}/kernels/cuda/plugin.cu)
  set_source_files_properties(${plugin_sources} PROPERTIES LANGUAGE CXX)
  add_library(firbank_host_plugin MODULE ${plugin_sources}
    host_runtime/host_runtime.cpp support/host_executor.cpp support/touched_memory.cpp)
  set_target_properties(firbank_host_plugin PROPERTIES
    OUTPUT_NAME firbank_cuda LIBRARY_OUTPUT_DIRECTORY ${FIRBANK_HOST_PLUGIN_DIR}
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  target_include_directories(firbank_host_plugin SYSTEM PRIVATE
    ${CMAKE_CUDA_TOOLKIT_INCLUDE_DIRECTORIES})
  target_link_libraries(firbank_host_plugin PRIVATE firbank_options Threads::Threads)
  firbank_test(plugin_on_host_test)
  target_link_libraries(plugin_on_host_test PRIVATE firbank_test_support)
  add_dependencies(plugin_on_host_test firbank_host_plugin)
  target_compile_definitions(plugin_on_host_test PRIVATE
    FIRBANK_HOST_PLUGIN="$<TARGET_FILE:firbank_host_plugin>")
  add_test(NAME plugin_on_host_test_that_fails COMMAND plugin_on_host_test)
  set_tests_properties(plugin_on_host_test_that_fails PROPERTIES
    ENVIRONMENT "FIRBANK_HOST_RUNTIME=fail=2")
  foreach(name IN ITEMS backend_conformance_test direct_conformance_test engine_pipeline_test)
    add_test(NAME ${name}_on_plugin COMMAND ${name})
    set_tests_properties(${name}_on_plugin PROPERTIES TIMEOUT 900
      ENVIRONMENT "FIRBANK_PLUGIN_DIR=${FIRBANK_HOST_PLUGIN_DIR};FIRBANK_TEST_BACKENDS=cuda")
  endforeach()
  add_test(NAME backend_conformance_test_without_pools COMMAND backend_conformance_test)
  set_tests_properties(backend_conformance_test_without_pools PROPERTIES TIMEOUT 900
    ENVIRONMENT "FIRBANK_PLUGIN_DIR=${FIRBANK_HOST_PLUGIN_DIR};FIRBANK_TEST_BACKENDS=cuda;FIRBANK_HOST_RUNTIME=no_pools")
endif()

# The kernel bodies, run on the host.
foreach(name IN ITEMS host_executor_test cuda_transform_test cuda_command_test cuda_lines_test
                      cuda_products_test cuda_order_test cuda_convolve_test cuda_direct_kernels_test)
  firbank_test(${name} support/host_executor.cpp support/touched_memory.cpp)
endforeach()

# The backend on the fake device.
foreach(name IN ITEMS bank_layout_test convolve_layout_test launch_shape_test slot_copy_test)
  firbank_test(${name})
  target_link_libraries(${name} PRIVATE firbank_test_support)
endforeach()
foreach(name IN ITEMS cuda_backend_test cuda_direct_test cuda_graph_test cuda_edge_test call_bytes_test
                      fail_over_test engine_hybrid_test overload_test live_engine_change_test
                      plan_memory_test shared_copies_test array_on_device_test)
  firbank_test(${name})
  target_link_libraries(${name} PRIVATE firbank_test_support)
  firbank_uses_fake_device(${name})
  set_tests_properties(${name} PROPERTIES ENVIRONMENT FIRBANK_PLUGIN_DIR=${FIRBANK_FAKE_DEVICE_DIR})
endforeach()

target_sources(cuda_graph_test PRIVATE support/host_graph.cpp)
target_sources(cuda_edge_test PRIVATE support/host_graph.cpp)

firbank_test(ring_drive_test)
target_link_libraries(ring_drive_test PRIVATE firbank_test_support)
firbank_uses_fake_device(ring_drive_test)

# What holds for the CPU's backends holds for the device, but for streams in calls of one frame and of
# seven: each call is a launch, and the fake device takes minutes for them, and hours for the long
# sweeps.
foreach(name IN ITEMS backend_conformance_test direct_conformance_test engine_contract_test
                      engine_swap_test engine_nonfinite_test engine_pipeline_test
                      engine_compact_test)
  add_test(NAME ${name}_on_device
           COMMAND ${name} --gtest_filter=-Blocks/*ForAnyCalls/1:Blocks/*ForAnyCalls/7)
  set_tests_properties(${name}_on_device PROPERTIES TIMEOUT 900
    ENVIRONMENT "FIRBANK_PLUGIN_DIR=${FIRBANK_FAKE_DEVICE_DIR};FIRBANK_TEST_BACKENDS=cuda;FIRBANK_TEST_FULL=0")
endforeach()

# The measurements of bench/gpu, on the fake device: whether they run and are right, not how fast.
add_subdirectory(${PROJECT_SOURCE_DIR}/bench/gpu ${PROJECT_BINARY_DIR}/bench/gpu)
add_dependencies(gpu_paced firbank_fake_device)
add_dependencies(gpu_offline firbank_fake_device)
add_test(NAME gpu_bench
         COMMAND ${PROJECT_SOURCE_DIR}/bench/gpu/run --built ${PROJECT_BINARY_DIR}
                 --plugin-dir ${FIRBANK_FAKE_DEVICE_DIR} --quick)
set_tests_properties(gpu_bench PROPERTIES TIMEOUT 300)

# The script that measures GPUs, with stand-ins for its programs.
find_package(Python3 QUIET COMPONENTS Interpreter)
if(Python3_FOUND)
  add_test(NAME gpu_run_test
           COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_SOURCE_DIR}/gpu_run_test.py)
else()
  add_test(NAME gpu_run_test COMMAND ${CMAKE_COMMAND} -E echo "skipped: there is no python3 here")
  set_property(TEST gpu_run_test PROPERTY SKIP_REGULAR_EXPRESSION "skipped: ")
endif()
