// TimelineKeeper: the timeline within the running agent. Feeds the recorder with what is looked at
// (states of SLOs, clocks of peers, its own clock), keeps what was recorded, and tells it: stories
// are made by a thread of their own, at the lowest priority. Control thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/fleet_link.hpp"
#include "app/snapshot.hpp"
#include "app/worker.hpp"
#include "incident/node_time.hpp"
#include "net/asio.hpp"
#include "timeline/clock_book.hpp"
#include "timeline/recorder.hpp"
#include "timeline/story.hpp"

namespace nines::agent {

class TimelineKeeper {
 public:
  static constexpr size_t kMostAsked = 4;            // stories that wait; more are refused
  static constexpr int64_t kToldAgainS = 24 * 3600;  // by the next life, to who was not there
  static constexpr size_t kMostToldAgain = 192;      // of what the fleet keeps of a node

  // All outlive it.
  struct Parts {
    boost::asio::io_context& io;
    const Clock& clock;
    std::string node;
    std::function<void(std::vector<store::Document>)> keep;
  };
  // `store` is asked now only.
  static Result<std::unique_ptr<TimelineKeeper>> start(Parts parts, store::StateStore& store);

  timeline::Recorder& recorder() noexcept { return *recorder_; }

  // Own events go to all nodes, and theirs come here; the newest of earlier lives are told again,
  // to who was not there. `fleet` is left (null) before it goes.
  void join(FleetLink* fleet, uint64_t boot);

  // Where the exchanges of peers give nothing (nodes that only a broker joins), requests that two
  // nodes saw do: those of a stretch of time that all nodes choose are told to the fleet. `ask`
  // gives this node's, at once or later, on this thread.
  using Requests = std::vector<timeline::ClockBook::Seen>;
  using AskRequests =
      std::function<void(WallTime from, WallTime to, std::function<void(Requests)> done)>;
  void learn_from_requests(AskRequests ask) { ask_requests_ = std::move(ask); }

  // How the clocks of other nodes were then, of those that are known.
  std::vector<incident::NodeTime> clocks_at(WallTime at) const;

  // With each evaluation. `ready`: everything written is read.
  void look(const slo::SloEngine& engine, bool ready);
  // What the store does not have yet: to go with a commit. Written again by look(), which costs
  // nothing where it stands already.
  std::vector<store::Document> changes() const { return log_.changes(); }
  // At the end: with nobody else using the store.
  std::vector<store::Document> take_last();

  // unavailable: too many wait.
  void ask(timeline::StoryWish wish, const std::function<void(Result<std::string>)>& done);
  // The timeline itself.
  void ask(timeline::StoryWish wish, const std::function<void(timeline::core::Timeline)>& done);

  TimelineFigures figures() const;

 private:
  TimelineKeeper(Parts&& parts, timeline::EventLog&& log);
  void look_at_own_clock(WallTime now);
  void keep_when_due(WallTime now);
  timeline::Kept kept(WallTime now) const;
  bool work(std::function<void()> job);
  void publish(const timeline::core::TimelineEvent& event);
  void tell_fleet(timeline::core::TimelineEvent event);
  void heard(const std::string& origin, const fleet::FleetEvent& told);
  void tell_requests(WallTime now);

  Parts parts_;
  timeline::EventLog log_;
  timeline::ClockBook clocks_;
  std::optional<timeline::Recorder> recorder_;
  FleetLink* fleet_ = nullptr;
  uint64_t life_ = 0, told_ = 0;  // name of what is told to the fleet
  AskRequests ask_requests_;
  std::map<std::string, WallTime> heard_at_;  // who told something, and when last
  int64_t told_window_ = 0;
  std::optional<int64_t> wall_ahead_;  // wall - monotonic clock, at the last look
  std::optional<WallTime> dirty_since_;
  bool urgent_ = false;
  WallTime clocks_kept_{};
  uint64_t refused_ = 0, unreadable_ = 0;
  size_t asked_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::optional<Worker> worker_;  // of stories; from the first one on
};

}  // namespace nines::agent
