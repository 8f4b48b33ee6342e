# Writes the unit and what goes with it (packaging/systemd) into a source file of the program, for
# `nines service install`.
set(text "// Made from packaging/systemd.\n#include \"cli/service_plan.hpp\"\n\nnamespace nines::agent {\n")
foreach(kind Service Sysusers Tmpfiles)
  string(TOLOWER "${kind}" ending)
  set(file "${CMAKE_SOURCE_DIR}/packaging/systemd/nines.${ending}")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
  file(READ "${file}" content)
  string(APPEND text "const char* const kEmbedded${kind} = R\"unit(${content})unit\";\n")
endforeach()
string(APPEND text "}  // namespace nines::agent\n")
set(embedded_service "${CMAKE_CURRENT_BINARY_DIR}/embedded_service.cpp")
file(CONFIGURE OUTPUT "${embedded_service}" CONTENT "@text@" @ONLY)
