// Learns clocks from what it reads and says what it knows. Separated by blanks, times in ns:
//   SPAN <now> <parent> <start> <end> <child> <start> <end>
//   REQUEST <now> (<node> <start> <end>)...
//   EVENT <node> <reported> <seq> <true time>
//   SOLVE <now> <reference>      prints node, offset, uncertainty, source of each; then, of EVENTs,
//                                how many pairs there are, have their order claimed, wrongly so
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "nines/timeline/clock_model.hpp"
#include "nines/timeline/timeline.hpp"

using namespace nines;
using namespace nines::timeline;

namespace {

class Session {
 public:
  bool take(const std::string& line) {
    std::istringstream in(line);
    std::string what;
    if (!(in >> what)) return false;
    if (what == "EVENT") return event(in);
    int64_t now = 0;
    if (!(in >> now)) return false;
    if (what == "SOLVE") return solve(in, {now});
    std::vector<std::string> names;
    std::vector<std::pair<int64_t, int64_t>> times;
    std::string node;
    for (int64_t start = 0, end = 0; in >> node >> start >> end;) {
      names.push_back(node);
      times.emplace_back(start, end);
    }
    std::vector<Stretch> parts;
    for (size_t i = 0; i < names.size(); ++i)
      parts.push_back({names[i], {times[i].first}, {times[i].second}});
    if (what == "SPAN" && parts.size() == 2)
      return model_.add_span(parts[0], parts[1], {now}), true;
    if (what == "REQUEST") return model_.add_request(parts, {now}), true;
    return false;
  }

 private:
  bool event(std::istringstream& in) {
    TimelineEvent event;
    int64_t truth = 0;
    if (!(in >> event.node >> event.at.ns >> event.seq >> truth)) return false;
    truth_[{event.node, event.seq}] = truth;
    events_.push_back(event);
    return true;
  }

  bool solve(std::istringstream& in, WallTime now) {
    std::string reference;
    if (!(in >> reference)) return false;
    const auto clocks = model_.solve(reference, now);
    for (const NodeClock& clock : clocks) {
      std::cout << clock.node << ' ' << clock.offset_ns << ' ' << clock.uncertainty_ns.value_or(-1)
                << ' ' << static_cast<int>(clock.source) << '\n';
    }
    const auto timeline = Timeline::build(events_, clocks, reference);
    const auto& entries = timeline.entries();
    uint64_t pairs = 0, claimed = 0, wrong = 0;
    for (size_t b = 0; b < entries.size(); ++b) {
      for (size_t a = 0; a < b; ++a) {
        ++pairs;
        if (!timeline.before(a, b)) continue;
        ++claimed;
        wrong += truth_of(entries[a]) > truth_of(entries[b]) ? 1 : 0;
      }
    }
    std::cout << "ORDER " << pairs << ' ' << claimed << ' ' << wrong << '\n';
    std::cout << "MEMORY " << model_.stats().memory_bytes << std::endl;
    return true;
  }
  int64_t truth_of(const Entry& entry) const {
    return truth_.at({entry.event.node, entry.event.seq});
  }

  ClockModel model_;
  std::vector<TimelineEvent> events_;
  std::map<std::pair<std::string, uint64_t>, int64_t> truth_;
};

}  // namespace

int main() {
  Session session;
  uint64_t number = 0;
  for (std::string line; std::getline(std::cin, line);) {
    ++number;
    if (session.take(line)) continue;
    std::cerr << "line " << number << " cannot be read: " << line.substr(0, 100) << '\n';
    return 2;
  }
  return 0;
}
