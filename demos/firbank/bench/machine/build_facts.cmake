# Writes OUTPUT, the source of build_facts.hpp, unless it says the same already: what follows from it
# is not built again then.
#   cmake -DROOT=... -DVERSION=... -DCOMPILER=... -DFLAGS=... -DBUILD_TYPE=... -DTARGET=...
#         -DOUTPUT=... -P build_facts.cmake
set(commit unknown)
find_program(git git)
if(git)
  # Another repository's, where git itself started this build, as its hooks may.
  foreach(name GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE)
    unset(ENV{${name}})
  endforeach()
  file(REAL_PATH "${ROOT}" root)
  # The tree may belong to somebody else than who builds it; nothing of it is executed here.
  set(ask ${git} -c safe.directory=${root} -c core.fsmonitor=false --no-optional-locks -C ${root})
  macro(git_says result)
    execute_process(COMMAND ${ask} ${ARGN} RESULT_VARIABLE failed OUTPUT_VARIABLE ${result}
                    ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
  endmacro()
  # A tree without a repository of its own may lie in one of something else.
  git_says(top rev-parse --show-toplevel)
  if(NOT failed AND NOT top STREQUAL "")
    file(REAL_PATH "${top}" top)
    if(top STREQUAL root)
      git_says(head rev-parse --short=12 HEAD)
      if(NOT failed AND head MATCHES "^[0-9a-f]+$")
        set(commit ${head})
        git_says(changes status --porcelain --untracked-files=no --ignore-submodules=none)
        if(failed OR NOT changes STREQUAL "")
          string(APPEND commit -changed)
        endif()
      endif()
    endif()
  endif()
endif()

string(STRIP "${FLAGS}" FLAGS)
string(REGEX REPLACE " +" " " FLAGS "${FLAGS}")
set(text "#include \"demos/firbank/bench/machine/build_facts.hpp\"

namespace firbank::program {

const BuildFacts kBuildFacts = {")
foreach(fact VERSION commit COMPILER FLAGS BUILD_TYPE TARGET)
  string(APPEND text "\n    R\"fact(${${fact}})fact\",")
endforeach()
string(APPEND text "\n};\n\n}  // namespace firbank::program\n")
set(before "")
if(EXISTS ${OUTPUT})
  file(READ ${OUTPUT} before)
endif()
if(NOT text STREQUAL before)
  file(WRITE ${OUTPUT} "${text}")
endif()
