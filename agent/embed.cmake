# nines_embed(OUT SYMBOL FOLDER): puts every file below FOLDER into the program by .incbin, which
# costs the compiler nothing and is the same for every target. OUT names the source made of it, which
# defines `const EmbeddedFile SYMBOL[]` (http/embedded.hpp), ending with a null.
function(nines_embed out symbol folder)
  file(GLOB_RECURSE files CONFIGURE_DEPENDS RELATIVE "${folder}" "${folder}/*")
  list(SORT files)
  set(blobs "")
  set(rows "")
  set(number 0)
  foreach(file IN LISTS files)
    if(file MATCHES "\\.(md|gitkeep)$")
      continue()
    endif()
    set(label "nines_${symbol}_${number}")
    string(APPEND blobs
      "asm(\".pushsection .rodata,\\\"a\\\",%progbits\\n.balign 16\\n.global ${label}\\n${label}:\\n\"\n"
      "    \".incbin \\\"${folder}/${file}\\\"\\n.global ${label}_end\\n${label}_end:\\n.byte 0\\n.popsection\\n\");\n"
      "extern \"C\" const char ${label}[], ${label}_end[];\n")
    string(APPEND rows "    {\"/${file}\", ${label}, ${label}_end},\n")
    math(EXPR number "${number} + 1")
  endforeach()
  string(CONCAT text
    "// Made by embed.cmake.\n#include \"http/embedded.hpp\"\n${blobs}"
    "namespace nines::agent::http {\nextern const EmbeddedFile ${symbol}[];\n"
    "const EmbeddedFile ${symbol}[] = {\n${rows}    {nullptr, nullptr, nullptr}};\n"
    "}  // namespace nines::agent::http\n")
  set(source "${CMAKE_CURRENT_BINARY_DIR}/embedded_${symbol}.cpp")
  file(CONFIGURE OUTPUT "${source}" CONTENT "@text@" @ONLY)
  list(TRANSFORM files PREPEND "${folder}/")
  set_source_files_properties("${source}" PROPERTIES OBJECT_DEPENDS "${files}")
  set(${out} "${source}" PARENT_SCOPE)
endfunction()
