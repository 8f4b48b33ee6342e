#include "http/content_coding.hpp"

#include <zlib.h>

#include <algorithm>
#include <cstdint>

#include "nines/base/bytes_text.hpp"
#include "nines/base/fnv1a.hpp"

namespace nines::agent::http {
namespace {

constexpr int kGzipWindow = 15 + 16;  // of zlib: the largest window, with the header of gzip
constexpr int kMemLevel = 8;

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Calls `each` with the members of a comma-separated list until one is what was looked for.
template <class Each>
bool any_of_list(std::string_view list, Each each) {
  while (!list.empty()) {
    const std::string_view one = list.substr(0, list.find(','));
    if (each(trim(one))) return true;
    list.remove_prefix(std::min(list.size(), one.size() + 1));
  }
  return false;
}

bool has_no_quality(std::string_view parameters) {
  const size_t q = parameters.find("q=");
  if (q == std::string_view::npos) return false;
  const std::string_view value = trim(parameters.substr(q + 2));
  return value.find_first_not_of("0.") == std::string_view::npos;
}

}  // namespace

std::string etag_of(std::string_view body) { return "W/\"" + hex_of(fnv1a64(body)) + '"'; }

bool matches(std::string_view if_none_match, std::string_view etag) {
  const auto opaque = [](std::string_view tag) {
    return tag.starts_with("W/") ? tag.substr(2) : tag;
  };
  return any_of_list(if_none_match, [&](std::string_view one) {
    return one == "*" || opaque(one) == opaque(etag);
  });
}

bool takes_gzip(std::string_view accept_encoding) {
  return any_of_list(accept_encoding, [](std::string_view one) {
    const size_t end = one.find(';');
    const std::string_view name = trim(one.substr(0, end));
    if (name != "gzip" && name != "*") return false;
    return end == std::string_view::npos || !has_no_quality(one.substr(end));
  });
}

std::string gzip(std::string_view body, int level) {
  z_stream stream{};
  if (deflateInit2(&stream, level, Z_DEFLATED, kGzipWindow, kMemLevel, Z_DEFAULT_STRATEGY) != Z_OK)
    return {};
  std::string out;
  out.resize(deflateBound(&stream, static_cast<uLong>(body.size())));
  // zlib reads from next_in only, whatever its type says.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
  stream.avail_in = static_cast<uInt>(body.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const bool whole = deflate(&stream, Z_FINISH) == Z_STREAM_END;
  out.resize(whole ? stream.total_out : 0);
  deflateEnd(&stream);
  return out;
}

bool wants_text(std::string_view accept) {
  bool text = false;
  const bool json = any_of_list(accept, [&](std::string_view one) {
    text = text || one.starts_with("text/plain");
    return one.find("json") != std::string_view::npos;
  });
  return text && !json;
}

}  // namespace nines::agent::http
