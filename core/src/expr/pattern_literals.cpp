// Literals that a regular expression requires. The analysis reads the usual syntax and gives up (no
// literals, so that RE2 sees every text) at the rest: flags but a leading (?i), \Q, \x, \p, octals.
//
// A concatenation is read as runs: neighbours that match only few texts are multiplied out
// ("(POST|PUT) /(a|b)" is four literals), anything else ends the run.
#include <algorithm>

#include "ascii.hpp"
#include "pattern.hpp"

namespace nines::expr {
namespace {

constexpr size_t kMaxLiterals = 64;  // of a set
constexpr size_t kMaxProduct = 32;   // of a run that is multiplied out
constexpr size_t kMaxClass = 4;      // characters of a class that are told apart
constexpr size_t kMaxLength = 128;   // of a literal
constexpr int kMaxGroups = 64;

using Texts = std::vector<std::string>;

size_t shortest(const Texts& set) {
  size_t size = set.empty() ? 0 : set.front().size();
  for (const std::string& s : set) size = std::min(size, s.size());
  return size;
}

void sort_unique(Texts& set) {
  std::sort(set.begin(), set.end());
  set.erase(std::unique(set.begin(), set.end()), set.end());
}

// A text that holds another of the set says nothing more.
Texts without_covered(const Texts& set) {
  Texts kept;
  for (size_t i = 0; i < set.size(); ++i) {
    const bool covered = std::any_of(set.begin(), set.end(), [&](const std::string& other) {
      return other.size() < set[i].size() && set[i].find(other) != std::string::npos;
    });
    if (!covered) kept.push_back(set[i]);
  }
  sort_unique(kept);
  return kept;
}

// More is better: long ones first, then few.
bool better(const Texts& a, const Texts& b) {
  if (shortest(a) != shortest(b)) return shortest(a) > shortest(b);
  return !a.empty() && a.size() < b.size();
}

// What is known of a part of the expression.
struct Known {
  bool exact = false;         // it matches `texts` and nothing else
  bool pure = true;           // ... wherever they stand
  Texts texts;                // "" may be among them
  std::vector<Texts> all_of;  // not exact: each match holds one of each of these

  static Known of(Texts texts, bool pure = true) { return {true, pure, std::move(texts), {}}; }
  static Known opaque() { return {false, false, {}, {}}; }

  Texts best() const {
    if (exact) return texts;
    Texts best;
    for (const Texts& set : all_of) {
      if (better(set, best)) best = set;
    }
    return best;
  }
};

// Gathers the elements of a concatenation.
class Concatenation {
 public:
  void exact(const Texts& texts) {
    if (run_.size() * texts.size() > kMaxProduct || longest(run_) + longest(texts) > kMaxLength) {
      cut();
    }
    Texts product;
    for (const std::string& a : run_) {
      for (const std::string& b : texts) product.push_back(a + b);
    }
    sort_unique(product);
    run_ = std::move(product);
  }
  void cut() {
    offer(run_);
    run_ = {""};
    whole_ = false;
  }
  void sets(const std::vector<Texts>& all_of) {
    for (const Texts& set : all_of) offer(set);
  }
  void not_pure() { pure_ = false; }

  Known done() {
    if (whole_) return Known::of(std::move(run_), pure_);
    cut();
    return {false, false, {}, std::move(all_of_)};
  }

 private:
  static size_t longest(const Texts& set) {
    size_t size = 0;
    for (const std::string& s : set) size = std::max(size, s.size());
    return size;
  }
  void offer(const Texts& set) {
    if (shortest(set) > 0) all_of_.push_back(set);
  }

  Texts run_{""};
  bool whole_ = true;  // everything so far is in run_
  bool pure_ = true;
  std::vector<Texts> all_of_;
};

class Analysis {
 public:
  explicit Analysis(std::string_view pattern) : pattern_(pattern) {
    if (pattern_.starts_with("(?i)")) {
      fold_ = true;
      at_ = 4;
    }
  }

