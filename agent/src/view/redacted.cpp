#include "view/redacted.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace nines::agent::view {
namespace {

constexpr std::string_view kHidden = "***";

// In small letters and without '-', '_' and '.': part of a name, and the whole of one.
constexpr std::array<std::string_view, 12> kWithin = {
    "password",  "passwd",     "passphrase",    "secret", "token",      "apikey",
    "accesskey", "privatekey", "authorization", "cookie", "credential", "sessionid"};
constexpr std::array<std::string_view, 9> kWhole = {"pwd", "pass", "auth",      "jwt",    "sid",
                                                    "sig", "pin",  "signature", "session"};
constexpr std::array<std::string_view, 8> kKeys = {"AKIA", "ASIA",   "ghp_",  "gho_",
                                                   "ghs_", "glpat-", "xoxb-", "github_pat_"};
constexpr size_t kLeastKey = 16, kLeastCredential = 6;

char small(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return small(c) >= 'a' && small(c) <= 'z'; }
bool is_name(char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '-' || c == '.'; }
bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_token(char c) {
  return is_name(c) || c == '+' || c == '/' || c == '=' || c == '~' || c == '%';
}
bool ends_value(char c) {
  return is_blank(c) || c == '&' || c == ',' || c == ';' || c == ')' || c == '}' || c == ']' ||
         c == '"' || c == '\'' || c == '<' || c == '>' || c == '|';
}

std::string plain_name(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c != '_' && c != '-' && c != '.') out += small(c);
  }
  return out;
}

bool is_secret(const std::string& name) {
  return std::find(kWhole.begin(), kWhole.end(), name) != kWhole.end() ||
         std::any_of(kWithin.begin(), kWithin.end(),
                     [&](std::string_view part) { return name.find(part) != std::string::npos; });
}

// Card numbers have a check digit, and these first ones.
bool is_card(std::string_view digits) {
  if (digits.size() < 13 || digits.size() > 19 || digits[0] < '3' || digits[0] > '6') return false;
  int sum = 0;
  for (size_t i = 0; i < digits.size(); ++i) {
    int digit = digits[digits.size() - 1 - i] - '0';
    if (i % 2 == 1) digit = digit > 4 ? digit * 2 - 9 : digit * 2;
    sum += digit;
  }
  return sum % 10 == 0;
}

class Redactor {
 public:
  explicit Redactor(std::string_view line) : line_(line) {}

  std::string run() {
    while (at_ < line_.size()) {
      if (line_.substr(at_).starts_with("-----BEGIN")) return out_ += kHidden;
      if (!is_name(line_[at_])) {
        if (!hide_user()) copy(at_ + 1);
        continue;
      }
      word();
    }
    return std::move(out_);
  }

 private:
  void copy(size_t end) {
    out_.append(line_.substr(at_, end - at_));
    at_ = end;
  }
  void hide(size_t end) {
    out_ += kHidden;
    at_ = end;
  }
  template <class Is>
  size_t skip(size_t from, Is is) const {
    while (from < line_.size() && is(line_[from])) ++from;
    return from;
  }

  void word() {
    const size_t end = skip(at_, is_name);
    const std::string_view text = line_.substr(at_, end - at_);
    const size_t at = skip(at_, [](char c) { return is_name(c) || c == '+' || c == '%'; });
    if (at < line_.size() && line_[at] == '@' && mail(at)) return hide(at);
    if (is_key(text)) return hide(skip(end, is_token));
    if (is_card(card_digits(end))) return hide(card_end_);
    const std::string name = plain_name(text);
    if (name == "bearer" || name == "basic") return credential(end);
    if (!is_secret(name)) return copy(end);
    const bool rest =
        name.find("authorization") != std::string::npos || name.find("cookie") != std::string::npos;
    copy(end);
    value(rest);
  }

  // What stands before "@host.".
  bool mail(size_t at) const {
    const size_t end = skip(at + 1, is_name);
    return line_.substr(at + 1, end - at - 1).find('.') != std::string_view::npos;
  }

  static bool is_key(std::string_view text) {
    const bool named = std::any_of(kKeys.begin(), kKeys.end(),
                                   [&](std::string_view key) { return text.starts_with(key); });
    const bool web_token = text.starts_with("eyJ") && text.find('.') != std::string_view::npos;
    return (named || web_token) && text.size() >= kLeastKey;
  }

  // Digits from here on, with single blanks and dashes in between; sets card_end_.
  std::string card_digits(size_t end) {
    std::string digits;
    card_end_ = end;
    for (size_t i = at_; i < line_.size() && digits.size() < 20; ++i) {
      if (is_digit(line_[i])) {
        digits += line_[i];
        card_end_ = i + 1;
      } else if ((line_[i] != ' ' && line_[i] != '-') || digits.size() % 4 != 0 ||
                 (i > 0 && !is_digit(line_[i - 1]))) {
        break;
      }
    }
    if (card_end_ < line_.size() && (is_letter(line_[card_end_]) || line_[card_end_] == '_')) {
      digits.clear();
    }
    return digits;
  }

  void credential(size_t end) {
    const size_t begins = skip(end, is_blank);
    const size_t ends = skip(begins, is_token);
    if (begins == end || ends - begins < kLeastCredential) return copy(end);
    copy(begins);
    hide(ends);
  }

  // After a name: [quote] blanks (= or :) blanks, then what it is.
  void value(bool rest) {
    size_t i = skip(at_, [](char c) { return c == '"' || c == '\'' || c == '\\'; });
    i = skip(i, is_blank);
    if (i >= line_.size() || (line_[i] != '=' && line_[i] != ':')) return;
    i = skip(i + 1, is_blank);
    size_t begins = skip(i, [](char c) { return c == '\\'; });
    const bool quoted = begins < line_.size() && (line_[begins] == '"' || line_[begins] == '\'');
    const char quote = quoted ? line_[begins] : '\0';
    if (quoted) ++begins;
    size_t ends = begins;
    while (ends < line_.size()) {
      const char c = line_[ends];
      if (quoted ? c == quote : rest ? c == '"' || c == '\'' : ends_value(c)) break;
      ends += quoted && c == '\\' && ends + 1 < line_.size() && line_[ends + 1] != quote ? 2 : 1;
    }
    ends = std::min(ends, line_.size());
    copy(begins);
    if (ends > begins) hide(ends);
  }

  // "://user:password@".
  bool hide_user() {
    if (!line_.substr(at_).starts_with("://")) return false;
    const size_t begins = at_ + 3;
    const size_t ends = skip(begins, [](char c) {
      return !is_blank(c) && c != '/' && c != '?' && c != '#' && c != '"' && c != '\'' && c != '@';
    });
    if (ends >= line_.size() || line_[ends] != '@' || ends == begins) return false;
    copy(begins);
    hide(ends);
    return true;
  }

  std::string_view line_;
  size_t at_ = 0, card_end_ = 0;
  std::string out_;
};

}  // namespace

std::string redacted(std::string_view line) { return Redactor(line).run(); }

std::string without_quotes(std::string_view sentence) {
  const size_t first = sentence.find('"'), last = sentence.rfind('"');
  if (first == std::string_view::npos) return std::string(sentence);
  std::string out(sentence.substr(0, first));
  out += '"';
  out += kHidden;
  out += '"';
  if (first != last && !sentence.ends_with("...")) out += sentence.substr(last + 1);
  return out;
}

}  // namespace nines::agent::view
