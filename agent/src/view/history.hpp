// The course of one SLO: its events step by step, and what was done to it meanwhile, as JSON.
#pragma once

#include <string>
#include <vector>

#include "nines/base/json_writer.hpp"
#include "nines/slo/changes.hpp"
#include "nines/slo/engine.hpp"

namespace nines::agent::view {

struct Span {
  int64_t from_s = 0, to_s = 0, step_s = 0;  // whole steps
};
// The last `length_s` (1 h to 92 d) with the step that `now` lies in, in at most 200 steps as fine
// as is still known.
Span history_span(WallTime now, int64_t length_s);

// {slo, from, to, step, points: [{at, good, bad, covered_s}], latency: [{at, count, p50, p95,
// p99}], annotations: [...]}. Latency: of the hours of the span that are among the last 24.
// `changes`: the log, oldest first; those that concern the SLO and touch the span are shown.
std::string history_json(const slo::SloEngine& engine, uint32_t slo, const Span& span,
                         const std::vector<slo::Change>& changes);

// The elements of "annotations".
void write_annotations(JsonWriter& json, const std::vector<slo::Change>& changes,
                       const slo::SloSpec& spec, const Span& span);

}  // namespace nines::agent::view