  PatternLiterals run() {
    const Known known = alternation(0);
    PatternLiterals result;
    if (failed_ || at_ != pattern_.size()) return result;
    result.ignore_case = fold_;
    if (known.exact) {
      if (shortest(known.texts) == 0) return result;
      result.exact = known.pure;
      result.all_of.push_back(without_covered(known.texts));
      return result;
    }
    for (const Texts& set : known.all_of) {
      Texts kept = without_covered(set);
      if (std::find(result.all_of.begin(), result.all_of.end(), kept) == result.all_of.end()) {
        result.all_of.push_back(std::move(kept));
      }
    }
    return result;
  }

 private:
  enum class Repeat : uint8_t { once, optional, at_least_once, any };

  bool done() const { return failed_ || at_ >= pattern_.size(); }
  char peek() const { return pattern_[at_]; }

  Known alternation(int depth) {
    std::vector<Known> branches{branch(depth)};
    while (!done() && peek() == '|') {
      ++at_;
      branches.push_back(branch(depth));
    }
    if (branches.size() == 1) return std::move(branches.front());
    Known all = Known::of({});
    Texts any_of;
    bool known = true;
    for (const Known& b : branches) {
      const Texts best = b.best();
      known = known && shortest(best) > 0;
      all.exact = all.exact && b.exact;
      all.pure = all.pure && b.pure;
      any_of.insert(any_of.end(), best.begin(), best.end());
    }
    sort_unique(any_of);
    if (any_of.size() > kMaxLiterals) return Known::opaque();
    if (all.exact) {
      all.texts = std::move(any_of);
      return all;
    }
    all = Known::opaque();
    if (known) all.all_of.push_back(std::move(any_of));
    return all;
  }

  Known branch(int depth) {
    Concatenation all;
    while (!done() && peek() != '|' && peek() != ')') {
      const Known part = element(depth);
      const Repeat repeat = repetition();
      if (!part.exact) {
        all.cut();
        if (repeat == Repeat::once || repeat == Repeat::at_least_once) all.sets(part.all_of);
        continue;
      }
      if (!part.pure) all.not_pure();
      add(all, part.texts, repeat);
    }
    return all.done();
  }

  static void add(Concatenation& all, const Texts& texts, Repeat repeat) {
    switch (repeat) {
      case Repeat::once: all.exact(texts); return;
      case Repeat::optional: {
        Texts or_nothing = texts;
        or_nothing.emplace_back();
        all.exact(or_nothing);
        return;
      }
      case Repeat::at_least_once:  // the first one ends a run, the last one begins the next
        all.exact(texts);
        all.cut();
        all.exact(texts);
        return;
      case Repeat::any: all.cut(); return;
    }
  }

  Known element(int depth) {
    const char c = peek();
    switch (c) {
      case '(': return group(depth);
      case '[': return character_class();
      case '\\': return escape();
      case '.': ++at_; return Known::opaque();
      case '^':
      case '$': ++at_; return Known::of({""}, false);
      case '*':
      case '+':
      case '?':
      case '{': return fail();  // an error, or a literal brace: RE2 decides
      default: break;
    }
    const size_t end = next_character(pattern_, at_);
    const std::string_view text = pattern_.substr(at_, end - at_);
    at_ = end;
    return plain(text);
  }

  Known fail() {
    failed_ = true;
    return Known::opaque();
  }

  // One character. Where case is ignored RE2 goes by Unicode, in which k is also the Kelvin sign
  // and s the long s.
  Known plain(std::string_view character) const {
    if (!fold_) return Known::of({std::string(character)});
    const char c = to_lower(character.front());
    if (character.size() > 1 || c == 'k' || c == 's') return Known::opaque();
    return Known::of({std::string(1, c)});
  }

