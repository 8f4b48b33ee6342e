// PageFiles: the files of the page as they are compiled in. index.html is "/"; what has a hash in
// its name never changes and is kept by browsers, the rest is asked for again by its ETag. Not
// thread-safe: what was asked for is kept compressed.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "http/embedded.hpp"
#include "http/message.hpp"

namespace nines::agent::http {

// Nothing inline, nothing from elsewhere.
extern const char* const kPagePolicy;

class PageFiles {
 public:
  explicit PageFiles(std::span<const EmbeddedFile> files);
  // nullopt: no file of that path. Compressed where the request takes it.
  std::optional<HttpResponse> find(const HttpRequest& request);
  bool has_index() const { return files_.contains("/"); }

 private:
  struct File {
    std::string_view content;
    const char* type = nullptr;
    bool hashed = false;
    std::string etag, gzip;  // made when first asked for
  };
  std::map<std::string, File, std::less<>> files_;
};

// "app-1a2b3c4d.js": the name changes with the content.
bool has_hash(std::string_view path);

}  // namespace nines::agent::http
