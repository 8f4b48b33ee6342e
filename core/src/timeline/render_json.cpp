#include "nines/base/json_writer.hpp"
#include "timeline/inert.hpp"

namespace nines::timeline {
namespace {

std::string local_text(WallTime at, const TimeZone& zone) {
  return date_text(at, zone) + ' ' + clock_text(at, zone);
}

template <class T>
void member_or_null(JsonWriter& json, std::string_view name, const std::optional<T>& value) {
  json.key(name);
  if (value)
    json.value(*value);
  else
    json.null();
}

void put_node(JsonWriter& json, const NodeClock& clock) {
  const bool known = clock.uncertainty_ns.has_value();
  json.begin_object().member("node", clock.node);
  member_or_null(json, "offset_ns", known ? std::optional(clock.offset_ns) : std::nullopt);
  member_or_null(json, "uncertainty_ns", clock.uncertainty_ns);
  json.member("source", name_of(known ? clock.source : NodeClock::Source::nothing)).end_object();
}

void put_entry(JsonWriter& json, const Entry& entry, const TimeZone& zone) {
  const TimelineEvent& event = entry.event;
  const bool sure = entry.clock_known && !entry.doubtful;
  json.begin_object();
  json.key("time").value(std::string_view(format_rfc3339(entry.at)));
  json.member("local_time", std::string_view(local_text(entry.at, zone)));
  member_or_null(json, "uncertainty_ns",
                 sure ? std::optional(entry.uncertainty_ns()) : std::nullopt);
  json.key("reported").value(std::string_view(format_rfc3339(event.at)));
  json.member("node", event.node).member("seq", event.seq).member("service", event.service);
  json.member("kind", name_of(event.kind)).member("text", event.text);
  json.member("incident", event.incident).member("key", event.key);
  member_or_null(json, "concurrent_group", entry.group);
  member_or_null(json, "after", entry.after);
  json.member("doubtful", entry.doubtful).member("in_sequence", entry.in_sequence);
  json.key("fields").begin_array();
  for (const auto& [name, value] : event.fields)
    json.begin_object().member("name", name).member("value", value).end_object();
  json.end_array().end_object();
}

// Within a page, too: "<" stands only in strings, and there it may be escaped.
std::string without_markup(const std::string& json) {
  std::string out;
  out.reserve(json.size() + json.size() / 64);
  size_t from = 0;
  for (size_t at = json.find('<'); at != std::string::npos; at = json.find('<', from)) {
    out.append(json, from, at - from).append("\\u003c");
    from = at + 1;
  }
  out.append(json, from);
  return out;
}

}  // namespace

std::string render_json(const Timeline& timeline, const RenderOptions& options) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().member("title", title_text(timeline, options));
  json.member("zone", options.zone.name()).member("reference", timeline.reference());
  json.key("nodes").begin_array();
  for (const NodeClock& clock : timeline.nodes()) put_node(json, clock);
  json.end_array().key("events").begin_array();
  for (const Entry& entry : timeline.entries()) put_entry(json, entry, options.zone);
  const Timeline::Stats& stats = timeline.stats();
  json.end_array().key("stats").begin_object();
  json.member("given", stats.given).member("twice", stats.twice);
  json.member("filtered", stats.filtered).member("beyond_limit", stats.beyond_limit);
  json.member("doubtful", stats.doubtful).member("out_of_sequence", stats.out_of_sequence);
  json.member("keys_unused", stats.keys_unused).end_object().end_object();
  return without_markup(out);
}

}  // namespace nines::timeline
