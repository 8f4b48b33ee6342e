#include "http/embedded.hpp"

namespace nines::agent::http {

extern const EmbeddedFile kPageDist[];     // of embed.cmake
extern const EmbeddedFile kApiDocument[];  // one file

std::span<const EmbeddedFile> embedded_page() {
  size_t count = 0;
  while (kPageDist[count].path != nullptr) ++count;
  return {kPageDist, count};
}

std::string_view embedded_openapi() { return kApiDocument[0].content(); }

}  // namespace nines::agent::http
