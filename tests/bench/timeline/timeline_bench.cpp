// A day of events over eight nodes: merged, and drawn in every way. nines-timeline-bench [EVENTS A
// NODE]
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <string>

#include "nines/timeline/render.hpp"

using namespace nines;
using namespace nines::timeline;

namespace {

constexpr size_t kNodes = 8;
constexpr int64_t kDayNs = 86'400 * kNsPerSecond;
constexpr WallTime kStart{1'700'000'000 * kNsPerSecond};

// Of this processor, so that what else runs does not count.
double seconds_since(std::clock_t start) {
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

std::vector<TimelineEvent> day(size_t a_node) {
  uint64_t chance = 88172645463325252ULL;
  std::vector<TimelineEvent> events;
  events.reserve(kNodes * a_node);
  for (size_t node = 0; node < kNodes; ++node) {
    const int64_t wrong = (static_cast<int64_t>(node) - 4) * 7 * kNsPerSecond;
    for (uint64_t seq = 1; seq <= a_node; ++seq) {
      chance ^= chance << 13, chance ^= chance >> 7, chance ^= chance << 17;
      const auto step = kDayNs / static_cast<int64_t>(a_node);
      const int64_t at = static_cast<int64_t>(seq) * step +
                         static_cast<int64_t>(chance % static_cast<uint64_t>(step)) - step;
      const auto kind = static_cast<EventKind>(1 + chance % (kEventKinds - 1));
      events.push_back(
          {"node-" + std::to_string(node),
           "service-" + std::to_string(chance % 20),
           kind,
           {kStart.ns + at + wrong},
           seq,
           "something happened that is worth a line of this length, number " + std::to_string(seq),
           "INC-2023-1114-001",
           "key-" + std::to_string(chance % 5000),
           {}});
    }
  }
  return events;
}

std::vector<NodeClock> clocks() {
  std::vector<NodeClock> out;
  for (size_t node = 1; node < kNodes; ++node) {
    for (int64_t hour = 0; hour <= 24; ++hour) {
      out.push_back({"node-" + std::to_string(node),
                     {kStart.ns + hour * 3600 * kNsPerSecond},
                     (static_cast<int64_t>(node) - 4) * 7 * kNsPerSecond,
                     2 * kNsPerMs,
                     0,
                     NodeClock::Source::exchange});
    }
  }
  return out;
}

template <class Make>
void measure(const char* what, Make make) {
  const auto since = std::clock();
  const auto made = make();
  std::cout << what << ": " << seconds_since(since) << " CPU s, " << made.size() << " bytes\n";
}

}  // namespace

int main(int count, char** words) {
  const size_t a_node = count > 1 ? std::strtoul(words[1], nullptr, 10) : 50'000;
  auto events = day(a_node);
  const std::string bytes = encode(
      {events.begin(), events.begin() + static_cast<ptrdiff_t>(std::min<size_t>(a_node, 65'536))});
  std::cout << events.size() << " events of " << kNodes
            << " nodes; those of one encoded: " << bytes.size() << " bytes\n";
  measure("decoded", [&] { return decode(bytes).value(); });
  TimelineFilter filter;
  filter.limit = events.size();
  const auto since = std::clock();
  const auto timeline = Timeline::build(std::move(events), clocks(), "node-0", filter);
  std::cout << "merged: " << seconds_since(since) << " CPU s, " << timeline.entries().size()
            << " entries\n";
  measure("text", [&] { return render_text(timeline); });
  measure("JSON", [&] { return render_json(timeline); });
  measure("Mermaid", [&] { return render_mermaid(timeline); });
  measure("SVG", [&] { return render_svg(timeline); });
  return 0;
}
