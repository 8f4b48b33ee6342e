#include "view/fleet_json.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "nines/base/json_writer.hpp"

namespace nines::agent::view {
namespace {

constexpr double kNsPerMsD = 1e6;
constexpr int64_t kSuspectMs = 150'000, kSilentMs = 300'000;  // minutes are told by the minute

const char* state_name(peer::PeerView::State state) {
  switch (state) {
    case peer::PeerView::State::alive: return "alive";
    case peer::PeerView::State::suspect: return "suspect";
    case peer::PeerView::State::silent: return "silent";
    case peer::PeerView::State::left: return "left";
  }
  return "";
}

void write_node(JsonWriter& out, const fleet::FleetState& state, const peer::PeerView& view,
                bool self) {
  out.begin_object();
  out.member("node", view.node).member("self", self);
  out.member("state", state_name(view.state)).member("connected", view.connected || self);
  out.member("heard_ago_s", view.heard_ago_ms / 1000);
  out.member("boot", view.boot).member("role", peer::role_name(view.role));
  out.member("address", view.address);
  std::optional<double> offset, uncertainty;
  if (view.offset_ns) {
    offset = static_cast<double>(*view.offset_ns) / kNsPerMsD;
    uncertainty = static_cast<double>(view.uncertainty_ns) / kNsPerMsD;
  }
  out.member("clock_offset_ms", offset).member("clock_uncertainty_ms", uncertainty);
  const auto info = state.info(view.node);
  out.member("isolated_since", info ? info->isolated_since : WallTime{});
  out.member("slos", state.series(view.node).size());
  out.end_object();
}

void write_budget(JsonWriter& out, const fleet::FleetBudget& budget) {
  out.begin_object();
  out.member("slo", budget.slo).member("service", budget.service);
  out.member("generation", budget.generation).member("target", budget.target);
  out.member("window", format_duration_s(budget.window_s));
  out.member("good", budget.counts.good).member("bad", budget.counts.bad);
  out.member("total", budget.counts.good + budget.counts.bad).member("sli", budget.sli);
  out.member("error_budget_consumed", budget.consumed);
  out.member("error_budget_remaining", budget.remaining);
  out.member("violated", budget.violated);
  out.member("window_start", budget.start).member("window_end", budget.end);
  out.member("stale_nodes", budget.stale_parts);
  out.key("nodes").begin_array();
  for (const auto& part : budget.parts) {
    out.begin_object();
    out.member("node", part.node).member("good", part.counts.good).member("bad", part.counts.bad);
    out.member("coverage", part.coverage).member("newest", part.newest);
    out.member("behind_s", part.behind_s).member("stale", part.stale);
    out.end_object();
  }
  out.end_array().end_object();
}

// Pages of silent nodes that nobody has ended, by key.
void write_silent(JsonWriter& out, const fleet::FleetState& state) {
  using Kind = fleet::FleetEvent::Kind;
  std::map<std::string, std::pair<std::string, fleet::FleetEvent>> open;
  std::set<std::string> ended;
  for (const auto& origin : state.origins()) {
    for (const auto& event : state.events(origin, fleet::FleetEvent::Stream::membership)) {
      if (event.kind == Kind::node_back) ended.insert(event.rule);
      if (event.kind == Kind::node_silent) open[event.rule] = {origin, event};
    }
  }
  out.key("silent").begin_array();
  for (const auto& [key, page] : open) {
    if (ended.contains(key)) continue;
    const auto& [by, event] = page;
    out.begin_object().member("node", event.subject).member("key", key).member("paged_by", by);
    out.member("at", event.at).member("since", event.since).end_object();
  }
  out.end_array();
}

struct Head {
  std::string node;
  bool isolated = false;
  int64_t offset_ns = 0;  // of this node's clock, from what most show
};

std::string document(const fleet::FleetState& state, const Head& head,
                     const std::vector<peer::PeerView>& views, WallTime now) {
  std::string text;
  JsonWriter out(text);
  out.begin_object();
  out.member("node", head.node).member("isolated", head.isolated);
  out.member("timestamp", to_ms(now))
      .member("clock_offset_ms", static_cast<double>(head.offset_ns) / kNsPerMsD);
  out.key("nodes").begin_array();
  for (const auto& view : views) write_node(out, state, view, view.node == head.node);
  out.end_array();
  out.key("slos").begin_array();
  const WallTime agreed{now.ns - head.offset_ns};  // alike on nodes with wrong clocks
  for (const auto& budget : fleet::fleet_budgets(state, agreed)) write_budget(out, budget);
  out.end_array();
  write_silent(out, state);
  out.end_object();
  return text;
}

}  // namespace

std::string fleet_json(const fleet::FleetState& state, const peer::PeerNode& node, peer::Now now) {
  auto views = node.peers(now);
  peer::PeerView self;
  self.node = state.self();
  self.boot = state.boot();
  const auto place = std::find_if(views.begin(), views.end(), [&](const peer::PeerView& view) {
    return view.node > self.node;
  });
  views.insert(place, self);
  return document(state, {state.self(), node.isolated(), node.median_offset_ns()}, views, now.wall);
}

std::string fleet_json(const fleet::FleetState& state, const broker::FleetReader& reader,
                       const std::string& self, WallTime now) {
  using State = peer::PeerView::State;
  std::vector<peer::PeerView> views;
  for (const std::string& origin : state.origins()) {
    const auto heard = reader.heard(origin);
    const auto info = state.info(origin);
    if (!heard || !info) continue;
    peer::PeerView view;
    view.node = origin;
    view.boot = info->version.boot;
    view.heard_ago_ms = std::max<int64_t>(0, now.ns - heard->ns) / kNsPerMs;
    view.state = view.heard_ago_ms <= kSuspectMs  ? State::alive
                 : view.heard_ago_ms <= kSilentMs ? State::suspect
                                                  : State::silent;
    views.push_back(std::move(view));
  }
  return document(state, {self, false, 0}, views, now);
}

}  // namespace nines::agent::view
