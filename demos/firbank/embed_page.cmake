# firbank_embed_page(OUTPUT HEADER FOLDER FILES...): has the build write OUTPUT, a source with the bytes
# of FILES in FOLDER; HEADER declares them: live.html is kLiveHtml.
#
# Run as a script it is what the build does then:
#   cmake -DFOLDER=... -DFILES=live.html,page.css -DHEADER=... -DOUTPUT=... -P embed_page.cmake
if(NOT CMAKE_SCRIPT_MODE_FILE)
  set(embed_page_script ${CMAKE_CURRENT_LIST_FILE})
  function(firbank_embed_page output header folder)
    list(TRANSFORM ARGN PREPEND ${folder}/ OUTPUT_VARIABLE paths)
    list(JOIN ARGN "," names)
    add_custom_command(
      OUTPUT ${output}
      COMMAND ${CMAKE_COMMAND} -DFOLDER=${folder} -DFILES=${names}
              -DHEADER=${header} -DOUTPUT=${output} -P ${embed_page_script}
      DEPENDS ${embed_page_script} ${paths}
      VERBATIM)
  endfunction()
  return()
endif()

set(text "#include \"${HEADER}\"\n\nnamespace firbank::program {\n")
string(REPLACE "," ";" FILES "${FILES}")
foreach(file IN LISTS FILES)
  set(constant k)
  string(REPLACE "." ";" words ${file})
  foreach(word IN LISTS words)
    string(SUBSTRING ${word} 0 1 first)
    string(SUBSTRING ${word} 1 -1 rest)
    string(TOUPPER ${first} first)
    string(APPEND constant ${first}${rest})
  endforeach()
  file(READ ${FOLDER}/${file} bytes HEX)
  string(LENGTH "${bytes}" length)
  math(EXPR length "${length} / 2")
  string(REGEX REPLACE "(..)" "\\\\x\\1" bytes "${bytes}")
  # Literals side by side are one, and none of them is longer than compilers like.
  set(repeat "....................................................................................")
  string(REGEX REPLACE "(${repeat})" "\\1\"\n    \"" bytes "${bytes}")
  string(APPEND text "const std::string_view ${constant}(\n    \"${bytes}\", ${length});\n")
endforeach()
file(WRITE ${OUTPUT} "${text}}  // namespace firbank::program\n")
