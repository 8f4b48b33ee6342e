#include "incident/node_evidence.hpp"

#include <algorithm>
#include <cmath>

#include "nines/query/bytes.hpp"

namespace nines::agent::incident {
namespace {

using namespace nines::query;

constexpr uint8_t kVersion = 1;
constexpr size_t kMaxUsed = 256, kMaxLines = 4'096, kMaxSpeakers = 2'047;
constexpr size_t kMaxNameBytes = 256, kMaxTextBytes = 1'024;
constexpr size_t kBytesOfLine = 12;  // of a trail, about
constexpr unsigned kMostThinning = 12;
constexpr size_t kMostTrailLines = 262'144;
constexpr double kMostScore = 1e9;

core::TrailLimits wide_limits(size_t lines) {
  core::TrailLimits limits;
  limits.max_lines = lines;
  limits.max_services = 2'047;
  limits.max_templates = 32'768;
  limits.wanted_ns = INT64_MAX;  // never goes round: lines do not come in the order of time
  return limits;
}

bool get_name(std::string_view& in, std::string& out, size_t most) {
  std::string_view text;
  if (!get_text(in, text) || text.size() > most) return false;
  out = text;
  return true;
}

bool get_score(std::string_view& in, double& out) {
  return get_double(in, out) && std::isfinite(out) && std::abs(out) <= kMostScore;
}

bool get_used(std::string_view& in, NodeEvidence::Used& out) {
  return get_name(in, out.service, kMaxNameBytes) && get_score(in, out.finding.score) &&
         get_score(in, out.finding.now) && get_score(in, out.finding.usual) &&
         get_score(in, out.finding.high);
}

bool get_line(std::string_view& in, NodeEvidence::Line& out) {
  return get_fixed64(in, out.id) && get_name(in, out.text, kMaxTextBytes) &&
         get_signed(in, out.example.at.ns) && get_name(in, out.example.service, kMaxNameBytes) &&
         get_name(in, out.example.pod, kMaxNameBytes) &&
         get_name(in, out.example.text, kMaxTextBytes);
}

bool get_speaker(std::string_view& in, NodeEvidence::Speaker& out) {
  return get_name(in, out.service, kMaxNameBytes) && get_varint(in, out.lines) &&
         get_name(in, out.pod, kMaxNameBytes);
}

template <class T>
bool get_list(std::string_view& in, std::vector<T>& out, size_t most,
              bool (*get)(std::string_view&, T&)) {
  uint64_t count = 0;
  if (!get_varint(in, count) || count > most || count > in.size()) return false;
  out.resize(static_cast<size_t>(count));
  return std::all_of(out.begin(), out.end(), [&](T& one) { return get(in, one); });
}

// Only what was asked for, and a node that keeps one request of thousands would have all others
// keep no more.
bool cut_to(std::string& trail, const EvidenceQuestion& asked) {
  core::RequestTrail probe(wide_limits(kMostTrailLines));
  if (!probe.take(trail).ok() || probe.thinning() > kMostThinning) return false;
  trail = probe.save(asked.from, asked.asked);
  return true;
}

}  // namespace

std::string save_within(const core::RequestTrail& trail, WallTime from, WallTime to,
                        size_t max_bytes) {
  std::string saved = trail.save(from, to);
  for (size_t lines = max_bytes / kBytesOfLine; saved.size() > max_bytes && lines > 64;
       lines /= 2) {
    core::RequestTrail part(wide_limits(lines));
    if (!part.take(saved).ok()) return {};
    saved = part.save(from, to);
  }
  return saved;
}

EvidenceQuestion widened(EvidenceQuestion asked, int64_t ahead_ns) {
  asked.from.ns -= ahead_ns;
  asked.asked.ns += ahead_ns;
  return asked;
}

void correct(NodeEvidence& evidence, NodeTime clock, const EvidenceQuestion& asked) {
  core::RequestTrail trail(wide_limits(kMostTrailLines));
  (void)trail.take(evidence.trail, clock.ahead_ns);  // was tried when it was decoded
  evidence.trail = trail.save(asked.from, asked.asked);
  for (NodeEvidence::Line& line : evidence.lines) {
    int64_t& at = line.example.at.ns;
    at = static_cast<int64_t>(static_cast<uint64_t>(at) - static_cast<uint64_t>(clock.ahead_ns));
  }
  evidence.clock = std::move(clock);
}

std::string encode(const EvidenceQuestion& question) {
  std::string out;
  put_byte(out, kVersion);
  put_signed(out, question.from.ns);
  put_signed(out, question.onset.ns);
  put_signed(out, question.asked.ns);
  put_varint(out, question.max_bytes);
  return out;
}

std::optional<EvidenceQuestion> decode_question(std::string_view bytes) {
  EvidenceQuestion out;
  uint8_t version = 0;
  uint64_t most = 0;
  const bool good = get_byte(bytes, version) && version == kVersion &&
                    get_signed(bytes, out.from.ns) && get_signed(bytes, out.onset.ns) &&
                    get_signed(bytes, out.asked.ns) && get_varint(bytes, most) && bytes.empty();
  if (!good || out.from > out.onset || out.onset > out.asked) return std::nullopt;
  out.max_bytes =
      static_cast<uint32_t>(std::clamp<uint64_t>(most, kLeastEvidenceBytes, kMostEvidenceBytes));
  return out;
}

std::string encode(const NodeEvidence& evidence) {
  std::string out;
  put_byte(out, kVersion);
  put_text(out, evidence.trail);
  put_varint(out, evidence.used.size());
  for (const auto& used : evidence.used) {
    put_text(out, used.service);
    for (const double value :
         {used.finding.score, used.finding.now, used.finding.usual, used.finding.high}) {
      put_double(out, value);
    }
  }
  put_varint(out, evidence.lines.size());
  for (const auto& line : evidence.lines) {
    put_fixed64(out, line.id);
    put_text(out, line.text);
    put_signed(out, line.example.at.ns);
    put_text(out, line.example.service);
    put_text(out, line.example.pod);
    put_text(out, line.example.text);
  }
  put_varint(out, evidence.speakers.size());
  for (const auto& speaker : evidence.speakers) {
    put_text(out, speaker.service);
    put_varint(out, speaker.lines);
    put_text(out, speaker.pod);
  }
  return out;
}

std::optional<NodeEvidence> decode_evidence(std::string_view bytes, const EvidenceQuestion& asked) {
  if (bytes.size() > asked.max_bytes) return std::nullopt;
  NodeEvidence out;
  uint8_t version = 0;
  std::string_view trail;
  const bool good = get_byte(bytes, version) && version == kVersion && get_text(bytes, trail) &&
                    get_list(bytes, out.used, kMaxUsed, get_used) &&
                    get_list(bytes, out.lines, kMaxLines, get_line) &&
                    get_list(bytes, out.speakers, kMaxSpeakers, get_speaker) && bytes.empty();
  if (!good) return std::nullopt;
  out.trail = trail;
  if (!cut_to(out.trail, asked)) return std::nullopt;
  return out;
}

}  // namespace nines::agent::incident
