// Sequences against a naive list of attempts over the sorted rows, and shuffles within the
// lateness.
#include <rapidcheck.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <tuple>

#include "pattern_driver.hpp"

namespace nines::query::driving {
namespace {

const std::vector<std::string> kInputs = {"id", "what"};

struct Case {
  MatchStage stage;
  std::vector<std::string> steps;  // "!x": NOT x
  std::vector<In> rows, shuffled;
};

Case draw_case() {
  Case c;
  c.stage.sequence = true;
  c.stage.keys = columns({"id"});
  c.stage.pattern = node(Kind::sequence);
  const auto word = rc::gen::element<std::string>("a", "b", "c");
  const int count = *rc::gen::inRange(1, 5);
  for (int i = 0; i < count; ++i) {
    const bool is_absent = *rc::gen::inRange(0, 3) == 0;
    c.steps.push_back((is_absent ? "!" : "") + *word);
  }
  const auto positive = [](const std::string& s) { return s[0] != '!'; };
  if (std::none_of(c.steps.begin(), c.steps.end(), positive)) c.steps.push_back("a");
  for (const std::string& step : c.steps) {
    c.stage.pattern.kids.push_back(positive(step) ? var(step) : absent(step.substr(1)));
  }
  for (const char* const name : {"a", "b", "c"}) {
    c.stage.define.push_back(expression(name, std::string("what LIKE '%") + name + "%'"));
  }
  if (*rc::gen::arbitrary<bool>()) c.stage.within_ns = seconds(*rc::gen::inRange(0, 12));
  if (*rc::gen::inRange(0, 3) == 0) c.stage.until = parsed("what LIKE '%u%'");
  c.stage.lateness_ns = seconds(*rc::gen::element(0, 1, 5));
  double ts = 1000;
  const int rows = *rc::gen::inRange(0, 40);
  std::vector<std::pair<double, In>> order;
  for (int i = 0; i < rows; ++i) {
    ts += *rc::gen::element(0.0, 0.0, 1.0, 2.0, 3.0);
    c.rows.push_back(
        {ts,
         {*rc::gen::element<std::string>("x", "x", "y", ""),
          *rc::gen::element<std::string>("a", "b", "c", "ab", "bc", "ac", "u", "ua", "z", "")},
         i});
    const int most = static_cast<int>(c.stage.lateness_ns / 1'000'000);
    order.emplace_back(ts * 1000 + *rc::gen::inRange(0, most + 1), c.rows.back());
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  for (auto& [when, row] : order) c.shuffled.push_back(row);
  return c;
}

// key, start, end, matched
using Found = std::vector<std::tuple<std::string, int64_t, int64_t, bool>>;

class Naive {
 public:
  explicit Naive(const Case& c) : c_(c) {
    absent_.emplace_back();
    for (const std::string& step : c.steps) {
      if (step[0] == '!') {
        absent_.back() += step[1];
      } else {
        steps_ += step[0];
        absent_.emplace_back();
      }
    }
  }

  Found run() {
    for (const In& in : c_.rows) {
      now_ = seconds(in.ts);
      pass_time(now_);
      if (!in.values[0].empty()) row(in);
    }
    pass_time(now_);
    for (const auto& [key, attempts] : attempts_) {
      for (const Attempt& a : attempts) {
        if (!over(a, now_)) found_.emplace_back(key, a.times.front(), a.times.back(), false);
      }
    }
    std::sort(found_.begin(), found_.end());
    return found_;
  }

 private:
  struct Attempt {
    std::vector<int64_t> times;
    int64_t absent_before = -1;
    bool dead = false;
  };

  bool over(const Attempt& a, int64_t now) const {
    return c_.stage.within_ns && now - a.times.front() > *c_.stage.within_ns;
  }
  bool complete(const Attempt& a) const { return a.times.size() == steps_.size(); }
  static bool has(const In& in, char c) { return in.values[1].find(c) != std::string::npos; }
  static bool any(const In& in, const std::string& chars) {
    return in.values[1].find_first_of(chars) != std::string::npos;
  }

  // Attempts that only waited for a last NOT.
  void pass_time(int64_t now) {
    for (auto& [key, attempts] : attempts_) {
      for (Attempt& a : attempts) {
        if (complete(a) && over(a, now)) {
          found_.emplace_back(key, a.times.front(), a.times.back(), true);
          a.dead = true;
        }
      }
      bury(attempts);
    }
  }
  static void bury(std::vector<Attempt>& attempts) {
    attempts.erase(
        std::remove_if(attempts.begin(), attempts.end(), [](const Attempt& a) { return a.dead; }),
        attempts.end());
  }

  void row(const In& in) {
    std::vector<Attempt>& attempts = attempts_[in.values[0]];
    if (c_.stage.until && has(in, 'u')) return attempts.clear();
    std::vector<Attempt> advanced;
    for (Attempt& a : attempts) {
      const size_t next = a.times.size();
      if (over(a, now_) || (complete(a) && any(in, absent_[next]))) {
        a.dead = true;
      } else if (!complete(a) && has(in, steps_[next])) {
        advanced.push_back(a);
        advanced.back().times.push_back(now_);
        a.dead = true;
      } else if (!complete(a) && any(in, absent_[next])) {
        a.dead = true;
      }
    }
    if (has(in, steps_[0])) {
      const auto last = last_absent_.find(in.values[0]);
      advanced.push_back({{now_}, last == last_absent_.end() ? -1 : last->second, false});
    }
    bury(attempts);
    for (Attempt& a : advanced) settle(in.values[0], attempts, a);
    if (any(in, absent_[0])) last_absent_[in.values[0]] = now_;
  }

  void settle(const std::string& key, std::vector<Attempt>& attempts, const Attempt& a) {
    if (!complete(a)) {
      // The latest takes the place of one that has come as far.
      for (Attempt& b : attempts) b.dead = b.times.size() == a.times.size();
      bury(attempts);
      attempts.push_back(a);
      return;
    }
    const int64_t end = a.times.back();
    if (a.absent_before >= 0 &&
        (!c_.stage.within_ns || end - a.absent_before <= *c_.stage.within_ns)) {
      return;
    }
    if (absent_.back().empty()) {
      found_.emplace_back(key, a.times.front(), end, true);
    } else {
      attempts.push_back(a);
    }
  }

  const Case& c_;
  std::string steps_;
  std::vector<std::string> absent_;  // [i]: before step i; the last: behind all
  std::map<std::string, std::vector<Attempt>> attempts_;
  std::map<std::string, int64_t> last_absent_;
  int64_t now_ = 0;
  Found found_;
};

class Finder final : public RowSink {
 public:
  bool take(const Row& row) override {
    const auto& v = row.values;
    found.emplace_back(show(v[0]), v[2].time_ns, v[3].time_ns, show(v[5]) == "matched");
    return true;
  }
  Found found;
};

}  // namespace

TEST_CASE("Sequences are those of a naive list of attempts over the sorted rows") {
  CHECK(rc::check([] {
    const Case c = draw_case();
    Finder finder;
    run_match(c.stage, kInputs, c.rows, finder);
    std::sort(finder.found.begin(), finder.found.end());
    RC_ASSERT(finder.found == Naive(c).run());
  }));
}

TEST_CASE("Rows out of order within the lateness change no byte of a sequence's answer") {
  CHECK(rc::check([] {
    Case c = draw_case();
    if (*rc::gen::arbitrary<bool>()) c.stage.rows = MatchStage::Rows::all;
    Shown sorted, shuffled;
    run_match(c.stage, kInputs, c.rows, sorted);
    run_match(c.stage, kInputs, c.shuffled, shuffled);
    RC_ASSERT(sorted.rows == shuffled.rows);
  }));
}

}  // namespace nines::query::driving
