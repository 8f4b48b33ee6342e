#include "http/page.hpp"

#include <utility>

#include "http/content_coding.hpp"

namespace nines::agent::http {
namespace {

constexpr int kSmallest = 9;
constexpr size_t kLeastHash = 8;

struct Ending {
  std::string_view ending;
  const char* type;
  bool compresses;
};
constexpr Ending kTypes[] = {{".html", "text/html; charset=utf-8", true},
                             {".js", "text/javascript; charset=utf-8", true},
                             {".mjs", "text/javascript; charset=utf-8", true},
                             {".css", "text/css; charset=utf-8", true},
                             {".svg", "image/svg+xml", true},
                             {".json", "application/json", true},
                             {".map", "application/json", true},
                             {".webmanifest", "application/manifest+json", true},
                             {".txt", "text/plain; charset=utf-8", true},
                             {".png", "image/png", false},
                             {".ico", "image/x-icon", false},
                             {".woff2", "font/woff2", false}};

const Ending* ending_of(std::string_view path) {
  for (const Ending& one : kTypes) {
    if (path.ends_with(one.ending)) return &one;
  }
  return nullptr;
}

bool is_of_hash(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

}  // namespace

const char* const kPagePolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src "
    "'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'";

bool has_hash(std::string_view path) {
  const size_t dot = path.rfind('.');
  if (dot == std::string_view::npos) return false;
  const std::string_view stem = path.substr(0, dot);
  const size_t dash = stem.rfind('-');
  if (dash == std::string_view::npos || stem.size() - dash - 1 < kLeastHash) return false;
  bool digit = false;
  for (const char c : stem.substr(dash + 1)) {
    if (!is_of_hash(c)) return false;
    digit = digit || (c >= '0' && c <= '9');
  }
  return digit;  // "service-overview.js" is a word
}

PageFiles::PageFiles(std::span<const EmbeddedFile> files) {
  for (const EmbeddedFile& one : files) {
    std::string path(one.path);
    const Ending* const ending = ending_of(path);
    const bool hashed = has_hash(path);
    if (path == "/index.html") path = "/";
    const char* const type = ending == nullptr ? "application/octet-stream" : ending->type;
    files_[path] = File{one.content(), type, hashed, {}, {}};
  }
}

std::optional<HttpResponse> PageFiles::find(const HttpRequest& request) {
  const auto found = files_.find(request.path);
  if (found == files_.end()) return std::nullopt;
  File& file = found->second;
  if (file.etag.empty()) {
    file.etag = etag_of(file.content);
    const Ending* const ending = ending_of(request.path == "/" ? ".html" : found->first);
    if (ending != nullptr && ending->compresses) file.gzip = gzip(file.content, kSmallest);
    if (file.gzip.size() >= file.content.size()) file.gzip.clear();
  }
  HttpResponse response;
  response.content_type = file.type;
  response.headers = {
      {"ETag", file.etag},
      {"Cache-Control", file.hashed ? "public, max-age=31536000, immutable" : "no-cache"},
      {"Vary", "Accept-Encoding"},
      {"Content-Security-Policy", kPagePolicy}};
  if (matches(request.if_none_match, file.etag)) {
    response.status = 304;
    return response;
  }
  if (!file.gzip.empty() && takes_gzip(request.accept_encoding)) {
    response.body = file.gzip;
    response.headers.emplace_back("Content-Encoding", "gzip");
  } else {
    response.body = file.content;
  }
  return response;
}

}  // namespace nines::agent::http
