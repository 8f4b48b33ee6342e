#include "app/once_cluster.hpp"

#include <chrono>
#include <deque>

#include "app/log.hpp"
#include "app/node_context.hpp"
#include "k8s/follow.hpp"
#include "net/asio.hpp"

namespace nines::agent {
namespace {

constexpr int64_t kLookEveryMs = 20;

// Both were listed, and what comes next is waited for.
bool has_told(const k8s::Following& pods, const NodeContext& context) {
  const ContextStats stats = context.stats();
  return pods.watcher->stats().connected && (!stats.events || stats.events_connected);
}

}  // namespace

void ask_cluster(const k8s::Settings& settings, const std::string& node, const Clock& clock,
                 store::StateStore* store, incident::NodeFacts& facts, int64_t within_ms) {
  net::asio::io_context io{1};
  const std::deque<slo::Change> none;
  // What it would write down is for who stays.
  NodeContext context({io, clock, k8s::node_name(settings, node), [](Record&&) {},
                       [&none]() -> const std::deque<slo::Change>& { return none; }});
  if (store != nullptr && !context.restore(*store).ok()) return;
  const k8s::Following pods =
      k8s::follow_pods(io, clock, settings, node, store, 1, &context.pods());
  if (pods.watcher == nullptr) return;
  if (settings.events) context.follow_events(pods, 2);
  for (int64_t waited = 0; waited < within_ms && !has_told(pods, context); waited += kLookEveryMs) {
    io.run_for(std::chrono::milliseconds(kLookEveryMs));
    if (io.stopped()) io.restart();
  }
  if (!has_told(pods, context)) {
    log::warn("k8s", "the API has not told all within " + std::to_string(within_ms) +
                         " ms; incidents do without the rest");
  }
  constexpr WallTime kEver{INT64_MAX};
  for (auto& one : context.facts().around({}, {}, kEver, nines::incident::Happenings::kMost)) {
    facts.happened(std::move(one));
  }
  context.stop();
}

}  // namespace nines::agent
