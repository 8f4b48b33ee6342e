// What a response is called (ETag) and how small it is sent (gzip), by what the client said.
#pragma once

#include <string>
#include <string_view>

namespace nines::agent::http {

// Weak, since it stands for the content however it is encoded: W/"00c0ffee00c0ffee".
std::string etag_of(std::string_view body);
// If-None-Match names it, or is "*" (RFC 9110 13.1.2).
bool matches(std::string_view if_none_match, std::string_view etag);

// Accept-Encoding takes gzip (a quality of 0 refuses it).
bool takes_gzip(std::string_view accept_encoding);
// Empty when it cannot be done. level 1 (fast) to 9 (small).
std::string gzip(std::string_view body, int level);

// Accept asks for text and for no JSON: what people at a terminal want to read.
bool wants_text(std::string_view accept);

}  // namespace nines::agent::http
