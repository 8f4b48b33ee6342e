#include "timeline/inert.hpp"

#include <array>
#include <cstdlib>

namespace nines::timeline {
namespace {

constexpr char32_t kBad = 0xFFFD;

// The next character of `text`, which is not empty, taken off it; kBad: no UTF-8.
char32_t take(std::string_view& text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(0);
  const size_t n = lead < 0x80    ? 1
                   : lead >= 0xF8 ? 0
                   : lead >= 0xF0 ? 4
                   : lead >= 0xE0 ? 3
                   : lead >= 0xC0 ? 2
                                  : 0;
  static constexpr std::array<char32_t, 5> kLeast{0, 0, 0x80, 0x800, 0x10000};
  char32_t c = n == 1 ? lead : lead & (0x7FU >> n);
  bool good = n > 0 && n <= text.size();
  for (size_t i = 1; good && i < n; ++i) {
    good = (byte(i) & 0xC0U) == 0x80;
    c = c << 6 | (byte(i) & 0x3FU);
  }
  good = good && c >= kLeast[n] && c <= 0x10FFFF && (c < 0xD800 || c > 0xDFFF);
  text.remove_prefix(good ? n : 1);
  return good ? c : kBad;
}

void put(std::string& out, char32_t c) {
  const auto tail = [&](int shift) { out += static_cast<char>(0x80U | (c >> shift & 0x3FU)); };
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0U | c >> 6);
    tail(0);
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0U | c >> 12);
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xF0U | c >> 18);
    tail(12);
    tail(6);
    tail(0);
  }
}

bool is_control(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029;
}

// Format characters (Unicode category Cf and those that tag or vary): they show nothing, or change
// what others show.
bool is_invisible(char32_t c) {
  return c == 0xAD || c == 0x61C || c == 0x180E || (c >= 0x200B && c <= 0x200F) ||
         (c >= 0x202A && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF ||
         (c >= 0xFFF9 && c <= 0xFFFB) || (c & 0xFFFE) == 0xFFFE || (c >= 0xE0000 && c <= 0xE0FFF);
}

template <class Put>
std::string each_inert(std::string_view text, size_t most, Put put_one) {
  std::string out;
  for (size_t n = 0; !text.empty(); ++n) {
    char32_t c = take(text);
    if (n + 1 >= most && !text.empty()) {
      put(out, U'…');
      break;
    }
    if (is_control(c)) c = ' ';
    if (is_invisible(c)) c = kBad;
    put_one(out, c);
  }
  return out;
}

std::string two(int64_t n) { return (n < 10 ? "0" : "") + std::to_string(n); }

WallTime local(WallTime at, const TimeZone& zone) {
  return {at.ns + int64_t{zone.offset_s(at.seconds())} * kNsPerSecond};
}

// `ns` as a number of `unit`s with up to `digits` after the point, rounded up.
std::string up(int64_t ns, int64_t unit, int digits) {
  int64_t scale = 1;
  for (int i = 0; i < digits; ++i) scale *= 10;
  const int64_t step = unit / scale;
  const int64_t steps = (ns + step - 1) / step;
  std::string out = std::to_string(steps / scale);
  if (steps % scale == 0) return out;
  std::string rest = std::to_string(scale + steps % scale).substr(1);
  while (rest.back() == '0') rest.pop_back();
  return out + '.' + rest;
}

std::string span_text(int64_t ns, int digits) {
  if (ns < kNsPerMs) return up(ns, kNsPerUs, 0) + " µs";
  if (ns < kNsPerSecond) return up(ns, kNsPerMs, ns < 10 * kNsPerMs ? 1 : 0) + " ms";
  if (ns < 3600 * kNsPerSecond) return up(ns, kNsPerSecond, digits) + " s";
  if (ns < 48 * 3600 * kNsPerSecond) return up(ns, 3600 * kNsPerSecond, 1) + " h";
  return up(ns, 86400 * kNsPerSecond, 0) + " d";
}

}  // namespace

std::string inert(std::string_view text, size_t most) { return each_inert(text, most, put); }

std::string inert_xml(std::string_view text, size_t most) {
  return each_inert(text, most, [](std::string& out, char32_t c) {
    switch (c) {
      case '<': out += "&lt;"; return;
      case '>': out += "&gt;"; return;
      case '&': out += "&amp;"; return;
      case '"': out += "&quot;"; return;
      case '\'': out += "&#39;"; return;
      default: put(out, c);
    }
  });
}

