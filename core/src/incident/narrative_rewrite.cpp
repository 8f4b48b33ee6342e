// Whether a rewritten text says only what the facts say. Strict: what is refused by mistake costs
// nothing but style, since the text that it was made of is shown instead.
#include <algorithm>
#include <array>
#include <set>

#include "incident/text.hpp"
#include "nines/incident/narrative.hpp"

namespace nines::incident {
namespace {

using Words = std::set<std::string, std::less<>>;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

// Without what stands around words and numbers.
std::string_view bare(std::string_view word) {
  constexpr std::string_view kAround = ".,;:!?()[]{}<>\"'`*_~%+=|";
  while (!word.empty() && kAround.find(word.front()) != kAround.npos) word.remove_prefix(1);
  while (!word.empty() && kAround.find(word.back()) != kAround.npos) word.remove_suffix(1);
  if (word.size() > 1 && word.ends_with('-')) word.remove_suffix(1);
  return word;
}

template <class Take>
void each_word(std::string_view text, Take take) {
  while (!text.empty()) {
    const size_t size = std::min(text.find_first_of(" \t\r\n"), text.size());
    if (const auto word = bare(text.substr(0, size)); !word.empty()) take(word);
    text.remove_prefix(std::min(size + 1, text.size()));
  }
}

bool has_digit(std::string_view word) { return std::any_of(word.begin(), word.end(), is_digit); }
bool has_letter(std::string_view word) { return std::any_of(word.begin(), word.end(), is_letter); }

// Numbers that are written as words; "one" is too common a word to mean a number.
const std::string* spelled(std::string_view word) {
  static const std::array<std::pair<std::string_view, std::string>, 22> kSpelled{{
      {"two", "2"},         {"three", "3"},   {"four", "4"},    {"five", "5"},
      {"six", "6"},         {"seven", "7"},   {"eight", "8"},   {"nine", "9"},
      {"ten", "10"},        {"eleven", "11"}, {"twelve", "12"}, {"twenty", "20"},
      {"thirty", "30"},     {"forty", "40"},  {"fifty", "50"},  {"sixty", "60"},
      {"seventy", "70"},    {"eighty", "80"}, {"ninety", "90"}, {"hundred", "100"},
      {"thousand", "1000"}, {"dozen", "12"},
  }};
  for (const auto& [name, number] : kSpelled) {
    if (name == word) return &number;
  }
  return nullptr;
}

// A word that looks like a name of something and not like one of the language.
bool is_name_like(std::string_view word) {
  if (has_digit(word)) return true;
  for (size_t i = 1; i < word.size(); ++i) {
    if (word[i] >= 'A' && word[i] <= 'Z' && !(word[i - 1] >= 'A' && word[i - 1] <= 'Z'))
      return true;
    if (word[i] == '-' || word[i] == '_' || word[i] == '/' || word[i] == '.' || word[i] == ':' ||
        word[i] == '@') {
      return true;
    }
  }
  return false;
}

bool may_stand_before_service(std::string_view word) {
  static constexpr std::array<std::string_view, 22> kPlain{
      "the",   "a",   "an",    "this",     "that", "each",   "every", "any",
      "no",    "one", "other", "affected", "its",  "which",  "same",  "another",
      "whole", "per", "of",    "single",   "our",  "watched"};
  return std::find(kPlain.begin(), kPlain.end(), word) != kPlain.end();
}

Verdict refuse(std::string_view what, std::string_view word) {
  return {false,
          std::string(what) + " '" + std::string(word.substr(0, 64)) + "' is not among the facts"};
}

}  // namespace

std::vector<std::string> numbers_in(std::string_view text) {
  std::vector<std::string> out;
  each_word(text, [&](std::string_view word) {
    if (has_digit(word) && !has_letter(word)) out.emplace_back(word);
  });
  return out;
}

Verdict accepts_rewrite(std::string_view text, const Narrative& narrative,
                        const std::vector<std::string>& known) {
  if (text.empty()) return {false, "the text is empty"};
  if (text.size() > kMaxRewrite) return {false, "the text is too long"};
  Words facts, own;  // words of the facts; and of the text that they were told in
  for (const NarrativeFact& fact : narrative.facts) {
    each_word(fact.value, [&](std::string_view word) { facts.insert(lower(word)); });
  }
  each_word(narrative.text(), [&](std::string_view word) { own.insert(lower(word)); });
  Words names;
  for (const std::string& name : known) names.insert(lower(name));
  Verdict verdict{true, {}};
  std::string before;
  each_word(text, [&](std::string_view given) {
    if (!verdict.accepted) return;
    std::string word = lower(given);
    if (word.ends_with("'s")) word.resize(word.size() - 2);
    const bool fact = facts.contains(word);
    const std::string* number = spelled(word);
    if (number != nullptr && !facts.contains(*number)) verdict = refuse("number", given);
    if (has_digit(word) && !has_letter(word) && !fact) verdict = refuse("number", given);
    if (names.contains(word) && !fact) verdict = refuse("name", given);
    if (is_name_like(given) && !fact && !own.contains(word)) verdict = refuse("name", given);
    const bool service = word == "service" || word == "services";
    if (service && !before.empty() && !facts.contains(before) && !own.contains(before) &&
        !may_stand_before_service(before)) {
      verdict = refuse("service", before);
    }
    before = std::move(word);
  });
  return verdict;
}

}  // namespace nines::incident
