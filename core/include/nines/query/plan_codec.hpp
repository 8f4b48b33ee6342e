// What a node does of a block, and what is left to whoever merges the answers of nodes; the plan of
// a node as bytes. Never SQL text: expressions travel as their canonical text, whose parser is
// linear and bounded, and everything else as what plan.hpp names.
//
//   merges      nodes run the stages up to the one that keeps the state, and send that state
//   otherwise   nodes run the stages that keep none, and send rows: file after file, or by time
//               where the rest of the stages wants it so (sessions, sequences)
//
// Whatever arrives is judged before anything is made of it: a plan that decodes can be run.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/result.hpp"
#include "nines/query/pipeline.hpp"
#include "nines/query/plan.hpp"

namespace nines::query {

struct NodePlan {
  enum class Gives : uint8_t { state, rows, rows_by_time };
  Gives gives = Gives::rows;
  Block block;                // of the stages only those that run there
  std::vector<bool> travels;  // columns of its rows that are of use; others go as NULL
  // Place::file of its first file. Not known before all nodes before it have said how many they
  // have: they wait to be told (CONTEXT shows places).
  uint32_t first_file = 0;
  bool waits_for_number = false;
  uint64_t max_bytes = 64 * 1024 * 1024;
  int64_t left_ns = INT64_MAX;           // until the deadline; INT64_MAX: there is none
  int64_t patience_ns = 60'000'000'000;  // gives up when nobody takes its bytes for so long
  int64_t progress_ns = 500'000'000;     // how often it says how far it is
};

// A node has no more files than these, so that places of nodes never meet.
inline constexpr uint32_t kFilesANode = 1U << 20;
// Nodes of one query.
inline constexpr size_t kMostNodes = 1024;

// The part of `block` that its nodes run.
NodePlan plan_for_nodes(const Block& block);
// The stages behind it, and the columns that they take. Of a state: all stages.
struct RestOfPlan {
  std::vector<Stage> stages;
  std::vector<std::string> inputs;
};
RestOfPlan rest_of(const Block& block, const NodePlan& plan);

// Errors: exhausted, when the plan is larger than frames may be.
Result<std::string> encode_plan(const NodePlan& plan);
// Errors: corrupt (no such bytes), unsupported (of another version, or a stage that nodes don't
// run).
Result<NodePlan> decode_plan(std::string_view bytes);
// The largest that is taken.
inline constexpr size_t kMaxPlanBytes = 512 * 1024;

}  // namespace nines::query
