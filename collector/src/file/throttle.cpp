// Rates of sources. What is beyond the rate waits in the file: nothing is dropped here.
#include <algorithm>

#include "file/tailer_impl.hpp"
#include "nines/collector/lines.hpp"

namespace nines::collector {

// Of several sources the most generous rules: one of them wants it now.
int64_t TailerImpl::bytes_allowed(const Entry& e) {
  int64_t out = e.matched.empty() ? INT64_MAX : INT64_MIN;
  for (const uint32_t source : e.matched) {
    out = std::max(out, globs_[source].bytes.available(clock_.mono()));
  }
  return out;
}

int64_t TailerImpl::lines_allowed(const Entry& e) {
  int64_t out = e.matched.empty() ? INT64_MAX : INT64_MIN;
  for (const uint32_t source : e.matched) {
    out = std::max(out, globs_[source].lines.available(clock_.mono()));
  }
  return out;
}

bool TailerImpl::over_rate(const Entry& e) {
  return bytes_allowed(e) <= 0 || lines_allowed(e) <= 0;
}

// The whole lines at the front of `data` that may be taken now; at least one.
std::string_view TailerImpl::within_rate(const Entry& e, std::string_view data) {
  const int64_t lines = lines_allowed(e);
  if (lines == INT64_MAX) return data;
  size_t end = 0;
  for (int64_t n = std::max<int64_t>(1, lines); n > 0 && end < data.size(); --n) {
    const size_t next =
        next_line(data.substr(end), e.encoding, e.offset + static_cast<int64_t>(end));
    if (next == std::string_view::npos) return data;
    end += next;
  }
  return data.substr(0, end);
}

void TailerImpl::charge(const Entry& e, std::string_view taken) {
  for (const uint32_t source : e.matched) {
    Globs& of = globs_[source];
    of.bytes.take(static_cast<int64_t>(taken.size()));
    if (of.lines.limited()) of.lines.take(std::count(taken.begin(), taken.end(), '\n'));
  }
}

Instant TailerImpl::ready_at(const Entry& e) const {
  Instant out{INT64_MAX};
  for (const uint32_t source : e.matched) {
    out = std::min(out, std::max(globs_[source].bytes.ready_at(), globs_[source].lines.ready_at()));
  }
  return out;
}

void TailerImpl::throttle(Entry& e) {
  e.throttled = true;
  ++stats_.throttled;
  throttled_.push_back(&e);
  const Instant soon{clock_.mono().ns + kNsPerMs};
  next_throttle_ = std::min(next_throttle_, std::max(soon, ready_at(e)));
}

void TailerImpl::release_throttled() {
  next_throttle_ = {INT64_MAX};
  std::vector<Entry*> waiting;
  waiting.swap(throttled_);
  for (Entry* e : waiting) {
    e->throttled = false;
    queue(*e);
  }
}

}  // namespace nines::collector