  Known group(int depth) {
    ++at_;
    if (depth >= kMaxGroups) failed_ = true;
    if (!done() && peek() == '?') skip_group_head();
    if (failed_) return Known::opaque();
    Known known = alternation(depth + 1);
    if (done() || peek() != ')') return fail();
    ++at_;
    return known;
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

  // [12] and the like are multiplied out; others may be anything.
  Known character_class() {
    ++at_;
    bool few = true;
    Texts texts;
    if (!done() && peek() == '^') {
      few = false;
      ++at_;
    }
    for (bool first = true; !done(); first = false) {
      if (peek() == ']' && !first) {
        ++at_;
        sort_unique(texts);
        return few && texts.size() <= kMaxClass ? Known::of(std::move(texts)) : Known::opaque();
      }
      if (pattern_.substr(at_).starts_with("[:")) {
        const size_t close = pattern_.find(":]", at_);
        if (close == std::string_view::npos) break;
        at_ = close + 2;
        few = false;
        continue;
      }
      const bool range =
          at_ + 2 < pattern_.size() && pattern_[at_ + 1] == '-' && pattern_[at_ + 2] != ']';
      const Known one = peek() == '\\' ? escape_in_class() : class_member();
      few = few && !range && one.exact;
      texts.insert(texts.end(), one.texts.begin(), one.texts.end());
    }
    return fail();
  }
  Known class_member() {
    const size_t end = next_character(pattern_, at_);
    const std::string_view text = pattern_.substr(at_, end - at_);
    at_ = end;
    return plain(text);
  }
  Known escape_in_class() {
    const bool known = at_ + 1 < pattern_.size() && !is_letter(pattern_[at_ + 1]) &&
                       !is_digit(pattern_[at_ + 1]) && is_ascii(pattern_[at_ + 1]);
    Known one = known ? plain(pattern_.substr(at_ + 1, 1)) : Known::opaque();
    at_ += 2;
    return one;
  }

  static bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }

  Known escape() {
    if (at_ + 1 >= pattern_.size()) return fail();
    const char c = pattern_[at_ + 1];
    at_ += 2;
    if (std::string_view("bBAz").find(c) != std::string_view::npos) return Known::of({""}, false);
    if (std::string_view("dDwWsS").find(c) != std::string_view::npos) return Known::opaque();
    if (c == 't') return Known::of({"\t"});
    if (is_letter(c) || is_digit(c) || !is_ascii(c)) return fail();
    return Known::of({std::string(1, c)});
  }

  Repeat repetition() {
    Repeat repeat = Repeat::once;
    for (bool first = true; !done(); first = false) {
      const char c = peek();
      Repeat next = Repeat::any;
      if (c == '*' || c == '?' || c == '+') {
        next = c == '*' ? Repeat::any : c == '?' ? Repeat::optional : Repeat::at_least_once;
        ++at_;
      } else if (c == '{') {
        if (skip_count()) next = Repeat::at_least_once;
      } else {
        break;
      }
      if (first) {
        repeat = next;
      } else if (c != '?' && !(repeat == next && repeat == Repeat::at_least_once)) {
        repeat = Repeat::any;  // behind another sign '?' is about which match is preferred
      }
    }
    return repeat;
  }

  // {2}, {2,}, {2,3}; any other brace is a literal one, which is left to RE2. True: once at least.
  bool skip_count() {
    const size_t close = pattern_.find_first_not_of("0123456789,", at_ + 1);
    if (close == std::string_view::npos || pattern_[close] != '}' || close == at_ + 1 ||
        !is_digit(pattern_[at_ + 1])) {
      failed_ = true;
      return false;
    }
    const std::string_view count = pattern_.substr(at_ + 1, close - at_ - 1);
    at_ = close + 1;
    return count.substr(0, count.find(',')).find_first_not_of('0') != std::string_view::npos;
  }

  std::string_view pattern_;
  size_t at_ = 0;
  bool failed_ = false;
  bool fold_ = false;
};

}  // namespace

PatternLiterals pattern_literals(std::string_view pattern) { return Analysis(pattern).run(); }

}  // namespace nines::expr
