# Writes OUTPUT, a source with the bytes of the page's files in FOLDER (page_files.hpp):
#   cmake -DFOLDER=... -DOUTPUT=... -P embed_page.cmake
set(text "#include \"demos/firbank/monitor/page_files.hpp\"\n\nnamespace firbank::program {\n")
foreach(kind IN ITEMS Html Css Js)
  string(TOLOWER page.${kind} file)
  file(READ ${FOLDER}/${file} bytes HEX)
  string(LENGTH "${bytes}" length)
  math(EXPR length "${length} / 2")
  string(REGEX REPLACE "(..)" "\\\\x\\1" bytes "${bytes}")
  # Literals side by side are one, and none of them is longer than compilers like.
  set(repeat "....................................................................................")
  string(REGEX REPLACE "(${repeat})" "\\1\"\n    \"" bytes "${bytes}")
  string(APPEND text "const std::string_view kPage${kind}(\n    \"${bytes}\", ${length});\n")
endforeach()
file(WRITE ${OUTPUT} "${text}}  // namespace firbank::program\n")
