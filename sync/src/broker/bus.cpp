#include "nines/broker/bus.hpp"

#include <array>

namespace nines::broker {
namespace {

constexpr std::string_view kHex = "0123456789ABCDEF";

bool plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool same(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

}  // namespace

std::string_view header_of(const BusMessage& message, std::string_view name) {
  std::string_view rest = message.headers;
  for (size_t end = rest.find("\r\n"); end != std::string_view::npos; end = rest.find("\r\n")) {
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 2);
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || !same(line.substr(0, colon), name)) continue;
    std::string_view value = line.substr(colon + 1);
    while (value.starts_with(' ')) value.remove_prefix(1);
    return value;
  }
  return {};
}

std::string token_of(std::string_view name) {
  std::string token;
  for (const char c : name) {
    if (plain(c)) {
      token += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      token += '=';
      token += kHex[byte >> 4];
      token += kHex[byte & 15];
    }
  }
  return token;
}

std::string name_of_token(std::string_view token) {
  std::string name;
  for (size_t i = 0; i < token.size(); ++i) {
    if (plain(token[i])) {
      name += token[i];
      continue;
    }
    if (token[i] != '=' || i + 2 >= token.size()) return {};
    const size_t high = kHex.find(token[i + 1]), low = kHex.find(token[i + 2]);
    if (high == std::string_view::npos || low == std::string_view::npos) return {};
    name += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return name;
}

void Participant::denied(const Denied&, Bus&, Now) {}

std::string denial_text(const Denied& what) {
  std::string pattern(what.subject);
  for (const std::string_view stem : {"_INBOX.", ".query.", ".API."}) {
    const size_t at = what.subject.find(stem);
    if (at == std::string_view::npos) continue;
    pattern = std::string(what.subject.substr(0, at + stem.size())) + ">";
    break;
  }
  const std::string_view verb = what.publish ? "publish" : "subscribe";
  return "NATS forbids this login to " + std::string(verb) + " to " + std::string(what.subject) +
         "; what it lacks: permissions { " + std::string(verb) + ": \"" + pattern + "\" }";
}

}  // namespace nines::broker