std::string inert_mermaid(std::string_view text, size_t most) {
  return each_inert(text, most, [](std::string& out, char32_t c) {
    const bool plain = c > 0x7E || c == ' ' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                       (c >= 'A' && c <= 'Z') || c == '.' || c == ',' || c == '/' || c == '_' ||
                       c == '-' || c == '+';
    put(out, plain ? c : c + 0xFEE0);
  });
}

size_t columns(std::string_view text) noexcept {
  size_t n = 0;
  for (const char c : text) n += (static_cast<uint8_t>(c) & 0xC0U) != 0x80 ? 1 : 0;
  return n;
}

std::string date_text(WallTime at, const TimeZone& zone) {
  const int64_t s = local(at, zone).seconds();
  const int64_t days = s / 86400 - (s % 86400 < 0 ? 1 : 0);
  const CivilDate date = civil_from_days(days);
  return std::to_string(date.year) + '-' + two(date.month) + '-' + two(date.day);
}

std::string clock_text(WallTime at, const TimeZone& zone) {
  const WallTime there = to_ms(local(at, zone));
  const int64_t of_day = (there.seconds() % 86400 + 86400) % 86400;
  const int64_t ms = (there.ns - there.seconds() * kNsPerSecond) / kNsPerMs;
  return two(of_day / 3600) + ':' + two(of_day / 60 % 60) + ':' + two(of_day % 60) + '.' +
         std::to_string(1000 + ms).substr(1);
}

std::string zone_text(WallTime at, const TimeZone& zone) {
  const int32_t offset = zone.offset_s(at.seconds());
  if (offset == 0 && zone.name() == "UTC") return "UTC";
  const int32_t minutes = std::abs(offset) / 60;
  return inert(zone.name(), 64) + (offset < 0 ? " -" : " +") + two(minutes / 60) + ':' +
         two(minutes % 60);
}

std::string uncertainty_text(int64_t ns) {
  return ns == 0 ? "±0" : "±" + span_text(ns, ns < 10 * kNsPerSecond ? 1 : 0);
}

std::string uncertainty_text(const Entry& entry) {
  if (!entry.clock_known || entry.doubtful) return "?";
  return uncertainty_text(entry.uncertainty_ns());
}

std::string offset_text(int64_t ns) {
  return (ns < 0 ? "-" : "+") + span_text(ns < 0 ? -ns : ns, 3);
}

std::string what_text(const Entry& entry, size_t most) {
  const TimelineEvent& event = entry.event;
  const std::string service = inert(event.service, 64);
  return inert(service.empty() ? event.text : service + ": " + event.text, most);
}

std::string title_text(const Timeline& timeline, const RenderOptions& options) {
  const std::string& incident = timeline.filter().incident;
  if (!options.title.empty()) return options.title;
  return incident.empty() ? "Timeline" : "Timeline of " + incident;
}

std::string_view name_of(NodeClock::Source source) noexcept {
  switch (source) {
    case NodeClock::Source::reference: return "reference";
    case NodeClock::Source::exchange: return "exchange";
    case NodeClock::Source::spans: return "spans";
    case NodeClock::Source::requests: return "requests";
    case NodeClock::Source::nothing: break;
  }
  return "nothing";
}

std::string node_text(const NodeClock& clock) {
  const std::string name = inert(clock.node, 64);
  if (clock.source == NodeClock::Source::reference && clock.uncertainty_ns)
    return name + ": clock is the reference";
  if (!clock.uncertainty_ns) return name + ": clock not known";
  return name + ": clock " + offset_text(clock.offset_ns) + ' ' +
         uncertainty_text(*clock.uncertainty_ns) + " by " + std::string(name_of(clock.source));
}

std::vector<std::string> remarks(const Timeline& timeline, size_t not_drawn) {
  const Timeline::Stats& stats = timeline.stats();
  std::vector<std::string> out;
  const auto say = [&](const char* what, uint64_t n) {
    if (n > 0) out.push_back(what + (": " + std::to_string(n)));
  };
  say("further events that are not drawn", not_drawn);
  say("later events beyond the limit", stats.beyond_limit);
  say("events that contradict what is known of their clocks", stats.doubtful);
  say("events written down out of the order of their node's clock", stats.out_of_sequence);
  if (stats.keys_unused) out.emplace_back("keys of alerts go around in circles and were not used");
  return out;
}

}  // namespace nines::timeline
