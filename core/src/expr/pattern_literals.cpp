// Required literals of a regular expression. The analysis reads the usual syntax and gives up (no
// literals, so that RE2 sees every text) at the rest: flags, \Q, \x, \p, octals.
#include <algorithm>

#include "ascii.hpp"
#include "pattern.hpp"

namespace nines::expr {
namespace {

constexpr size_t kMaxLiterals = 8;
constexpr int kMaxGroups = 64;

size_t shortest(const std::vector<std::string>& set) {
  size_t size = set.empty() ? 0 : set.front().size();
  for (const std::string& s : set) size = std::min(size, s.size());
  return size;
}

// What is known of a part: some text of `any_of` is in each match; `exact`: the match is just that.
struct Known {
  std::vector<std::string> any_of;
  bool exact = true;
};

class Analysis {
 public:
  explicit Analysis(std::string_view pattern) : pattern_(pattern) {}

  RequiredLiterals run() {
    const Known known = alternation(0);
    if (failed_ || at_ != pattern_.size() || shortest(known.any_of) == 0) return {};
    return {known.any_of, known.exact};
  }

 private:
  enum class Repeat : uint8_t { once, at_least_once, maybe };

  bool done() const { return failed_ || at_ >= pattern_.size(); }
  char peek() const { return pattern_[at_]; }

  Known alternation(int depth) {
    Known all = branch(depth);
    bool known = shortest(all.any_of) > 0;
    while (!done() && peek() == '|') {
      ++at_;
      const Known next = branch(depth);
      known &= shortest(next.any_of) > 0;
      all.exact &= next.exact;
      all.any_of.insert(all.any_of.end(), next.any_of.begin(), next.any_of.end());
    }
    if (!known || all.any_of.size() > kMaxLiterals) return {{}, false};
    return all;
  }

  // The longest run of plain characters of a concatenation, or the best of its groups.
  Known branch(int depth) {
    Known best;
    best.any_of.clear();
    bool exact = true;
    std::string run;
    const auto end_run = [&] {
      offer(best.any_of, {run});
      run.clear();
    };
    while (!done() && peek() != '|' && peek() != ')') {
      std::string plain;
      Known group;
      const bool is_plain = element(depth, plain, group);
      const Repeat repeat = repetition();
      if (is_plain && repeat == Repeat::once) {
        run += plain;
        continue;
      }
      exact = false;
      if (is_plain && repeat == Repeat::at_least_once) run += plain;
      end_run();
      if (!is_plain && repeat != Repeat::maybe) offer(best.any_of, group.any_of);
    }
    end_run();
    best.exact = exact;
    return best;
  }

  static void offer(std::vector<std::string>& best, const std::vector<std::string>& set) {
    const size_t size = shortest(set);
    const size_t old = shortest(best);
    if (size > old || (size == old && size > 0 && set.size() < best.size())) best = set;
  }

  // One character (true, into `plain`) or anything else.
  bool element(int depth, std::string& plain, Known& group) {
    const char c = peek();
    switch (c) {
      case '(': skip_group(depth, group); return false;
      case '[': skip_class(); return false;
      case '\\': return escape(plain);
      case '.':
      case '^':
      case '$': ++at_; return false;
      case '*':
      case '+':
      case '?':
      case '{': failed_ = true; return false;  // an error, or a literal brace: RE2 decides
      default: break;
    }
    const size_t end = next_character(pattern_, at_);
    plain = pattern_.substr(at_, end - at_);
    at_ = end;
    return true;
  }

  void skip_group(int depth, Known& group) {
    ++at_;
    if (depth >= kMaxGroups) failed_ = true;
    if (!done() && peek() == '?') skip_group_head();
    if (failed_) return;
    group = alternation(depth + 1);
    if (done() || peek() != ')') {
      failed_ = true;
      return;
    }
    ++at_;
  }

  // (?: and (?P<name> change nothing; flags might.
  void skip_group_head() {
    const std::string_view rest = pattern_.substr(at_);
    if (rest.starts_with("?:")) {
      at_ += 2;
    } else if (const size_t close = rest.find('>');
               rest.starts_with("?P<") && close != std::string_view::npos) {
      at_ += close + 1;
    } else {
      failed_ = true;
    }
  }

  void skip_class() {
    ++at_;
    if (!done() && peek() == '^') ++at_;
    for (bool first = true; !done(); first = false) {
      if (peek() == ']' && !first) {
        ++at_;
        return;
      }
      if (pattern_.substr(at_).starts_with("[:")) {
        const size_t close = pattern_.find(":]", at_);
        if (close == std::string_view::npos) break;
        at_ = close + 2;
      } else {
        at_ += peek() == '\\' ? 2 : 1;
      }
    }
    failed_ = true;
  }

  bool escape(std::string& plain) {
    if (at_ + 1 >= pattern_.size()) {
      failed_ = true;
      return false;
    }
    const char c = pattern_[at_ + 1];
    at_ += 2;
    if (std::string_view("dDwWsSbBAz").find(c) != std::string_view::npos) return false;
    if (is_letter(c) || is_digit(c) || static_cast<unsigned char>(c) >= 0x80) {
      failed_ = true;
      return false;
    }
    plain = c;
    return true;
  }

  Repeat repetition() {
    Repeat repeat = Repeat::once;
    while (!done()) {
      const char c = peek();
      if (c == '*' || c == '?') {
        repeat = repeat == Repeat::once || c == '*' ? Repeat::maybe : repeat;
        ++at_;
      } else if (c == '+') {
        if (repeat == Repeat::once) repeat = Repeat::at_least_once;
        ++at_;
      } else if (c == '{') {
        repeat = Repeat::maybe;
        skip_count();
      } else {
        break;
      }
    }
    return repeat;
  }

  // {2}, {2,}, {2,3}; any other brace is a literal one, which is left to RE2.
  void skip_count() {
    const size_t close = pattern_.find_first_not_of("0123456789,", at_ + 1);
    if (close == std::string_view::npos || pattern_[close] != '}' || close == at_ + 1) {
      failed_ = true;
      return;
    }
    at_ = close + 1;
  }

  std::string_view pattern_;
  size_t at_ = 0;
  bool failed_ = false;
};

}  // namespace

RequiredLiterals required_literals(std::string_view pattern) { return Analysis(pattern).run(); }

}  // namespace nines::expr
