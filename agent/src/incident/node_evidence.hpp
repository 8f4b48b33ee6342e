// NodeEvidence: what one node knows of a trouble, for the node that asks who is suspected. Evidence
// node by node names the cause less often than all of it laid together, since a request that fails
// passes several nodes. Plain values and their bytes; hostile bytes are refused whole.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "incident/node_time.hpp"
#include "nines/incident/request_trail.hpp"
#include "nines/incident/usage.hpp"

namespace nines::agent::incident {

namespace core = nines::incident;

// A line as it was logged, cut.
struct Example {
  WallTime at{};
  std::string service, pod, text;
  uint32_t file = 0;   // where it stands, as this node numbers files; 0: not known
  int64_t offset = 0;  // in there
};

struct EvidenceQuestion {
  WallTime from{}, onset{}, asked{};  // wanted is [from, asked)
  uint32_t max_bytes = 0;             // of the answer
};

struct NodeEvidence {
  struct Used {
    std::string service;
    core::UsageFinding finding;
  };
  struct Line {
    core::TemplateId id = 0;
    std::string text;
    Example example;  // empty text: none is kept
  };
  struct Speaker {
    std::string service;
    uint64_t lines = 0;
    std::string pod;  // with most of its error lines; empty: none stands out
  };
  // Who gave it, and how its clock is: not part of the bytes. Times are by that node's clock.
  std::string node;
  NodeTime clock{{}, 0, 0};
  std::string trail;  // RequestTrail::save()
  std::vector<Used> used;
  std::vector<Line> lines;  // templates of the trail, those with errors first
  std::vector<Speaker> speakers;
};

// The least that is asked for, and how much of all nodes together is held at once.
inline constexpr uint32_t kLeastEvidenceBytes = 64 * 1024;
inline constexpr uint32_t kMostEvidenceBytes = 1024 * 1024;
inline constexpr uint32_t kMostBytesOfAll = 6 * 1024 * 1024;

std::string encode(const EvidenceQuestion& question);
std::optional<EvidenceQuestion> decode_question(std::string_view bytes);
std::string encode(const NodeEvidence& evidence);
// Nothing of it is beyond the question: lines of other times are left out, one that keeps almost
// no requests is refused. Times and chances of the answer are as that node has them.
std::optional<NodeEvidence> decode_evidence(std::string_view bytes, const EvidenceQuestion& asked);

// The parts of `trail` in [from, to), thinned until they take no more than `max_bytes`.
std::string save_within(const core::RequestTrail& trail, WallTime from, WallTime to,
                        size_t max_bytes);

// `asked` as it must be asked of nodes whose clocks are up to `ahead_ns` apart from this one's, and
// what of an answer belongs to it by this node's clock.
EvidenceQuestion widened(EvidenceQuestion asked, int64_t ahead_ns);
void correct(NodeEvidence& evidence, NodeTime clock, const EvidenceQuestion& asked);

// What a question to several nodes came to.
struct Gathered {
  std::vector<NodeEvidence> evidence;
  std::vector<std::pair<std::string, std::string>> missing;  // node, why
};

}  // namespace nines::agent::incident
