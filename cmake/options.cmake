# firbank_options: what every target of this project is compiled with; never exported.
add_library(firbank_options INTERFACE)
target_include_directories(firbank_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(firbank_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow)
if(FIRBANK_WARNINGS_AS_ERRORS)
  target_compile_options(firbank_options INTERFACE -Werror)
endif()

set(sanitize "")
if(FIRBANK_SANITIZE STREQUAL "address")
  set(sanitize -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
elseif(FIRBANK_SANITIZE STREQUAL "thread")
  set(sanitize -fsanitize=thread)
elseif(FIRBANK_SANITIZE STREQUAL "realtime")
  set(sanitize -fsanitize=realtime)
elseif(FIRBANK_SANITIZE)
  message(FATAL_ERROR "FIRBANK_SANITIZE is '${FIRBANK_SANITIZE}'; address, thread, realtime or "
                      "an empty text are allowed")
endif()
if(sanitize)
  target_compile_options(firbank_options INTERFACE ${sanitize} -g -O1)
  target_link_options(firbank_options INTERFACE ${sanitize})
endif()

if(FIRBANK_BUILD_FUZZERS)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "FIRBANK_BUILD_FUZZERS needs clang; the compiler is "
                        "${CMAKE_CXX_COMPILER_ID} (set CMAKE_CXX_COMPILER=clang++)")
  endif()
  # The code under test tells the fuzzer where it went; only the fuzzers bring its main().
  target_compile_options(firbank_options INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(firbank_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
