// DNS messages as multicast DNS has them (RFC 1035, RFC 6762): written without compression, read
// with it. Bytes come from anybody on the link: names are bounded, pointers only go back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/result.hpp"

namespace nines::peer::dns {

enum class Type : uint16_t { a = 1, ptr = 12, txt = 16, aaaa = 28, srv = 33, any = 255 };

struct Question {
  std::string name;  // labels joined by dots, without the last one; a dot within a label is "\."
  Type type = Type::any;
};

struct Record {
  std::string name;
  Type type = Type::a;
  uint32_t ttl_s = 120;
  bool unique = false;             // "cache flush": replaces what was known of this name and type
  std::string target;              // ptr, srv: a name
  uint16_t port = 0;               // srv
  std::string data;                // a: 4 bytes, aaaa: 16 bytes
  std::vector<std::string> texts;  // txt
};

struct Message {
  bool response = false;
  std::vector<Question> questions;
  std::vector<Record>
      records;  // answers and additional ones; of types that are not known: left out
};

inline constexpr size_t kMaxMessage = 1400;  // fits one frame

// Records that do not fit any more are left out.
std::string encode(const Message& message);
Result<Message> decode(std::string_view bytes);  // corrupt

// Names are compared without regard to the case of ASCII letters.
bool same_name(std::string_view a, std::string_view b) noexcept;
// A text as one label: dots and backslashes escaped, cut at 63 bytes.
std::string as_label(std::string_view text);

}  // namespace nines::peer::dns
