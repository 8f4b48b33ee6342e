// What a Watcher gives to other nodes that ask who is suspected, and what it makes of theirs.
#include <algorithm>

#include "incident/watcher.hpp"
#include "nines/incident/answer_line.hpp"

namespace nines::agent::incident {
namespace {

constexpr size_t kMaxTextBytes = 240;
constexpr size_t kMostLines = 1'024;
constexpr size_t kLaidTogether = 262'144;  // lines: 6 MiB, while it is asked

size_t bytes_of(const NodeEvidence::Line& line) {
  return 24 + line.text.size() + line.example.service.size() + line.example.pod.size() +
         line.example.text.size();
}

}  // namespace

NodeEvidence Watcher::share(const EvidenceQuestion& question) const {
  NodeEvidence out;
  // Half for what happened, half for what it means.
  out.trail = save_within(trail_, question.from, question.asked, question.max_bytes / 2);
  const WallTime since{question.asked.ns - (kLookMinutes + 1) * kMinuteNs};
  for (const auto& [service, usage] : usage_) {
    if (const auto finding = usage.finding(since, {since.ns - kMinuteNs})) {
      out.used.push_back({service, *finding});
    }
  }
  size_t room = question.max_bytes / 4;
  for (const auto& seen : trail_.logged(question.from, question.asked)) {
    NodeEvidence::Line line{seen.line, std::string(miner_.text(miner_.current(seen.line))), {}};
    line.text.resize(std::min(line.text.size(), kMaxTextBytes));
    const auto example = examples_.find(seen.line);
    if (example != examples_.end()) line.example = example->second;
    const size_t bytes = bytes_of(line);
    if (bytes > room || out.lines.size() == kMostLines) break;
    room -= bytes;
    out.lines.push_back(std::move(line));
  }
  for (auto& [service, lines] : trail_.speakers(question.onset, question.asked)) {
    std::string pod = busiest_pod(service, question.onset);
    out.speakers.push_back({std::move(service), lines, std::move(pod)});
  }
  return out;
}

core::RequestTrail Watcher::laid_together(const std::vector<NodeEvidence>& others) const {
  core::TrailLimits limits;
  limits.max_lines = kLaidTogether;
  limits.max_services = 2'047;
  limits.max_templates = 32'768;
  limits.wanted_ns = INT64_MAX;
  core::RequestTrail all(limits);
  (void)all.take(trail_.save({INT64_MIN}, {INT64_MAX}));
  for (const NodeEvidence& one : others)
    (void)all.take(one.trail);  // was tried when it was decoded
  return all;
}

// Who called whom is concluded from the order of lines, which a clock that may be off hides or
// turns around.
void Watcher::leave_out_unsure(std::vector<core::RequestTrail::Call>& calls,
                               const std::vector<NodeEvidence>& others) {
  std::set<std::string> unsure;
  for (const NodeEvidence& other : others) {
    if (!is_unsure(other.clock)) continue;
    for (const auto& speaker : other.speakers) unsure.insert(speaker.service);
  }
  std::erase_if(calls, [&](const core::RequestTrail::Call& call) {
    return unsure.contains(call.caller) != unsure.contains(call.callee);
  });
}

void Watcher::add_usage(std::vector<std::string>& services,
                        std::map<core::ServiceId, core::UsageFinding>& used, WallTime asked,
                        const std::vector<NodeEvidence>& others) const {
  const auto add = [&](const std::string& service, const core::UsageFinding& finding) {
    const auto at = std::find(services.begin(), services.end(), service);
    auto& held = used[static_cast<core::ServiceId>(at - services.begin())];
    if (finding.score > held.score || at == services.end()) held = finding;
    if (at == services.end()) services.push_back(service);
  };
  const WallTime since{asked.ns - (kLookMinutes + 1) * kMinuteNs};
  for (const auto& [service, usage] : usage_) {
    if (const auto finding = usage.finding(since, {since.ns - kMinuteNs})) add(service, *finding);
  }
  for (const NodeEvidence& other : others) {
    for (const auto& one : other.used) add(one.service, one.finding);
  }
}

// Ids of templates mean the same on all nodes; their texts only those know that logged them.
std::string Watcher::text_of(core::TemplateId line, const std::vector<NodeEvidence>& others) const {
  const std::string_view answer = core::answer_text(line);
  std::string text(answer.empty() ? miner_.text(miner_.current(line)) : answer);
  for (const NodeEvidence& other : others) {
    for (const auto& one : other.lines) {
      if (text.empty() && one.id == line) text = one.text;
    }
  }
  return text;
}

void Watcher::complete(Suspicion& suspicion, WallTime onset, WallTime asked,
                       const std::vector<NodeEvidence>& others) const {
  uint64_t most = 0;
  for (const auto& [service, lines] : trail_.speakers(onset, asked)) {
    if (service == suspicion.told.service) most = lines;
  }
  for (const NodeEvidence& other : others) {
    for (const auto& speaker : other.speakers) {
      if (speaker.service != suspicion.told.service || speaker.lines <= most) continue;
      most = speaker.lines;
      suspicion.node = other.node;
      suspicion.pod = speaker.pod;
    }
    for (const auto& line : other.lines) {
      if (line.id != suspicion.told.line || line.example.at <= suspicion.example.at) continue;
      if (!line.example.text.empty()) suspicion.example = line.example;
    }
  }
}

}  // namespace nines::agent::incident
