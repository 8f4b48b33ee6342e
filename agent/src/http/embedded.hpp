// Files that are compiled into the program (embed.cmake).
#pragma once

#include <span>
#include <string_view>

namespace nines::agent::http {

struct EmbeddedFile {
  const char* path;  // "/index.html", below the folder that was embedded
  const char *begin, *end;
  std::string_view content() const {
    return {begin, static_cast<std::string_view::size_type>(end - begin)};
  }
};

std::span<const EmbeddedFile> embedded_page();  // agent/page/dist
std::string_view embedded_openapi();            // agent/api/openapi.json

}  // namespace nines::agent::http
