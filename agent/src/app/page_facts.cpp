#include "app/page_facts.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "notify/message.hpp"
#include "view/metric_family.hpp"

namespace nines::agent {
namespace {

// Lines from shortly before it began to be counted say what began.
constexpr int64_t kBeforeNs = 60 * kNsPerSecond;

std::string name_of(const slo::AlertEvent& event) {
  return std::to_string(event.boot) + "/" + std::to_string(event.sequence);
}

}  // namespace

struct PageFacts::Waiting {
  Waiting(net::asio::io_context& io, Events what, std::function<void(Events)> then)
      : events(std::move(what)), gathered(events.size()), done(std::move(then)), patience(io) {}

  bool ready() const {
    return std::all_of(gathered.begin(), gathered.end(),
                       [](const auto& one) { return one == nullptr || one->ready; });
  }
  void finish() {
    if (!done) return;
    patience.cancel();
    for (size_t i = 0; i < events.size(); ++i) {
      if (gathered[i] != nullptr) knowledge::attach(events[i], gathered[i]->context);
    }
    std::exchange(done, nullptr)(std::move(events));
  }

  Events events;
  std::vector<std::shared_ptr<Gathered>> gathered;  // of each event; null: it takes nothing along
  std::function<void(Events)> done;                 // null: told
  net::asio::steady_timer patience;
};

void PageFacts::prepare(Events events, std::function<void(Events)> done) {
  auto waiting = std::make_shared<Waiting>(parts_.io, std::move(events), std::move(done));
  for (size_t i = 0; i < waiting->events.size(); ++i) {
    slo::AlertEvent& event = waiting->events[i];
    if (!parts_.show_lines) knowledge::leave_out_lines(event);
    if (event.kind == slo::AlertEvent::Kind::fired) waiting->gathered[i] = gather(event);
  }
  if (waiting->ready()) return waiting->finish();
  waiting_.push_back(waiting);
  waiting->patience.expires_after(std::chrono::milliseconds(kPatienceMs));
  waiting->patience.async_wait(
      [this, waiting, alive = std::weak_ptr<bool>(alive_)](const net::ErrorCode& cancelled) {
        if (cancelled || alive.expired()) return;
        ++counters_.late;
        std::erase(waiting_, waiting);
        waiting->finish();
      });
}

std::shared_ptr<PageFacts::Gathered> PageFacts::gather(const slo::AlertEvent& event) {
  const Instant now = parts_.clock.mono();
  std::erase_if(kept_, [&](const auto& one) { return now.ns - one->at.ns > kFreshNs; });
  const auto known = std::find_if(kept_.begin(), kept_.end(),
                                  [&](const auto& one) { return one->event == name_of(event); });
  if (known != kept_.end()) return *known;
  ++counters_.gathered;
  if (kept_.size() >= kMostKept) kept_.pop_front();
  auto out = std::make_shared<Gathered>();
  kept_.push_back(out);
  out->event = name_of(event);
  out->at = now;
  const nines::incident::IncidentBook* const book = parts_.book();
  const std::string* const id = event.detail("incident");
  const auto incident =
      book != nullptr && id != nullptr ? book->find(*id, parts_.clock.wall()) : std::nullopt;
  const auto* const of = incident ? &*incident : nullptr;
  // What is told for another node is about that one's counts and lines.
  const bool own = event.detail(notify::kRelaysDetail) == nullptr;
  if (own) out->context.budgets = knowledge::budgets_of(parts_.engine, event, of);
  if (incident) out->context.lines = knowledge::examples_of(*incident);
  if (incident) out->context.suspects = knowledge::suspects_of(*incident);
  if (!parts_.show_lines) knowledge::leave_out_lines(out->context);
  out->ready = !own || !parts_.show_lines;
  if (out->ready) return out;
  const WallTime began = incident ? std::min(event.since, incident->began) : event.since;
  ask_lines(out, knowledge::services_of(event, of), {began.ns - kBeforeNs});
  return out;
}

void PageFacts::ask_lines(const std::shared_ptr<Gathered>& gathered,
                          std::vector<std::string> services, WallTime since) {
  const bool busy = asked_ >= kMostAsked;
  gathered->ready = !parts_.lines || parts_.book() == nullptr || services.empty() || busy;
  counters_.busy += busy ? 1 : 0;
  if (gathered->ready) return;
  ++asked_;
  parts_.lines(std::move(services), since, knowledge::PageContext::kMostLines,
               [this, gathered, alive = std::weak_ptr<bool>(alive_)](std::vector<std::string> l) {
                 if (alive.expired()) return;
                 --asked_;
                 if (!l.empty()) gathered->context.lines = std::move(l);
                 gathered->ready = true;
                 finish_ready();
               });
}

void PageFacts::finish_ready() {
  std::vector<std::shared_ptr<Waiting>> done;
  std::erase_if(waiting_, [&](const auto& one) {
    if (!one->ready()) return false;
    done.push_back(one);
    return true;
  });
  for (const auto& one : done) one->finish();
}

std::string PageFacts::metrics() const {
  const view::MetricFamily families[] = {
      {"nines_page_context_total", "Pages that budgets, suspects and lines were gathered for.",
       counters_.gathered},
      {"nines_page_context_late_total", "Pages that did not wait longer for lines.",
       counters_.late},
      {"nines_page_context_busy_total", "Pages without lines, for too many were asked for.",
       counters_.busy},
  };
  return view::metric_families(families);
}

}  // namespace nines::agent
