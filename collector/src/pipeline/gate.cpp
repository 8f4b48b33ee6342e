#include "pipeline/gate.hpp"

#include "nines/log/format.hpp"
#include "nines/log/timestamp.hpp"

namespace nines::collector {

Admission::Admission(const slo::SourceSelector& selector) {
  const auto from = log::parse_iso_time(selector.start, log::TimeContext{});
  if (from && from->length == selector.start.size()) start = from->ts;
  if (selector.excess != slo::Excess::drop) return;
  lines = RateLimit(selector.max_lines_per_s);
  bytes = RateLimit(selector.max_bytes_per_s);
}

}  // namespace nines::collector
