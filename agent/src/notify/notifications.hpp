// Notifications: everyone who is told, as configured; their cursors, and the dead letters.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "nines/store/state_store.hpp"
#include "notify/alertmanagers.hpp"
#include "notify/teller.hpp"

namespace nines::agent::notify {

class Notifications {
 public:
  static constexpr size_t kMaxDeadLetters = 128;  // the oldest give way, counted

  // Runs a job on the thread that owns the store, in order.
  using StoreWork = std::function<void(std::function<void()>)>;

  // Reads what was kept from `store` at once, by this thread; later it is touched by `work` only.
  // All must outlive it; it must be destroyed by the thread of `io`.
  static Result<std::unique_ptr<Notifications>> start(boost::asio::io_context& io,
                                                      const Clock& clock, const NodeConfig& config,
                                                      const Identity& identity,
                                                      store::StateStore& store, StoreWork work,
                                                      uint64_t seed);
  // Called on the thread of `io` for each alert that somebody was told, before it is noted that he
  // was. Set it before the first turn of `io`.
  using Delivered =
      std::function<void(const std::string& name, const char* kind, const slo::AlertEvent& event)>;
  void on_delivered(Delivered delivered);
  // Called so for each alert that all notifiers of a chain, or one on its own, refuse: with their
  // names and that of the chain.
  using Refused =
      std::function<void(const std::vector<std::string>& names, const slo::AlertEvent& event)>;
  void on_refused(Refused refused);
  // Links for alerts, made on the thread of `io`. Set it before the first turn of `io`.
  void on_links(LinksFor links);
  // Called on the thread of `io` with events that are about to be told, before anybody is: calls
  // `done` with them, once, at once or soon. Set it before the first turn of `io`.
  using Prepare = std::function<void(std::vector<slo::AlertEvent> events, EventSource::Reply done)>;
  void on_telling(Prepare prepare);
  ~Notifications();

  // New events may be in the store.
  void notify();
  // For who wants something other than an alert delivered: `document.done` says what became of it.
  // It is kept in memory only. False: there is no notifier of that name, or no room now.
  bool post(const std::string& notifier, const Message& document);

  // Of an event that nobody has told: how it stands with it at those (chains or notifiers by name;
  // an empty list: all). Open: one may still tell it soon.
  Chain::Hope hope(const slo::AlertEvent& event, const std::vector<std::string>& names) const;
  // Another node has told it: those pass it over.
  void told_elsewhere(uint64_t sequence, const std::vector<std::string>& names);

  std::vector<NotifierShown> notifiers() const;
  std::vector<ReplicaShown> alertmanagers() const;
  // GET /api/outbox
  std::string outbox_json() const;

 private:
  struct Shared;
  Notifications() = default;

  std::shared_ptr<Shared> shared_;
  std::vector<std::unique_ptr<Teller>> tellers_;
  std::vector<std::unique_ptr<AlertmanagerTeller>> alertmanagers_;
};

}  // namespace nines::agent::notify
