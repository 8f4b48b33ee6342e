// Bytes as text: hexadecimal in lower case, and base64 in both alphabets (RFC 4648, sections 8, 4
// and 5). Not in constant time: what is secret and is compared, is compared as bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nines {

void append_hex(std::string& out, uint8_t byte);  // two digits
std::string hex_of(std::string_view bytes);
std::string hex_of(uint64_t value);  // 16 digits, the most significant ones first

std::string base64_of(std::string_view bytes);      // with '='
std::string base64_url_of(std::string_view bytes);  // '-' and '_', without '='
// nullopt: it is no such text, or not the one that the bytes are written as.
std::optional<std::string> bytes_of_base64(std::string_view text);
std::optional<std::string> bytes_of_base64_url(std::string_view text);

}  // namespace nines
