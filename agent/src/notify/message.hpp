// Message: what a notifier is told. An alert that fires or resolves, or a document: rows of a
// standing query, which have a place in the order of the store's events as alerts have, or
// something else that another part of the agent wants delivered.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "nines/slo/engine.hpp"

namespace nines::agent::notify {

struct Identity {
  std::string node, version;
  uint64_t boot = 0;
  std::string cluster = "nines";  // of its peers
};

struct Message {
  enum class Kind : uint8_t { alert, document };
  Kind kind = Kind::alert;
  slo::AlertEvent event;  // of an alert, of rows
  std::string key;        // the same whenever it is told again: receivers merge by it (law 8)
  std::string title;      // one line for people
  std::string json;       // all of it, as webhooks get it
  // Of a document: called once, when it is told or given up; not when the agent ends before that.
  std::function<void(bool delivered)> done;

  uint64_t sequence() const { return event.sequence; }
  bool is_alert() const { return kind == Kind::alert; }
  bool urgent() const { return event.severity == "page"; }
  bool fired() const { return is_alert() && event.kind == slo::AlertEvent::Kind::fired; }
  bool resolved() const { return is_alert() && !fired(); }
};

// Of an alert, or of rows.
Message event_message(const Identity& identity, slo::AlertEvent event);
Message document_message(std::string key, std::string title, std::string json);

// "node/boot/alert/sequence"; boot is that of the event where the store kept it, so that a repeat
// after a restart carries the same key.
std::string idempotency_key(const Identity& identity, const slo::AlertEvent& event);
// Details that begin so are links, made for one attempt to tell: "link_acknowledge".
inline constexpr std::string_view kLinkDetail = "link_";
std::string link_detail(std::string_view name);

// Detail of an event that is told for another node, and of what is noted of that:
// "ORIGIN/BOOT/SEQUENCE", the origin's name for it. It is told under the origin's key.
inline constexpr const char* kRelaysDetail = "relays";
struct Origin {
  std::string node;
  uint64_t boot = 0, sequence = 0;
};
// Nothing: it is this node's own.
std::optional<Origin> origin_of(const slo::AlertEvent& event);

std::string payload_json(const Identity& identity, const slo::AlertEvent& event);

// What a fire and its resolution have in common: "slo/rule".
std::string alert_of(const slo::AlertEvent& event);

// At most `bytes`, cut between characters, with "..." where something was lost.
std::string cut(std::string text, size_t bytes);

}  // namespace nines::agent::notify
