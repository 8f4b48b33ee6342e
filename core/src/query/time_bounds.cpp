#include "nines/query/time_bounds.hpp"

#include <algorithm>

#include "../expr/node.hpp"

namespace nines::query {
namespace {

using expr::Node;
using expr::NodeKind;

bool is_ts(const Node& n) { return n.kind == NodeKind::field && n.text == "ts"; }

std::optional<WallTime> time_of(const Node& n) {
  if (n.kind != NodeKind::literal) return std::nullopt;
  if (n.value.kind == ValueKind::time) return WallTime{n.value.time_ns};
  if (n.value.kind != ValueKind::text) return std::nullopt;
  const Value time = expr::parse_time(n.text);
  return time.is_null() ? std::nullopt : std::optional(WallTime{time.time_ns});
}

class Narrowing {
 public:
  explicit Narrowing(TimeBounds& out) : out_(out) {}

  void by(const Node& n) {
    switch (n.kind) {
      case NodeKind::logical_and:
        for (const auto& kid : n.kids) by(*kid);
        break;
      case NodeKind::compare: by_comparison(n); break;
      case NodeKind::between:
        if (n.negated || !is_ts(*n.kids[0])) break;
        from(time_of(*n.kids[1]));
        to(time_of(*n.kids[2]));
        break;
      default: break;
    }
  }

 private:
  void by_comparison(const Node& n) {
    const bool swapped = is_ts(*n.kids[1]);
    if (n.negated || (!swapped && !is_ts(*n.kids[0]))) return;
    const auto time = time_of(*n.kids[swapped ? 0 : 1]);
    const uint8_t below = swapped ? expr::kGreater : expr::kLess;
    const uint8_t above = swapped ? expr::kLess : expr::kGreater;
    if ((n.detail & below) == 0) from(time);
    if ((n.detail & above) == 0) to(time);
  }
  // Both with the time itself: whether it belongs to them is for WHERE to tell.
  void from(std::optional<WallTime> time) {
    if (time) out_.since = out_.since ? std::max(*out_.since, *time) : *time;
  }
  void to(std::optional<WallTime> time) {
    if (!time || time->ns == INT64_MAX) return;
    const WallTime behind{time->ns + 1};
    out_.until = out_.until ? std::min(*out_.until, behind) : behind;
  }

  TimeBounds& out_;
};

}  // namespace

TimeBounds time_bounds(const ScanPlan& scan) {
  TimeBounds out{scan.since, scan.until};
  if (!scan.where || scan.context) return out;  // neighbours may lie outside
  for (const Extract& extract : scan.extracts) {
    if (std::find(extract.names.begin(), extract.names.end(), "ts") != extract.names.end()) {
      return out;
    }
  }
  const auto tree = expr::parse_tree(scan.where->to_string());
  if (tree.ok()) Narrowing(out).by(**tree);
  return out;
}

}  // namespace nines::query
