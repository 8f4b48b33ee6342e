// MATCH_RECOGNIZE against a naive backtracking matcher that follows the standard's preferences
// directly, over small patterns and rows; and shuffles within the lateness.
#include <rapidcheck.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <functional>
#include <map>

#include "pattern_driver.hpp"

namespace nines::query::driving {
namespace {

using Nav = Navigation::Kind;
const std::vector<std::string> kInputs = {"id", "v"};

struct NaiveRow {
  int64_t ts;
  int v;
  std::string id;
};
// The rows of a partition, the labels from `start` on; the last is that of the current row.
struct So {
  const std::vector<NaiveRow>& rows;
  size_t start;
  const std::string& labels;
  size_t here() const { return start + labels.size() - 1; }
  // Number of the nth row of a label from either end; -1: none. '*': any label.
  int nth(char label, int n, bool from_end) const {
    std::vector<int> found;
    for (size_t i = 0; i < labels.size(); ++i) {
      if (label == '*' || labels[i] == label) found.push_back(static_cast<int>(start + i));
    }
    if (from_end) std::reverse(found.begin(), found.end());
    return n < static_cast<int>(found.size()) ? found[static_cast<size_t>(n)] : -1;
  }
  int v(int row) const { return rows[static_cast<size_t>(row)].v; }
};
struct Condition {
  PatternExpression define;
  std::function<bool(const So&)> holds;
};

// What a variable may be asked for; every kind of navigation is among them.
std::vector<Condition> conditions(const std::string& name) {
  const auto nav = [](Nav kind, const char* variable, int64_t n = 0) {
    return of(kind, variable, "v", n);
  };
  Navigation count = of(Nav::aggregate, "A", "");
  count.aggregate = AggregateKind::count;
  Navigation sum = of(Nav::aggregate, "B", "v");
  sum.aggregate = AggregateKind::sum;
  Navigation any_sum = of(Nav::aggregate, "", "v");
  any_sum.aggregate = AggregateKind::sum;
  const auto e = [&](const char* text, std::vector<std::pair<std::string, Navigation>> terms = {}) {
    return expression(name, text, std::move(terms));
  };
  // Against a row of the match; NULL does not hold.
  const auto with = [](char label, int n, bool from_end, std::function<bool(int, int)> test) {
    return [=](const So& s) {
      const int row = s.nth(label, n, from_end);
      return row >= 0 && test(s.rows[s.here()].v, s.v(row));
    };
  };
  const auto v_of = [](const So& s) { return s.rows[s.here()].v; };
  return {
      {e("v = 0"), [=](const So& s) { return v_of(s) == 0; }},
      {e("v = 1"), [=](const So& s) { return v_of(s) == 1; }},
      {e("v <= 1"), [=](const So& s) { return v_of(s) <= 1; }},
      {e("v >= 1"), [=](const So& s) { return v_of(s) >= 1; }},
      {e("v > PV", {{"PV", nav(Nav::prev, "", 1)}}),
       [=](const So& s) { return s.here() > 0 && v_of(s) > s.rows[s.here() - 1].v; }},
      {e("v < NV", {{"NV", nav(Nav::next, "", 2)}}),
       [=](const So& s) {
         return s.here() + 2 < s.rows.size() && v_of(s) < s.rows[s.here() + 2].v;
       }},
      {e("v >= AV", {{"AV", nav(Nav::value, "A")}}),
       with('A', 0, true, [](int a, int b) { return a >= b; })},
      {e("v <> FB", {{"FB", nav(Nav::first, "B")}}),
       with('B', 0, false, [](int a, int b) { return a != b; })},
      {e("v >= LA", {{"LA", nav(Nav::last, "A", 1)}}),
       with('A', 1, true, [](int a, int b) { return a >= b; })},
      {e("v <= FV", {{"FV", nav(Nav::first, "", 1)}}),
       with('*', 1, false, [](int a, int b) { return a <= b; })},
      {e("PB = v", {{"PB", nav(Nav::prev, "B", 1)}}),
       [=](const So& s) {
         const int row = s.nth('B', 0, true);
         return row > 0 && v_of(s) == s.v(row - 1);
       }},
      {e("CA < 3", {{"CA", count}}),
       [](const So& s) { return std::count(s.labels.begin(), s.labels.end(), 'A') < 3; }},
      {e("SB <= 3", {{"SB", sum}}),
       [](const So& s) {
         int total = 0;
         bool there = false;
         for (size_t i = 0; i < s.labels.size(); ++i) {
           if (s.labels[i] != 'B') continue;
           there = true;
           total += s.rows[s.start + i].v;
         }
         return there && total <= 3;
       }},
      {e("SV <= 5", {{"SV", any_sum}}),
       [](const So& s) {
         int total = 0;
         for (size_t i = 0; i < s.labels.size(); ++i) total += s.rows[s.start + i].v;
         return total <= 5;
       }},
  };
}

struct Case {
  MatchStage stage;
  std::map<char, std::function<bool(const So&)>> holds;
  std::vector<In> rows, shuffled;
};

PatternNode draw_pattern(int depth, bool exclude) {
  const int kind = depth == 0 ? 0 : *rc::gen::inRange(0, 12);
  const auto kids = [&](int count) {
    std::vector<PatternNode> made;
    for (int i = 0; i < count; ++i) made.push_back(draw_pattern(depth - 1, exclude));
    return made;
  };
  PatternNode made;
  if (kind <= 2) {
    made = var(*rc::gen::element<std::string>("A", "B", "C"));
  } else if (kind <= 5) {
    made = node(Kind::sequence, kids(*rc::gen::inRange(2, 4)));
  } else if (kind <= 7) {
    made = node(Kind::alternation, kids(*rc::gen::inRange(2, 4)));
  } else if (kind <= 9) {
    using Bounds = std::pair<uint32_t, uint32_t>;
    const std::vector<Bounds> bounds = {{0, 1}, {0, UINT32_MAX}, {1, UINT32_MAX}, {2, UINT32_MAX},
                                        {2, 2}, {1, 3},          {0, 2}};
    const auto [min, max] = *rc::gen::elementOf(bounds);
    made = repeat(draw_pattern(depth - 1, exclude), min, max, *rc::gen::arbitrary<bool>());
  } else if (kind == 10) {
    made = node(Kind::permute, kids(*rc::gen::inRange(2, 4)));
  } else {
    made = node(*rc::gen::element(Kind::first, Kind::last, Kind::empty));
  }
  made.excluded = exclude && *rc::gen::inRange(0, 8) == 0;
  return made;
}

Case draw_case() {
  Case c;
  c.stage.keys = columns({"id"});
  c.stage.rows = *rc::gen::element(MatchStage::Rows::all, MatchStage::Rows::all_unmatched);
  c.stage.skip = *rc::gen::element(MatchStage::Skip::past_last, MatchStage::Skip::to_next);
  c.stage.pattern = draw_pattern(*rc::gen::inRange(0, 4), c.stage.rows == MatchStage::Rows::all);
  c.stage.lateness_ns = seconds(*rc::gen::element(0, 3));
  if (*rc::gen::inRange(0, 3) == 0) c.stage.within_ns = seconds(*rc::gen::inRange(0, 6));
  const bool simple = *rc::gen::arbitrary<bool>();
  for (const std::string name : {"A", "B", "C"}) {
    auto all = conditions(name);
    const size_t pick =
        static_cast<size_t>(*rc::gen::inRange(0, simple ? 6 : static_cast<int>(all.size()) + 1));
    if (pick == all.size()) {  // no DEFINE: every row
      c.holds[name[0]] = [](const So&) { return true; };
      continue;
    }
    c.stage.define.push_back(all[pick].define);
    c.holds[name[0]] = all[pick].holds;
  }
  double ts = 1000;
  const int count = *rc::gen::inRange(0, 10);
  std::vector<std::pair<double, In>> order;
  for (int i = 0; i < count; ++i) {
    ts += *rc::gen::element(0.0, 1.0, 1.0, 2.0);
    c.rows.push_back({ts,
                      {*rc::gen::element<std::string>("x", "x", "x", "y", ""),
                       std::to_string(*rc::gen::inRange(0, 4))},
                      i});
    order.emplace_back(
        ts * 1000 + *rc::gen::inRange(0, static_cast<int>(c.stage.lateness_ns / 1'000'000) + 1),
        c.rows.back());
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  for (auto& [when, row] : order) c.shuffled.push_back(row);
  return c;
}

struct TooMuch {};  // backtracking takes too long: the case is left out

class Backtracker {
 public:
  Backtracker(const Case& c, const std::vector<NaiveRow>& rows, size_t start)
      : c_(c), rows_(rows), start_(start) {}

  // Labels of the preferred match; '!' behind those that are excluded. False: none.
  bool run(std::string& labels, std::string& excluded) {
    const bool found = match(c_.stage.pattern, false, [&] { return true; });
    labels = labels_;
    excluded = excluded_;
    return found;
  }

 private:
  using Then = std::function<bool()>;
  size_t here() const { return start_ + labels_.size(); }

  bool match(const PatternNode& n, bool excluded, const Then& then) {
    if (++steps_ > 200'000) throw TooMuch{};
    excluded = excluded || n.excluded;
    switch (n.kind) {
      case Kind::variable: return variable(n, excluded, then);
      case Kind::sequence: return in_order(n.kids, 0, excluded, then);
      case Kind::alternation:
        for (const PatternNode& kid : n.kids) {
          if (match(kid, excluded, then)) return true;
        }
        return false;
      case Kind::repeat: return turns(n, 0, excluded, then);
      case Kind::permute: {
        std::vector<size_t> order;
        for (size_t i = 0; i < n.kids.size(); ++i) order.push_back(i);
        do {
          std::vector<PatternNode> kids;
          for (const size_t i : order) kids.push_back(n.kids[i]);
          if (in_order(kids, 0, excluded, then)) return true;
        } while (std::next_permutation(order.begin(), order.end()));
        return false;
      }
      case Kind::first: return here() == 0 && then();
      case Kind::last: return here() == rows_.size() && then();
      default: return then();
    }
  }

  bool variable(const PatternNode& n, bool excluded, const Then& then) {
    if (here() >= rows_.size()) return false;
    if (c_.stage.within_ns && rows_[here()].ts - rows_[start_].ts > *c_.stage.within_ns) {
      return false;
    }
    labels_ += n.name[0];
    excluded_ += excluded ? '!' : ' ';
    if (c_.holds.at(n.name[0])({rows_, start_, labels_}) && then()) return true;
    labels_.pop_back();
    excluded_.pop_back();
    return false;
  }

  bool in_order(const std::vector<PatternNode>& kids, size_t i, bool excluded, const Then& then) {
    if (i == kids.size()) return then();
    return match(kids[i], excluded, [&] { return in_order(kids, i + 1, excluded, then); });
  }

  // A turn that reads nothing is the last.
  bool turns(const PatternNode& n, uint32_t done, bool excluded, const Then& then) {
    const auto again = [&] {
      if (done >= n.max) return false;
      const size_t before = here();
      return match(n.kids[0], excluded, [&] {
        if (here() == before && done >= n.min) return then();
        return turns(n, done + 1, excluded, then);
      });
    };
    if (done < n.min) return again();
    if (n.reluctant) return then() || again();
    return again() || then();
  }

  const Case& c_;
  const std::vector<NaiveRow>& rows_;
  size_t start_;
  std::string labels_, excluded_;
  int steps_ = 0;
};

std::string shown(int v) { return std::to_string(v); }
std::string row_text(const NaiveRow& row) { return row.id + "|" + shown(row.v); }

// Measures: MATCH_NUMBER, CLASSIFIER, LAST(B.v), FINAL LAST(v), count(A.*), PREV(v).
void add_measures(MatchStage& stage) {
  Navigation count = of(Nav::aggregate, "A", "");
  count.aggregate = AggregateKind::count;
  Navigation last = of(Nav::last, "", "v");
  last.final_ = true;
  stage.measures = {
      expression("m", "X", {{"X", of(Nav::match_number, "", "")}}),
      expression("c", "X", {{"X", of(Nav::classifier, "", "")}}),
      expression("b", "X", {{"X", of(Nav::last, "B", "v")}}),
      expression("f", "X", {{"X", last}}),
      expression("n", "X", {{"X", count}}),
      expression("p", "X", {{"X", of(Nav::prev, "", "v", 1)}}),
  };
}

std::string measures(const std::vector<NaiveRow>& rows, size_t start, const std::string& labels,
                     size_t i, int number) {
  const std::string running = labels.substr(0, i + 1);
  const So so{rows, start, running};
  const int b = so.nth('B', 0, true);
  const size_t here = start + i;
  return "|" + shown(number) + "|" + labels[i] + "|" + (b < 0 ? "-" : shown(so.v(b))) + "|" +
         shown(rows[start + labels.size() - 1].v) + "|" +
         shown(static_cast<int>(std::count(running.begin(), running.end(), 'A'))) + "|" +
         (here == 0 ? "-" : shown(rows[here - 1].v));
}

std::vector<std::string> naive(const Case& c) {
  std::map<std::string, std::vector<NaiveRow>> partitions;
  for (const In& in : c.rows) {
    if (in.values[0].empty()) continue;
    partitions[in.values[0]].push_back(
        {seconds(in.ts), std::atoi(in.values[1].c_str()), in.values[0]});
  }
  std::vector<std::string> out;
  for (const auto& [id, rows] : partitions) {
    size_t covered = 0;
    int number = 0;
    for (size_t start = 0; start < rows.size();) {
      std::string labels, excluded;
      if (!Backtracker(c, rows, start).run(labels, excluded)) {
        if (start >= covered && c.stage.rows == MatchStage::Rows::all_unmatched) {
          out.push_back(row_text(rows[start]) + "|-|-|-|-|-|-");
        }
        covered = std::max(covered, ++start);
        continue;
      }
      ++number;
      covered = std::max(covered, start + std::max<size_t>(labels.size(), 1));
      if (labels.empty()) {
        out.push_back(row_text(rows[start]) + "|" + shown(number) + "|-|-|-|0|-");
      }
      for (size_t i = 0; i < labels.size(); ++i) {
        if (excluded[i] == '!') continue;
        out.push_back(row_text(rows[start + i]) + measures(rows, start, labels, i, number));
      }
      const bool next = labels.empty() || c.stage.skip == MatchStage::Skip::to_next;
      start += next ? 1 : labels.size();
    }
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const auto& a, const auto& b) { return a[0] < b[0]; });
  return out;
}

std::vector<std::string> run(Case c, const std::vector<In>& rows) {
  add_measures(c.stage);
  Shown shown;
  const auto stats = run_match(c.stage, kInputs, rows, shown);
  CHECK(stats.evicted == 0);
  // Partition by partition; within one, in the order in which they came out.
  std::stable_sort(shown.rows.begin(), shown.rows.end(),
                   [](const auto& a, const auto& b) { return a[0] < b[0]; });
  return shown.rows;
}

const bool kManyRuns = setenv("RC_PARAMS", "max_success=3000 max_discard_ratio=50", 0) == 0;

}  // namespace

TEST_CASE("Matches, preferences and measures are those of a naive backtracking matcher") {
  CHECK(kManyRuns);
  CHECK(rc::check([] {
    const Case c = draw_case();
    std::vector<std::string> expected;
    try {
      expected = naive(c);
    } catch (const TooMuch&) {
      RC_DISCARD("backtracks too much");
    }
    RC_ASSERT(run(c, c.rows) == expected);
  }));
}

TEST_CASE("Rows out of order within the lateness change no byte of the matches") {
  CHECK(rc::check([] {
    Case c = draw_case();
    add_measures(c.stage);
    Shown sorted, shuffled;
    run_match(c.stage, kInputs, c.rows, sorted);
    run_match(c.stage, kInputs, c.shuffled, shuffled);
    RC_ASSERT(sorted.rows == shuffled.rows);
  }));
}

namespace {

// All patterns up to a size over A and B.
std::vector<PatternNode> all_patterns(int size) {
  if (size == 1)
    return {var("A"), var("B"), node(Kind::empty), node(Kind::first), node(Kind::last)};
  std::vector<PatternNode> made;
  for (const PatternNode& kid : all_patterns(size - 1)) {
    for (const bool reluctant : {false, true}) {
      made.push_back(repeat(kid, 0, UINT32_MAX, reluctant));
      made.push_back(repeat(kid, 1, UINT32_MAX, reluctant));
      made.push_back(repeat(kid, 0, 1, reluctant));
    }
  }
  for (int left = 1; left + 1 < size; ++left) {
    const auto rights = all_patterns(size - 1 - left);
    for (const PatternNode& a : all_patterns(left)) {
      for (const PatternNode& b : rights) {
        for (const Kind kind : {Kind::sequence, Kind::alternation, Kind::permute}) {
          made.push_back(node(kind, {a, b}));
        }
      }
    }
  }
  return made;
}

}  // namespace

TEST_CASE("Every pattern of up to four parts matches as the naive matcher does, on every input") {
  Case c;
  c.stage.keys = columns({"id"});
  c.stage.rows = MatchStage::Rows::all_unmatched;
  c.stage.define = {expression("A", "v <= 1"), expression("B", "v >= 1")};
  c.holds['A'] = [](const So& s) { return s.rows[s.here()].v <= 1; };
  c.holds['B'] = [](const So& s) { return s.rows[s.here()].v >= 1; };
  size_t wrong = 0;
  for (int size = 1; size <= 4; ++size) {
    for (PatternNode& pattern : all_patterns(size)) {
      c.stage.pattern = pattern;
      for (int input = 0; input < 27; ++input) {  // three rows of 0, 1, 2
        c.rows.clear();
        for (int i = 0, left = input; i < 3; ++i, left /= 3) {
          c.rows.push_back({1000.0 + i, {"x", std::to_string(left % 3)}, i});
        }
        wrong += run(c, c.rows) == naive(c) ? 0 : 1;
      }
    }
  }
  CHECK(wrong == 0);
}

}  // namespace nines::query::driving
