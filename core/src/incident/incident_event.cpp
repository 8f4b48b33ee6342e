#include "nines/incident/incident_event.hpp"

#include <algorithm>
#include <array>
#include <tuple>

#include "incident/text.hpp"
#include "nines/base/contract.hpp"
#include "nines/base/utf.hpp"
#include "nines/query/bytes.hpp"

namespace nines::incident {
namespace {

using query::get_byte;
using query::get_signed;
using query::get_varint;
using query::put_byte;
using query::put_signed;
using query::put_text;
using query::put_varint;

constexpr uint8_t kVersion = 1;
constexpr int64_t kMaxAheadNs = 3600 * kNsPerSecond;
constexpr size_t kMaxConditionKey = 128, kMaxConditionName = 96;

constexpr std::array<std::string_view, kEventKinds> kNames{
    "condition_began", "condition_ended",    "declared",     "acknowledged",  "mitigated",
    "resolved",        "reopened",           "severity_set", "role_assigned", "note",
    "action",          "communication_sent", "page_sent",    "suspects",      "impact",
    "diagnostics",     "cause_stated",       "item_added",   "item_done",     "linked"};

bool get_text(std::string_view& in, std::string& out, size_t most) {
  std::string_view text;
  if (!query::get_text(in, text) || text.size() > most) return false;
  out.assign(text);
  return true;
}

bool has_controls(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

bool is_clean(const IncidentEvent& e) {
  for (const std::string* text : {&e.node, &e.key, &e.id, &e.who, &e.text}) {
    if (has_controls(*text)) return false;
  }
  return std::none_of(e.details.begin(), e.details.end(), [](const auto& d) {
    return d.first.empty() || has_controls(d.first) || has_controls(d.second);
  });
}

// Beginnings come before what is said about them at the same moment.
int rank(EventKind kind) {
  return kind == EventKind::condition_began || kind == EventKind::declared ? 0 : 1;
}

std::string blanked(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return out;
}

}  // namespace

std::string_view event_kind_name(EventKind kind) noexcept {
  const auto at = static_cast<size_t>(kind);
  return at < kNames.size() ? kNames[at] : "note";
}

WallTime IncidentEvent::order() const noexcept {
  const WallTime latest = std::max({at, after, opened});
  // A writer whose clock is further off than that is not helped.
  return latest.ns - at.ns > kMaxAheadNs ? WallTime{at.ns + kMaxAheadNs} : latest;
}

const std::string* IncidentEvent::detail(std::string_view name) const noexcept {
  return find_detail(details, name);
}

bool comes_before(const IncidentEvent& a, const IncidentEvent& b) noexcept {
  const auto key = [](const IncidentEvent& e) { return std::pair(e.order().ns, rank(e.kind)); };
  const auto first = key(a), second = key(b);
  if (first != second) return first < second;
  return std::tie(a.node, a.boot, a.sequence) < std::tie(b.node, b.boot, b.sequence);
}

std::string short_name(std::string_view name, size_t most) {
  std::string clean = blanked(name);
  if (clean.size() <= most && clean == name) return clean;
  static constexpr char kHex[] = "0123456789abcdef";
  uint64_t hash = hash_of(name);
  std::string out(cut_utf8(clean, most - 13));
  out += '~';
  for (int i = 0; i < 12; ++i, hash >>= 4) out += kHex[hash & 15];
  return out;
}

void fit(IncidentEvent& e) {
  e.node = short_name(e.node, kMaxEventNode);
  e.key = short_name(e.key, kMaxEventKey);
  e.who = short_name(e.who, kMaxEventWho);
  e.id = short_name(e.id, kMaxEventId);
  e.text = blanked(e.text);
  std::erase_if(e.details, [](const auto& d) { return d.first.empty(); });
  if (e.details.size() > kMaxEventDetails) e.details.resize(kMaxEventDetails);
  for (auto& [key, value] : e.details) {
    key = short_name(key, kMaxDetailKey);
    value = blanked(value);
  }
  size_t size = encode_event(e).size();
  if (size > kMaxEventBytes) {
    const size_t over = size - kMaxEventBytes;
    const size_t kept = e.text.size() > over ? e.text.size() - over : 0;
    e.text = cut_utf8(e.text, kept);
  }
  while (encode_event(e).size() > kMaxEventBytes && !e.details.empty()) e.details.pop_back();
  NINES_ASSERT(encode_event(e).size() <= kMaxEventBytes);
}

std::string encode_event(const IncidentEvent& e) {
  std::string out;
  put_byte(out, kVersion);
  put_byte(out, static_cast<uint8_t>(e.kind));
  put_text(out, e.node);
  put_varint(out, e.boot);
  put_varint(out, e.sequence);
  put_signed(out, e.at.ns);
  put_signed(out, e.after.ns);
  put_signed(out, e.opened.ns);
  for (const std::string* text : {&e.key, &e.id, &e.who, &e.text}) put_text(out, *text);
  put_varint(out, e.details.size());
  for (const auto& [key, value] : e.details) {
    put_text(out, key);
    put_text(out, value);
  }
  return out;
}

std::optional<IncidentEvent> decode_event(std::string_view in) {
  if (in.size() > kMaxEventBytes) return std::nullopt;
  IncidentEvent e;
  uint8_t version = 0, kind = 0;
  uint64_t details = 0;
  if (!get_byte(in, version) || version != kVersion) return std::nullopt;
  if (!get_byte(in, kind) || kind >= kEventKinds) return std::nullopt;
  e.kind = static_cast<EventKind>(kind);
  const bool head = get_text(in, e.node, kMaxEventNode) && get_varint(in, e.boot) &&
                    get_varint(in, e.sequence) && get_signed(in, e.at.ns) &&
                    get_signed(in, e.after.ns) && get_signed(in, e.opened.ns) &&
                    get_text(in, e.key, kMaxEventKey) && get_text(in, e.id, kMaxEventId) &&
                    get_text(in, e.who, kMaxEventWho) && get_text(in, e.text, kMaxEventBytes) &&
                    get_varint(in, details) && details <= kMaxEventDetails;
  if (!head) return std::nullopt;
  for (; details > 0; --details) {
    auto& [key, value] = e.details.emplace_back();
    if (!get_text(in, key, kMaxDetailKey) || !get_text(in, value, kMaxEventBytes)) {
      return std::nullopt;
    }
  }
  // Times a century off would overflow what is computed with them.
  constexpr int64_t kMost = 4'102'444'800 * kNsPerSecond;
  const bool times = e.at.ns > 0 && e.at.ns < kMost && e.after.ns >= 0 && e.after.ns < kMost &&
                     e.opened.ns >= 0 && e.opened.ns < kMost;
  if (!in.empty() || !times || e.node.empty() || e.key.empty() || !is_clean(e)) {
    return std::nullopt;
  }
  return e;
}

Details condition_details(const Condition& c) {
  Details out;
  out.emplace_back("condition", short_name(c.key, kMaxConditionKey));
  out.emplace_back("kind", std::string(condition_kind_name(c.kind)));
  out.emplace_back("priority", std::to_string(std::clamp(c.priority, 0, 3)));
  out.emplace_back("since", std::to_string(c.since.ns));
  if (!c.service.empty()) out.emplace_back("service", short_name(c.service, kMaxConditionName));
  if (!c.node.empty()) out.emplace_back("node", short_name(c.node, kMaxConditionName));
  if (!c.pod.empty()) out.emplace_back("pod", short_name(c.pod, kMaxConditionName));
  return out;
}

std::optional<Condition> condition_of(const IncidentEvent& event) {
  Condition c;
  const std::string* key = event.detail("condition");
  if (key == nullptr || key->empty()) return std::nullopt;
  c.key = *key;
  const std::string* kind = event.detail("kind");
  for (int i = 0; kind != nullptr && i <= static_cast<int>(ConditionKind::custom); ++i) {
    if (condition_kind_name(static_cast<ConditionKind>(i)) == *kind) {
      c.kind = static_cast<ConditionKind>(i);
    }
  }
  c.priority = static_cast<int>(number_of(event.detail("priority"), 0, 3).value_or(3));
  c.since = {number_of(event.detail("since"), 1, event.at.ns).value_or(event.at.ns)};
  c.at = event.at;
  c.holds = event.kind == EventKind::condition_began;
  c.text = event.text;
  const auto take = [&](std::string_view name, std::string& into) {
    if (const std::string* text = event.detail(name)) into = *text;
  };
  take("service", c.service);
  take("node", c.node);
  take("pod", c.pod);
  return c;
}

}  // namespace nines::incident
