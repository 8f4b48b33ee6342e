// What the Watcher tells of an incident beside who is suspected.
#include <algorithm>

#include "incident/log_context.hpp"
#include "incident/watcher.hpp"

namespace nines::agent::incident {
namespace {

constexpr size_t kMaxFiles = 512;
constexpr size_t kAround = 3, kMostLine = 150;  // lines before and after the example; bytes of each
constexpr size_t kMostTemplates = 12, kOfAService = 3;
constexpr int64_t kMinuteNs = 60 * kNsPerSecond;
constexpr int64_t kStillUsualNs = 10 * kMinuteNs;  // what was logged so shortly before was usual
constexpr int64_t kFirstNs = 30 * kNsPerSecond;    // what may have come before the onset was known

}  // namespace

// Files are few: a path is kept once. Beyond the limit lines have no place, and no context.
uint32_t Watcher::file_of(std::string_view path) {
  if (path.empty()) return 0;
  const auto found = file_at_.find(path);
  if (found != file_at_.end()) return found->second;
  if (files_.size() >= kMaxFiles) {
    ++beyond_.files;
    return 0;
  }
  files_.emplace_back(path);
  const auto place = static_cast<uint32_t>(files_.size());
  file_at_.emplace(path, place);
  return place;
}

// The line that the evidence is about, if it was logged since; else the newest of the service.
const Example* Watcher::example_of(const FactsQuestion::Suspected& suspected,
                                   WallTime onset) const {
  const auto named = examples_.find(suspected.line);
  if (named != examples_.end() && named->second.service == suspected.service &&
      named->second.at >= onset) {
    return &named->second;
  }
  const Example* newest = nullptr;
  for (const auto& [line, example] : examples_) {
    if (example.service != suspected.service || example.at < onset) continue;
    if (newest == nullptr || example.at > newest->at) newest = &example;
  }
  return newest;
}

// What it logged until it began, and has not since, says most of what is missing now.
std::vector<BeforeAndAfter> Watcher::examples(const FactsQuestion& question) const {
  const WallTime usual_from{question.onset.ns - kStillUsualNs};
  std::vector<BeforeAndAfter> out;
  for (const auto& suspected : question.suspected) {
    BeforeAndAfter& pair = out.emplace_back();
    pair.service = suspected.service;
    const Example* before = nullptr;
    for (const auto& [line, example] : examples_) {
      if (example.service != suspected.service || example.at < usual_from ||
          example.at >= question.onset) {
        continue;
      }
      if (before == nullptr || example.at > before->at) before = &example;
    }
    if (before != nullptr) pair.before = {before->at, before->text};
    if (const Example* after = example_of(suspected, question.onset)) {
      pair.after = {after->at, after->text};
    }
  }
  return out;
}

LogContext Watcher::context(const FactsQuestion& question) const {
  LogContext out;
  if (question.suspected.empty()) {
    out.why_not = "nobody is suspected, whose lines could be shown";
    return out;
  }
  const Example* const example = example_of(question.suspected.front(), question.onset);
  if (example == nullptr) {
    out.why_not = question.suspected.front().service + " has logged nothing since";
    return out;
  }
  if (example->file == 0) {
    out.why_not = "where its lines stand is not known";
    return out;
  }
  return read_context(files_[example->file - 1], example->offset, example->text, kAround, kAround,
                      kMostLine);
}

void Watcher::tell_templates(const FactsQuestion& question, Facts& out) const {
  for (const core::CountFinding& finding : watch_.findings(question.onset, kOfAService)) {
    if (finding.line == 0) continue;  // the service as a whole
    if (out.templates.size() >= kMostTemplates) {
      ++out.templates_left_out;
      continue;
    }
    const bool fresh = finding.first_seen.ns >= question.onset.ns - kFirstNs;
    const std::string text(miner_.text(miner_.current(finding.line)));
    const char* const how = fresh ? "first seen: " : finding.score > 0 ? "more: " : "fewer: ";
    out.templates.push_back(how + tell_count(finding, text));
  }
}

Dropped Watcher::dropped() const {
  const core::TemplateMiner::Stats mined = miner_.stats();
  const core::TemplateWatch::Stats watched = watch_.stats();
  return {{"happening", beyond_.happenings},
          {"service", beyond_.services},
          {"pod_line", beyond_.pods},
          {"usage", beyond_.usage},
          {"file", beyond_.files},
          {"example", beyond_.examples},
          {"error_line", error_lines_.dropped()},
          {"user", keeper_.users_dropped()},
          {"service_minute", keeper_.shares_dropped()},
          {"container", containers_.dropped()},
          {"gauge", gauges_.refused()},
          {"mention", mentions_.let_go()},
          {"template", mined.forgotten + watched.forgotten},
          {"service_line", watched.left_out},
          {"first_seen", watched.first_seen_dropped},
          {"condition", detector_.stats().refused}};
}

Facts Watcher::facts(const FactsQuestion& question) const {
  Facts out = keeper_.facts(question, watch_);
  out.passed = trail_.passed(question.onset, question.now);
  out.thinning = trail_.thinning();
  if (!question.in_full) return out;
  out.examples = examples(question);
  out.context = context(question);
  tell_templates(question, out);
  return out;
}

}  // namespace nines::agent::incident
