# The CUDA plug-in, a module of its own that libfirbank opens at run time. Everything else builds
# without nvcc, and so does this file: it says in one line what is built and why.
set(FIRBANK_CUDA AUTO CACHE STRING "Build the CUDA plug-in: AUTO (where nvcc works), ON or OFF")
set_property(CACHE FIRBANK_CUDA PROPERTY STRINGS AUTO ON OFF)
set(FIRBANK_CUDA_ARCHITECTURES "75;80;86;89;90;100;120" CACHE STRING
    "Compute capabilities that the plug-in has code for; newer ones compile it from the last's PTX")
find_program(FIRBANK_NVCC nvcc HINTS $ENV{CUDA_HOME}/bin /usr/local/cuda/bin)
mark_as_advanced(FIRBANK_NVCC)

# firbank_cuda_obstacle(RESULT): why the plug-in cannot be built here; empty when it can.
function(firbank_cuda_obstacle result)
  set(${result} "" PARENT_SCOPE)
  if(CMAKE_CUDA_COMPILER)
    set(nvcc "${CMAKE_CUDA_COMPILER}")
  else()
    set(nvcc "${FIRBANK_NVCC}")
  endif()
  if(NOT nvcc)
    set(${result} "no nvcc found" PARENT_SCOPE)
    return()
  endif()
  execute_process(COMMAND ${nvcc} --list-gpu-code OUTPUT_VARIABLE known ERROR_QUIET
                  RESULT_VARIABLE failed)
  if(failed)
    set(${result} "${nvcc} does not run" PARENT_SCOPE)
    return()
  endif()
  string(REGEX MATCHALL "[^ \n]+" known "${known}")
  foreach(architecture IN LISTS FIRBANK_CUDA_ARCHITECTURES)
    if(NOT sm_${architecture} IN_LIST known)
      list(JOIN known " " known)
      set(${result} "${nvcc} has no sm_${architecture} of FIRBANK_CUDA_ARCHITECTURES, only ${known}"
          PARENT_SCOPE)
      return()
    endif()
  endforeach()
  # In the environment, so that CMake still tries the compiler out before it is relied on.
  set(ENV{CUDACXX} "${nvcc}")
  include(CheckLanguage)
  check_language(CUDA)
  if(NOT CMAKE_CUDA_COMPILER)
    set(${result} "${nvcc} compiles nothing here" PARENT_SCOPE)
  endif()
endfunction()

set(obstacle "")
if(NOT FIRBANK_CUDA MATCHES "^(AUTO|ON|OFF)$")
  message(FATAL_ERROR "FIRBANK_CUDA is '${FIRBANK_CUDA}'; AUTO, ON or OFF are allowed")
elseif(FIRBANK_CUDA STREQUAL "OFF")
  set(obstacle "FIRBANK_CUDA is OFF")
elseif(FIRBANK_CUDA STREQUAL "AUTO" AND FIRBANK_SANITIZE)
  # nvcc's code is not instrumented: the tests' fake device runs the kernels there.
  set(obstacle "sanitizers are on")
else()
  list(TRANSFORM FIRBANK_CUDA_ARCHITECTURES APPEND "-real" OUTPUT_VARIABLE CMAKE_CUDA_ARCHITECTURES)
  list(GET FIRBANK_CUDA_ARCHITECTURES -1 newest)
  list(APPEND CMAKE_CUDA_ARCHITECTURES ${newest}-virtual)
  firbank_cuda_obstacle(obstacle)
endif()
if(obstacle)
  if(FIRBANK_CUDA STREQUAL "ON")
    message(FATAL_ERROR "CUDA: ${obstacle}")
  endif()
  message(STATUS "CUDA: ${obstacle}; building the CPU backends only")
  return()
endif()

# CMake 3.25.1 does not know that nvcc knows C++20.
if(CMAKE_VERSION VERSION_LESS 3.25.2)
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION "-std=c++20")
  set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION "-std=c++20")
endif()
enable_language(CUDA)
if(CMAKE_CXX_COMPILER_LAUNCHER AND NOT DEFINED CMAKE_CUDA_COMPILER_LAUNCHER)
  set(CMAKE_CUDA_COMPILER_LAUNCHER ${CMAKE_CXX_COMPILER_LAUNCHER})
endif()
list(JOIN FIRBANK_CUDA_ARCHITECTURES " " architectures)
message(STATUS "CUDA: building the plug-in with nvcc ${CMAKE_CUDA_COMPILER_VERSION} for compute "
               "capabilities ${architectures}")

# What launches kernels holds none, and need not be compiled for every architecture.
add_library(firbank_cuda_host OBJECT kernels/cuda/device.cu kernels/cuda/plugin.cu)
set_target_properties(firbank_cuda_host PROPERTIES CUDA_ARCHITECTURES ${newest}-virtual)
add_library(firbank_cuda MODULE
  kernels/cuda/kernels_double.cu kernels/cuda/kernels_float.cu $<TARGET_OBJECTS:firbank_cuda_host>)
foreach(target IN ITEMS firbank_cuda_host firbank_cuda)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR})
  # A kernel that spills registers, or keeps anything in local memory, is a mistake. Uncompressed
  # code loads sooner, and a test reads what is in it.
  target_compile_options(${target} PRIVATE
    -Xcompiler=-Wall,-Wextra -Werror=all-warnings
    -Xptxas=--warn-on-spills,--warn-on-local-memory-usage --no-compress --threads=2)
  set_target_properties(${target} PROPERTIES
    CUDA_STANDARD 20 CUDA_STANDARD_REQUIRED ON CUDA_EXTENSIONS OFF
    CUDA_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    CUDA_RUNTIME_LIBRARY Static
    POSITION_INDEPENDENT_CODE ON)
endforeach()
# Nothing but the entry point is exported, not even what the libraries linked in would.
set(plugin_symbols ${PROJECT_SOURCE_DIR}/kernels/cuda/plugin.symbols)
target_link_options(firbank_cuda PRIVATE LINKER:--version-script=${plugin_symbols})
set_property(TARGET firbank_cuda APPEND PROPERTY LINK_DEPENDS ${plugin_symbols})
install(TARGETS firbank_cuda LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
