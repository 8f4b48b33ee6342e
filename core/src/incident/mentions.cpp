#include "nines/incident/mentions.hpp"

#include <algorithm>

namespace nines::incident {
namespace {

constexpr size_t kMostHosts = 8, kMaxHost = 63;

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_of_name(char c) noexcept { return is_digit(c) || is_letter(c) || c == '-' || c == '.'; }

// Where the name ends that begins at `from`.
size_t end_of_name(std::string_view text, size_t from) noexcept {
  while (from < text.size() && is_of_name(text[from])) ++from;
  return from;
}

bool is_port_at(std::string_view text, size_t at) noexcept {
  size_t end = at;
  while (end < text.size() && is_digit(text[end])) ++end;
  const bool stops = end == text.size() || !(is_of_name(text[end]) || text[end] == ':') ||
                     (text[end] == '.' && (end + 1 == text.size() || text[end + 1] == ' '));
  return end - at >= 2 && end - at <= 5 && stops;
}

void add_host(std::vector<std::string_view>& out, std::string_view name) {
  name = name.substr(0, name.find('.'));
  if (name.empty() || name.size() > kMaxHost || !is_letter(name.front())) return;
  if (out.size() >= kMostHosts || std::find(out.begin(), out.end(), name) != out.end()) return;
  out.push_back(name);
}

}  // namespace

std::vector<std::string_view> hosts_in(std::string_view text) {
  std::vector<std::string_view> out;
  for (size_t at = text.find_first_of(":@"); at != text.npos;
       at = text.find_first_of(":@", at + 1)) {
    if (text[at] == '@' || text.substr(at, 3) == "://") {
      const size_t from = at + (text[at] == '@' ? 1 : 3);
      const size_t end = end_of_name(text, from);
      const bool is_user = end < text.size() && text[end] == '@';
      if (!is_user) add_host(out, text.substr(from, end - from));
    } else if (is_port_at(text, at + 1)) {
      size_t from = at;
      while (from > 0 && is_of_name(text[from - 1])) --from;
      add_host(out, text.substr(from, at - from));
    }
  }
  return out;
}

void Mentions::read(std::string_view service, std::string_view text, WallTime at) {
  for (const std::string_view host : hosts_in(text)) {
    if (host == service) continue;
    const std::pair key{std::string(service), std::string(host)};
    const auto known = seen_.find(key);
    if (known != seen_.end()) {
      known->second = std::max(known->second, at);
      continue;
    }
    if (seen_.size() >= kMost) {
      ++let_go_;
      seen_.erase(std::min_element(seen_.begin(), seen_.end(), [](const auto& a, const auto& b) {
        return a.second < b.second;
      }));
    }
    seen_.emplace(key, at);
  }
}

std::vector<std::pair<std::string, std::string>> Mentions::pairs(
    WallTime now, const std::function<bool(const std::string&)>& is_service) const {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& [pair, at] : seen_) {
    if (now.ns - at.ns <= kKeepNs && is_service(pair.second)) out.push_back(pair);
  }
  return out;
}

}  // namespace nines::incident
