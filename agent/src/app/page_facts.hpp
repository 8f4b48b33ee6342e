// PageFacts: what the running agent knows of an event that is about to be told: budgets, suspects,
// and the newest error lines, which the thread that reads is asked for. A page waits kPatienceMs
// for those at most, and goes without when nothing has come by then. Control thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "knowledge/page_context.hpp"
#include "net/asio.hpp"
#include "nines/base/time.hpp"
#include "nines/incident/incident_book.hpp"

namespace nines::agent {

class PageFacts {
 public:
  static constexpr int64_t kPatienceMs = 250;
  // Answers for events that others tell, too; they are gathered anew after kFreshNs.
  static constexpr size_t kMostKept = 64;
  static constexpr int64_t kFreshNs = 30 * kNsPerSecond;
  static constexpr size_t kMostAsked = 16;  // under way; beyond, pages go without lines

  // All outlive it.
  struct Parts {
    net::asio::io_context& io;
    const Clock& clock;
    const slo::SloEngine& engine;
    // Null where incidents are switched off, or not there yet.
    std::function<const nines::incident::IncidentBook*()> book;
    // Calls back on this thread, at once, later or never. Null: lines are not shown.
    using Lines = std::function<void(std::vector<std::string>)>;
    std::function<void(std::vector<std::string> services, WallTime since, size_t most, Lines done)>
        lines;
    bool show_lines = true;  // false: none is asked for, and nothing that quotes some is told
  };
  explicit PageFacts(Parts parts) : parts_(std::move(parts)) {}

  // Calls `done` with the events, once, at once or within kPatienceMs: those that fire with what is
  // known, all without lines where they are not shown.
  using Events = std::vector<slo::AlertEvent>;
  void prepare(Events events, std::function<void(Events)> done);

  std::string metrics() const;

 private:
  struct Gathered {
    std::string event;
    knowledge::PageContext context;
    Instant at{};
    bool ready = false;
  };
  struct Waiting;
  std::shared_ptr<Gathered> gather(const slo::AlertEvent& event);
  void ask_lines(const std::shared_ptr<Gathered>& gathered, std::vector<std::string> services,
                 WallTime since);
  void finish_ready();

  Parts parts_;
  std::deque<std::shared_ptr<Gathered>> kept_;
  std::vector<std::shared_ptr<Waiting>> waiting_;
  size_t asked_ = 0;
  struct Counters {
    uint64_t gathered = 0, late = 0, busy = 0;
  } counters_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace nines::agent
