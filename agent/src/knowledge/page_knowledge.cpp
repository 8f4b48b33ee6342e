#include "knowledge/page_knowledge.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "nines/base/json_writer.hpp"
#include "notify/message.hpp"
#include "view/text.hpp"

namespace nines::agent::knowledge {
namespace {

constexpr size_t kMostLines = 2, kMaxLine = 200;

// Words that nearly every text has; too few to be a list of any language.
constexpr std::array<std::string_view, 34> kSaysNothing = {
    "about", "after", "all",   "and",  "are",  "been", "but",    "can",   "does",
    "for",   "from",  "had",   "has",  "have", "into", "its",    "last",  "more",
    "not",   "now",   "one",   "only", "that", "the",  "then",   "there", "they",
    "this",  "time",  "usual", "was",  "when", "with", "usually"};

bool is_word_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || std::isalnum(byte) != 0;
}

std::string_view trimmed(std::string_view line) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!line.empty() && blank(line.front())) line.remove_prefix(1);
  while (!line.empty() && blank(line.back())) line.remove_suffix(1);
  return line;
}

// A section while it is read.
struct Part {
  std::string_view heading;
  std::vector<std::string_view> lines;
  std::string text;  // in small letters, for what is looked for
};

std::string small(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

std::vector<Part> parts_of(std::string_view markdown) {
  std::vector<Part> out(1);
  bool code = false;  // where '#' begins a comment
  while (!markdown.empty()) {
    const size_t end = markdown.find('\n');
    const std::string_view line = trimmed(markdown.substr(0, end));
    markdown.remove_prefix(end == std::string_view::npos ? markdown.size() : end + 1);
    const bool fence = line.starts_with("```") || line.starts_with("~~~");
    code = code != fence;
    if (!code && !fence && line.starts_with('#')) {
      out.emplace_back();
      out.back().heading = trimmed(line.substr(std::min(line.find_first_not_of('#'), line.size())));
      out.back().text = small(line) + '\n';
      continue;
    }
    if (line.empty()) continue;
    Part& part = out.back();
    part.text.append(small(line)).push_back('\n');
    if (!fence && part.lines.size() < kMostLines) part.lines.push_back(line);
  }
  return out;
}

// `word` stands there as one, not within another.
bool has_word(std::string_view text, std::string_view word) {
  for (size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const size_t end = at + word.size();
    const bool begins = at == 0 || !is_word_byte(text[at - 1]);
    if (begins && (end == text.size() || !is_word_byte(text[end]))) return true;
  }
  return false;
}

size_t found_in(std::string_view text, const std::vector<std::string>& words) {
  return static_cast<size_t>(std::count_if(
      words.begin(), words.end(), [&](const std::string& word) { return has_word(text, word); }));
}

void write_note(JsonWriter& json, const PageNote& note) {
  json.begin_object().member("id", note.id).member("title", note.title);
  json.member("section", note.section).key("lines").begin_array();
  for (const std::string& line : note.lines) json.value(line);
  json.end_array().member("why", note.why).member("read", note.read).end_object();
}

std::string plain(std::string_view text) { return notify::cut(view::printable(text), kMaxLine); }

}  // namespace

std::vector<std::string> telling_words(std::string_view text, size_t most) {
  std::vector<std::string> out;
  for (size_t i = 0; i < text.size() && out.size() < most;) {
    size_t end = i;
    while (end < text.size() && is_word_byte(text[end])) ++end;
    if (const size_t size = end - i; size > 2 && size <= 64) {
      std::string word = small(text.substr(i, size));
      const bool number = word.find_first_not_of("0123456789") == std::string::npos;
      const bool common =
          std::find(kSaysNothing.begin(), kSaysNothing.end(), word) != kSaysNothing.end();
      const bool known = std::find(out.begin(), out.end(), word) != out.end();
      if (!number && !common && !known) out.push_back(std::move(word));
    }
    i = std::max(end, i + 1);
  }
  return out;
}

Section best_section(std::string_view markdown, const std::vector<std::string>& words,
                     const std::vector<std::string>& templates) {
  const std::vector<Part> parts = parts_of(markdown);
  const Part* best = nullptr;
  size_t most = 0;
  std::string all;
  for (const Part& part : parts) {
    all += part.text;
    if (part.lines.empty()) continue;
    const size_t score =
        found_in(part.text, templates) * (words.size() + 1) + found_in(part.text, words);
    if (best != nullptr && score <= most) continue;
    best = &part;
    most = score;
  }
  Section out;
  out.words = found_in(all, words);
  if (best == nullptr) return out;
  out.heading = plain(best->heading);
  for (const std::string_view line : best->lines) out.lines.push_back(plain(line));
  return out;
}

std::string to_text(const PageKnowledge& knowledge) {
  std::string out;
  const auto line = [&](const std::string& text) { out += (out.empty() ? "" : "\n") + text; };
  if (const auto& note = knowledge.runbook) {
    const bool named = !note->section.empty() && note->section != note->title;
    line("What to do: " + note->title + (named ? ", " + note->section : ""));
    for (const std::string& one : note->lines) line("  " + one);
    line("  " + note->read);
  }
  for (const PageNote& note : knowledge.similar) {
    line("Like it: " + note.title + " (" + note.read + ")");
  }
  return out;
}

std::string to_json(const PageKnowledge& knowledge) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  if (knowledge.runbook) {
    json.key("runbook");
    write_note(json, *knowledge.runbook);
  }
  json.key("similar").begin_array();
  for (const PageNote& note : knowledge.similar) write_note(json, note);
  json.end_array().end_object();
  return out;
}

void attach(slo::AlertEvent& event, const PageKnowledge& knowledge) {
  if (knowledge.empty() || event.detail(kJsonDetail) != nullptr) return;
  event.details.emplace_back(kJsonDetail, to_json(knowledge));
  event.details.emplace_back(kTextDetail, to_text(knowledge));
}

}  // namespace nines::agent::knowledge
