#include "app/timeline.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "app/log.hpp"
#include "nines/base/utf.hpp"
#include "query/priority.hpp"

namespace nines::agent {
namespace {

using timeline::core::EventKind;
using timeline::core::TimelineEvent;

constexpr int64_t kStepNs = 100 * kNsPerMs;  // what no slewing does between two looks
constexpr int64_t kReadNs = 20 * kNsPerMs;   // reading two clocks takes no longer
constexpr int64_t kWindowNs = 600 * kNsPerSecond;
constexpr size_t kMostHeard = 64;
constexpr int64_t kWaitNs = 60 * kNsPerSecond;
constexpr int64_t kKeepClocksNs = 3600 * kNsPerSecond;
constexpr size_t kToldText = 400, kToldValue = 64, kToldFields = 4;

// What may wait for a minute, so that it is written with something else: it can be learned anew, or
// is no loss.
bool can_wait(const TimelineEvent& event) {
  return event.kind == EventKind::first_seen || event.kind == EventKind::state;
}

// As much as the fleet carries.
std::string carried(TimelineEvent event) {
  std::string body = timeline::core::encode({event});
  if (body.size() <= fleet::kMaxEventBody) return body;
  event.text.resize(cut_utf8(event.text, kToldText).size());
  if (event.fields.size() > kToldFields) event.fields.resize(kToldFields);
  for (auto& [name, value] : event.fields) {
    name.resize(cut_utf8(name, kToldValue).size());
    value.resize(cut_utf8(value, kToldValue).size());
  }
  body = timeline::core::encode({event});
  if (body.size() <= fleet::kMaxEventBody) return body;
  event.fields.clear();
  return timeline::core::encode({event});
}

}  // namespace

TimelineKeeper::TimelineKeeper(Parts&& parts, timeline::EventLog&& log)
    : parts_(std::move(parts)), log_(std::move(log)), clocks_(parts_.node) {
  recorder_.emplace(parts_.node, log_, [this](const TimelineEvent& event) { publish(event); });
}

Result<std::unique_ptr<TimelineKeeper>> TimelineKeeper::start(Parts parts,
                                                              store::StateStore& store) {
  NINES_TRY(const auto kept, store.documents(timeline::EventLog::kDocuments));
  NINES_TRY(const auto clocks, store.documents(timeline::ClockBook::kDocuments));
  const WallTime now = parts.clock.wall();
  timeline::EventLog log(parts.node);
  log.restore(kept, now);
  std::unique_ptr<TimelineKeeper> out(new TimelineKeeper(std::move(parts), std::move(log)));
  out->clocks_.restore(clocks);
  out->clocks_kept_ = now;
  return out;
}

void TimelineKeeper::publish(const TimelineEvent& event) {
  if (!dirty_since_) dirty_since_ = parts_.clock.wall();
  urgent_ = urgent_ || !can_wait(event);
  tell_fleet(event);
}

void TimelineKeeper::tell_fleet(TimelineEvent event) {
  if (fleet_ == nullptr) return;
  const WallTime at = event.at;
  fleet_->publish(FleetLink::Stream::timeline, life_, ++told_, at, carried(std::move(event)));
}

void TimelineKeeper::join(FleetLink* fleet, uint64_t boot) {
  fleet_ = fleet;
  if (fleet == nullptr) return;
  const WallTime now = parts_.clock.wall();
  life_ = fleet::life_number(boot, now);
  std::vector<TimelineEvent> own;
  for (TimelineEvent& event : log_.events()) {
    const bool recent = now.ns - event.at.ns < kToldAgainS * kNsPerSecond;
    if (event.node == parts_.node && recent) own.push_back(std::move(event));
  }
  const size_t from = own.size() > kMostToldAgain ? own.size() - kMostToldAgain : 0;
  for (size_t i = from; i < own.size(); ++i) tell_fleet(std::move(own[i]));
  fleet->listen(
      FleetLink::Stream::timeline,
      [this](const std::string& origin, const fleet::FleetEvent& told) { heard(origin, told); });
}

// Ten minutes, of which the first half counts: clocks that are minutes apart choose the same.
void TimelineKeeper::tell_requests(WallTime now) {
  const int64_t window = now.ns / kWindowNs;
  if (!ask_requests_ || fleet_ == nullptr || window == told_window_) return;
  told_window_ = window;
  std::erase_if(heard_at_, [&](const auto& one) { return now.ns - one.second.ns > 6 * kWindowNs; });
  const bool unsure = std::any_of(heard_at_.begin(), heard_at_.end(), [&](const auto& one) {
    return !clocks_.measured(one.first, now);
  });
  if (!unsure) return;
  const WallTime from{(window - 1) * kWindowNs};
  ask_requests_(from, WallTime{from.ns + kWindowNs / 2},
                [this, alive = std::weak_ptr<bool>(alive_)](Requests seen) {
                  if (alive.expired() || fleet_ == nullptr || seen.empty()) return;
                  const WallTime at = parts_.clock.wall();
                  fleet_->publish(FleetLink::Stream::timeline, life_, ++told_, at,
                                  timeline::encode_seen(seen));
                  clocks_.requests(parts_.node, std::move(seen), at);
                });
}

void TimelineKeeper::heard(const std::string& origin, const fleet::FleetEvent& told) {
  const bool others = origin != parts_.node;
  if (others && heard_at_.size() < kMostHeard) heard_at_[origin] = parts_.clock.wall();
  if (timeline::is_seen(told.body)) {
    auto seen = timeline::decode_seen(told.body);
    if (!seen.ok()) ++unreadable_;
    if (seen.ok() && others) clocks_.requests(origin, std::move(*seen), parts_.clock.wall());
    return;
  }
  auto events = timeline::core::decode(told.body);
  if (!events.ok() || events->size() != 1 || events->front().node != origin) {
    ++unreadable_;
    return;
  }
  const WallTime now = parts_.clock.wall();
  if (!recorder_->heard(std::move(events->front()), now)) return;
  if (!dirty_since_) dirty_since_ = now;
}

std::vector<incident::NodeTime> TimelineKeeper::clocks_at(WallTime at) const {
  std::vector<incident::NodeTime> out;
  for (auto& clock : clocks_.clocks_at(at, parts_.clock.wall())) {
    out.push_back({std::move(clock.node), clock.offset_ns, clock.uncertainty_ns});
  }
  return out;
}

void TimelineKeeper::look_at_own_clock(WallTime now) {
  const Instant before = parts_.clock.mono();
  const WallTime wall = parts_.clock.wall();
  if (parts_.clock.mono().ns - before.ns > kReadNs) return;  // interrupted in between
  const int64_t ahead = wall.ns - before.ns;
  const int64_t set_by = wall_ahead_ ? ahead - *wall_ahead_ : 0;
  wall_ahead_ = ahead;
  if (std::abs(set_by) < kStepNs) return;
  clocks_.clock_set();
  recorder_->clock_set(set_by, now);
}

void TimelineKeeper::look(const slo::SloEngine& engine, bool ready) {
  const WallTime now = parts_.clock.wall();
  look_at_own_clock(now);
  if (ready) recorder_->states(engine, now);
  recorder_->tick(now);
  if (fleet_ != nullptr) {
    for (const peer::PeerView& peer : fleet_->peers()) {
      if (!peer.offset_ns || peer.state != peer::PeerView::State::alive) continue;
      clocks_.exchange(peer.node, *peer.offset_ns, peer.uncertainty_ns, now);
    }
  }
  tell_requests(now);
  clocks_.tick(now);
  keep_when_due(now);
}

void TimelineKeeper::keep_when_due(WallTime now) {
  std::vector<store::Document> documents;
  const bool waited = dirty_since_ && (now.ns - dirty_since_->ns >= kWaitNs || now < *dirty_since_);
  if (log_.has_changes() && (urgent_ || waited || !dirty_since_)) {
    documents = log_.take_changes();
    dirty_since_.reset();
    urgent_ = false;
  }
  if (now.ns - clocks_kept_.ns >= kKeepClocksNs || now < clocks_kept_) {
    clocks_kept_ = now;
    for (auto& document : clocks_.take_changes()) documents.push_back(std::move(document));
  }
  if (!documents.empty()) parts_.keep(std::move(documents));
}

std::vector<store::Document> TimelineKeeper::take_last() {
  auto documents = log_.take_changes();
  for (auto& document : clocks_.take_changes()) documents.push_back(std::move(document));
  return documents;
}

timeline::Kept TimelineKeeper::kept(WallTime now) const {
  return {log_.blocks(), clocks_.clocks(now), parts_.node};
}

bool TimelineKeeper::work(std::function<void()> job) {
  if (asked_ >= kMostAsked) {
    ++refused_;
    return false;
  }
  ++asked_;
  if (!worker_) {
    worker_.emplace();
    worker_->post([] { query::lower_thread_priority(); });
  }
  worker_->post(std::move(job));
  return true;
}

void TimelineKeeper::ask(timeline::StoryWish wish,
                         const std::function<void(Result<std::string>)>& done) {
  auto what = std::make_shared<timeline::Kept>(kept(parts_.clock.wall()));
  const bool taken = work([this, alive = std::weak_ptr<bool>(alive_), &io = parts_.io, what,
                           wish = std::move(wish), done] {
    auto told = std::make_shared<Result<std::string>>(timeline::render_story(*what, wish));
    net::asio::post(io, [this, alive, told, done] {
      if (alive.expired()) return;
      --asked_;
      done(std::move(*told));
    });
  });
  if (taken) return;
  done(Error{Errc::unavailable, std::to_string(kMostAsked) +
                                    " timelines are being told already; ask again in a moment"});
}

void TimelineKeeper::ask(timeline::StoryWish wish,
                         const std::function<void(timeline::core::Timeline)>& done) {
  auto what = std::make_shared<timeline::Kept>(kept(parts_.clock.wall()));
  const bool taken = work([this, alive = std::weak_ptr<bool>(alive_), &io = parts_.io, what,
                           wish = std::move(wish), done] {
    auto told = std::make_shared<timeline::core::Timeline>(timeline::tell_story(*what, wish));
    net::asio::post(io, [this, alive, told, done] {
      if (alive.expired()) return;
      --asked_;
      done(std::move(*told));
    });
  });
  if (!taken) done({});
}

TimelineFigures TimelineKeeper::figures() const {
  const timeline::EventLog::Stats& log = log_.stats();
  TimelineFigures out;
  out.events = log.events;
  out.bytes = log.bytes;
  out.recorded = log.recorded;
  out.heard = log.heard;
  out.dropped = log.dropped;
  out.refused = log.refused + unreadable_;
  out.damaged = log.damaged + clocks_.stats().damaged;
  out.left_out = recorder_->stats().left_out;
  out.clocks = clocks_.stats().kept;
  out.busy = refused_;
  return out;
}

}  // namespace nines::agent
