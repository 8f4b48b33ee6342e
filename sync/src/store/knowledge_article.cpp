// Markdown files as articles, and free text as words to look for.
#include <algorithm>
#include <cctype>

#include "knowledge_words.hpp"
#include "nines/store/knowledge_base.hpp"

namespace nines::store {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view next_line(std::string_view& text) {
  const size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return trimmed(line);
}

std::string_view unquoted(std::string_view text) {
  const bool quoted = text.size() > 1 && (text.front() == '"' || text.front() == '\'') &&
                      text.front() == text.back();
  return quoted ? text.substr(1, text.size() - 2) : text;
}

std::vector<std::string> list_of(std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  std::vector<std::string> out;
  while (!text.empty()) {
    const size_t comma = text.find(',');
    const std::string_view one = unquoted(trimmed(text.substr(0, comma)));
    if (!one.empty()) out.emplace_back(one);
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  return out;
}

void read_front_matter(std::string_view& text, Article& out) {
  std::string_view rest = text;
  if (next_line(rest) != "---" || rest.find("\n---") == std::string_view::npos) return;
  while (!rest.empty()) {
    const std::string_view line = next_line(rest);
    if (line == "---") break;
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view key = trimmed(line.substr(0, colon));
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (key == "title") out.title = unquoted(value);
    if (key == "service") out.service = unquoted(value);
    if (key == "kind") out.kind = unquoted(value);
    if (key == "templates") out.templates = list_of(value);
  }
  text = rest;
}

}  // namespace

Article read_markdown(std::string id, std::string_view text) {
  Article out;
  out.id = std::move(id);
  read_front_matter(text, out);
  out.text = std::string(text);
  for (std::string_view rest = text; out.title.empty() && !rest.empty();) {
    std::string_view line = next_line(rest);
    if (!line.starts_with('#')) continue;
    while (line.starts_with('#')) line.remove_prefix(1);
    out.title = trimmed(line);
  }
  if (out.title.empty()) out.title = out.id;
  return out;
}

std::string words_of(std::string_view text) {
  std::string out;
  size_t count = 0;
  for (size_t i = 0; i < text.size() && count < kMaxWords;) {
    const auto part = [&](size_t at) {
      const auto c = static_cast<unsigned char>(text[at]);
      return c >= 0x80 || std::isalnum(c) != 0;
    };
    size_t end = i;
    while (end < text.size() && part(end)) ++end;
    if (end - i > 1 && end - i <= kMaxWordBytes) {
      out += (out.empty() ? "\"" : " OR \"") + std::string(text.substr(i, end - i)) + "\"";
      ++count;
    }
    i = std::max(end, i + 1);
  }
  return out;
}

}  // namespace nines::store
