#include "notify/message.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "knowledge/page_context.hpp"
#include "knowledge/page_knowledge.hpp"
#include "nines/base/json_writer.hpp"
#include "view/text.hpp"

namespace nines::agent::notify {
namespace {

constexpr const char* kStream = "alert";

uint64_t boot_of(const Identity& identity, const slo::AlertEvent& event) {
  return event.boot != 0 ? event.boot : identity.boot;
}

// "P1 INC-2026-0301-042 opened (shop)".
std::string title_of_incident(const slo::AlertEvent& event, const std::string& transition) {
  if (event.kind == slo::AlertEvent::Kind::resolved) return "Resolved: " + event.slo;
  std::string what = transition;
  if (transition == "worse") what = "became worse";
  if (transition == "reopened") what = "is back";
  if (transition == "escalated") what = "is not acknowledged";
  if (transition == "overdue") what = "are overdue";
  return view::priority_name(event.priority) + " " + event.slo + " " + what + " (" + event.service +
         ")";
}

std::string title_of(const slo::AlertEvent& event) {
  if (event.kind == slo::AlertEvent::Kind::rows) return event.summary;
  if (const std::string* transition = event.detail("transition")) {
    return title_of_incident(event, *transition);
  }
  const bool fired = event.kind == slo::AlertEvent::Kind::fired;
  return (fired ? view::priority_name(event.priority) + " " : "Resolved: ") + event.severity + " " +
         event.slo + " (" + event.rule + ")";
}

// What the agent adds for who is told, and has a place of its own.
bool is_added(const std::string& name) {
  return name == knowledge::kJsonDetail || name == knowledge::kTextDetail ||
         name.starts_with(knowledge::kContextJson) || name.starts_with(kLinkDetail);
}

void write_incident(JsonWriter& json, const slo::AlertEvent& event) {
  const auto& details = event.details;
  const bool any = std::any_of(details.begin(), details.end(),
                               [](const auto& detail) { return !is_added(detail.first); });
  if (!any) return;
  json.key("incident").begin_object();
  for (const auto& [name, value] : details) {
    if (is_added(name)) continue;
    json.member(name == "incident" ? "id" : std::string_view(name), value);
  }
  json.end_object();
}

void write_links(JsonWriter& json, const slo::AlertEvent& event) {
  bool any = false;
  for (const auto& [name, url] : event.details) {
    if (!name.starts_with(kLinkDetail)) continue;
    if (!std::exchange(any, true)) json.key("links").begin_object();
    json.member(std::string_view(name).substr(kLinkDetail.size()), url);
  }
  if (any) json.end_object();
}

}  // namespace

std::string link_detail(std::string_view name) {
  return std::string(kLinkDetail) + std::string(name);
}

std::optional<Origin> origin_of(const slo::AlertEvent& event) {
  const std::string* const key = event.detail(kRelaysDetail);
  if (key == nullptr) return std::nullopt;
  const size_t second = key->rfind('/');
  const size_t first =
      second == std::string::npos || second == 0 ? std::string::npos : key->rfind('/', second - 1);
  if (first == std::string::npos || first == 0) return std::nullopt;
  Origin out{key->substr(0, first), 0, 0};
  const auto read = [&](size_t begin, size_t end, uint64_t& to) {
    const auto [stop, error] = std::from_chars(key->data() + begin, key->data() + end, to);
    return error == std::errc{} && stop == key->data() + end;
  };
  const bool good =
      read(first + 1, second, out.boot) && read(second + 1, key->size(), out.sequence);
  return good ? std::optional(std::move(out)) : std::nullopt;
}

std::string idempotency_key(const Identity& identity, const slo::AlertEvent& event) {
  const Origin own{identity.node, boot_of(identity, event), event.sequence};
  const Origin name = origin_of(event).value_or(own);
  return name.node + "/" + std::to_string(name.boot) + "/" + kStream + "/" +
         std::to_string(name.sequence);
}

std::string payload_json(const Identity& identity, const slo::AlertEvent& event) {
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  const auto origin = origin_of(event);
  const Origin name =
      origin.value_or(Origin{identity.node, boot_of(identity, event), event.sequence});
  json.member("version", 1).member("agent", identity.version).member("node", name.node);
  json.member("boot", name.boot).member("stream", kStream).member("sequence", name.sequence);
  if (origin) {  // with its own number: whoever looks for gaps finds none
    json.member("relayed_by", identity.node);
    json.member("relayed_boot", boot_of(identity, event));
    json.member("relayed_sequence", event.sequence);
  }
  if (event.kind == slo::AlertEvent::Kind::rows) {
    json.member("kind", "rows").member("query", event.rule).member("severity", event.severity);
    json.member("since", event.since).member("at", event.at).member("summary", event.summary);
    json.key("rows").raw(event.rows);
    json.member("omitted", event.omitted);
    json.end_object();
    return body;
  }
  json.member("kind", event.kind == slo::AlertEvent::Kind::fired ? "fired" : "resolved");
  json.member("slo", event.slo).member("service", event.service);
  json.member("rule", event.rule).member("severity", event.severity);
  json.member("priority", view::priority_name(event.priority));
  json.member("since", event.since).member("at", event.at).member("summary", event.summary);
  write_incident(json, event);
  write_links(json, event);
  if (const std::string* const context = event.detail(knowledge::kContextJson)) {
    json.key("context").raw(*context);
  }
  if (const std::string* const known = event.detail(knowledge::kJsonDetail)) {
    json.key("knowledge").raw(*known);
  }
  json.end_object();
  return body;
}

Message event_message(const Identity& identity, slo::AlertEvent event) {
  Message message;
  if (event.kind == slo::AlertEvent::Kind::rows) message.kind = Message::Kind::document;
  message.key = idempotency_key(identity, event);
  message.json = payload_json(identity, event);
  message.title = title_of(event);
  message.event = std::move(event);
  return message;
}

Message document_message(std::string key, std::string title, std::string json) {
  Message message;
  message.kind = Message::Kind::document;
  message.key = std::move(key);
  message.title = std::move(title);
  message.json = std::move(json);
  return message;
}

std::string alert_of(const slo::AlertEvent& event) { return event.slo + "/" + event.rule; }

std::string cut(std::string text, size_t bytes) {
  constexpr std::string_view kDots = "...";
  if (text.size() <= bytes) return text;
  if (bytes < kDots.size()) return {};
  size_t end = bytes - kDots.size();
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  text.resize(end);
  return text.append(kDots);
}

}  // namespace nines::agent::notify
