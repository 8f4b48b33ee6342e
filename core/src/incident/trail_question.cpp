// What the lines of a trail say of an onset: they are read once more, in order, as if they came
// now.
#include <algorithm>

#include "nines/incident/request_trail.hpp"

namespace nines::incident {
namespace {

constexpr int64_t kMinuteNs = 60 * kNsPerSecond;
constexpr size_t kLeastPast = 5;  // minutes with lines
// A trouble that was quiet for less has not ended.
constexpr int64_t kGoesOnNs = 5 * kMinuteNs;

bool lies_in(const Stretch& stretch, int64_t at) noexcept {
  return stretch.from.ns <= at && at < stretch.to.ns;
}

bool is_healthy(int64_t at, WallTime onset, const std::vector<Stretch>& unhealthy) {
  return at < onset.ns && std::none_of(unhealthy.begin(), unhealthy.end(),
                                       [at](const Stretch& one) { return lies_in(one, at); });
}

// What is not to be learned from. Where that leaves no past, trouble that was there at the onset
// is a part of what is usual, the oldest first: whoever broke since stands out from it, too.
// `times`: of lines, in order.
std::vector<Stretch> what_was_unusual(const TrailQuestion& question,
                                      const std::vector<int64_t>& times) {
  std::vector<Stretch> out = question.unhealthy;
  std::sort(out.begin(), out.end(),
            [](const Stretch& a, const Stretch& b) { return b.from < a.from; });
  const auto has_past = [&] {
    size_t minutes = 0;
    int64_t newest = INT64_MIN;
    for (const int64_t at : times) {
      if (at / kMinuteNs == newest || !is_healthy(at, question.onset, out)) continue;
      newest = at / kMinuteNs;
      if (++minutes == kLeastPast) return true;
    }
    return false;
  };
  while (!has_past()) {
    const auto oldest = std::find_if(out.rbegin(), out.rend(), [&](const Stretch& one) {
      return one.from < question.onset && one.to.ns > question.onset.ns - kGoesOnNs;
    });
    if (oldest == out.rend()) break;
    out.erase(std::next(oldest).base());
  }
  return out;
}

}  // namespace

struct TrailReader {
  static TrailEvidence read(const RequestTrail& trail, const TrailQuestion& question);
};

TrailEvidence TrailReader::read(const RequestTrail& trail, const TrailQuestion& question) {
  using Entry = RequestTrail::Entry;
  std::vector<const Entry*> order;
  order.reserve(trail.entries_.size());
  for (const Entry& entry : trail.entries_) {
    if (entry.at < question.now.ns) order.push_back(&entry);
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const Entry* a, const Entry* b) { return a->at < b->at; });
  std::vector<int64_t> times;  // one a second will do
  for (const Entry* entry : order) {
    if (times.empty() || entry->at - times.back() >= kNsPerSecond) times.push_back(entry->at);
  }
  const std::vector<Stretch> unhealthy = what_was_unusual(question, times);
  const auto healthy = [&](int64_t at) { return is_healthy(at, question.onset, unhealthy); };
  RequestFlow flow;
  bool well = true;  // at the line before: a minute of trouble does not become one of health by the
                     // first line after it
  for (const Entry* entry : order) {
    flow.advance({entry->at}, well && healthy(entry->at));
    well = healthy(entry->at);
    char request[8];
    for (unsigned i = 0; i < 8; ++i) request[i] = static_cast<char>(entry->request >> (8 * i));
    flow.add({{entry->at},
              std::string_view(request, sizeof request),
              entry->span,
              entry->line >> RequestTrail::kServiceShift,
              trail.templates_[entry->line & (RequestTrail::kErrorBit - 1)],
              (entry->line & RequestTrail::kErrorBit) != 0});
  }
  flow.advance(question.now, well && healthy(question.now.ns));
  return {flow.findings(question.minutes), trail.services_, flow.stats()};
}

TrailEvidence ask_trail(const RequestTrail& trail, const TrailQuestion& question) {
  return TrailReader::read(trail, question);
}

}  // namespace nines::incident
