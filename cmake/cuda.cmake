# Says whether the CUDA Toolkit is here. This version has CPU backends only, with or without it.
find_program(FIRBANK_NVCC nvcc HINTS $ENV{CUDA_HOME}/bin /usr/local/cuda/bin)
mark_as_advanced(FIRBANK_NVCC)
if(FIRBANK_NVCC)
  message(STATUS "CUDA: nvcc found, but this version has no CUDA backend; building the CPU backends only")
else()
  message(STATUS "CUDA: no nvcc found; building the CPU backends only")
endif()
