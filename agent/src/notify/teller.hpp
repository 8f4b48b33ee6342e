// Teller: the driver of a Chain. Fetches events from the store, carries out exchanges, keeps the
// cursor. On the control io_context; one exchange a step in flight.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "config/notifier_config.hpp"
#include "notify/chain.hpp"
#include "notify/message.hpp"

namespace boost::asio {
class io_context;
}

namespace nines::agent::notify {

struct DeadLetter {
  std::string notifier, key, title, why;
  int status = 0;  // 0: there was no answer
  WallTime at{};
  std::string json;  // what was to be told
};

// Where events come from and how far a destination got. Called on the thread of the io_context;
// `reply` must be called there as well, at once or later, exactly once (empty on error: asked again
// at the next notify() or after a minute).
struct EventSource {
  using Reply = std::function<void(std::vector<slo::AlertEvent>)>;
  std::function<void(uint64_t after, size_t max, Reply reply)> events_after;
  std::function<void(uint64_t cursor)> advance;             // all up to here is told, dead or owed
  std::function<void(const std::string& memory)> remember;  // Chain::memory(), before advance()
  std::function<void(DeadLetter)> bury;
  // Each of its notifiers that an alert is for has refused it, for good or by its credential. May
  // come more than once. May be empty.
  std::function<void(const std::vector<std::string>& names, const slo::AlertEvent&)> refused;
  // An alert is told, by the notifier of that name and kind. May be empty.
  std::function<void(const std::string& name, const char* kind, const slo::AlertEvent&)> delivered;
};

// Links that go with an alert to one notifier: {"acknowledge", "https://..."}. Made for every
// attempt, and kept nowhere: whoever has one may use it.
using LinksFor = std::function<std::vector<std::pair<std::string, std::string>>(
    const slo::AlertEvent&, const std::string& notifier)>;

struct NotifierShown {
  std::string name, kind, chain;  // chain: empty on its own
  size_t step = 0;
  uint64_t cursor = 0;
  std::string last_error;  // empty: the last attempt went well
  StepStats stats;
};

class Teller {
 public:
  struct Step {
    NotifierConfig config;
    int64_t within_ms = 0;
  };
  struct Setup {
    std::string chain;  // name; empty: one notifier on its own
    std::vector<Step> steps;
    Identity identity;
    EventSource source;  // remember and bury may be empty
    LinksFor links{};    // may be empty
    uint64_t cursor = 0, seed = 0;
    std::string memory;  // as given to remember() in an earlier life
    RetryPolicy policy;
  };
  // `io` and `clock` must outlive it.
  Teller(boost::asio::io_context& io, const Clock& clock, Setup setup);
  // What is in flight is forgotten; it will be told again after a restart.
  ~Teller();

  // New events may be there. Cheap; call after every commit that carried events.
  void notify();
  // A document for one of its notifiers. False: it has none of that name, or no room now.
  bool post(const std::string& notifier, Message document);
  std::vector<NotifierShown> shown() const;
  // Whether its chain, or one of its notifiers, is called so; of an empty list: yes.
  bool is_among(const std::vector<std::string>& names) const;
  Chain::Hope hope(const slo::AlertEvent& event) const;
  void told_elsewhere(uint64_t sequence);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

const char* kind_name(NotifierConfig::Kind kind);

}  // namespace nines::agent::notify
