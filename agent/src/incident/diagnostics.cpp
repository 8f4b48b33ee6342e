#include "incident/diagnostics.hpp"

#include <algorithm>

#include "incident/log_context.hpp"

namespace nines::agent::incident {
namespace {

constexpr size_t kMostChanges = 5, kMostHappened = 8, kMostExample = 160;
constexpr size_t kMostNewcomers = 6;
constexpr int64_t kBeforeNs = 60 * kNsPerSecond;
constexpr int64_t kChangesNs = 86'400 * kNsPerSecond;

std::string moment(WallTime t) { return format_rfc3339(WallTime::from_s(t.seconds())); }

std::vector<Told> examples(const Facts& facts) {
  std::vector<std::string> lines;
  for (const BeforeAndAfter& pair : facts.examples) {
    const auto add = [&](const char* when, const LoggedLine& line) {
      if (line.text.empty()) return;
      lines.push_back(pair.service + " " + when + " " + moment(line.at) + ": " +
                      cut_line(line.text, kMostExample));
    };
    add("last logged", pair.before);
    add("now logs", pair.after);
  }
  return pages("examples",
               lines.empty() ? "no example lines: nobody is suspected yet"
                             : "lines of the suspects: the last of those that have not come since "
                               "it began, and what comes now",
               lines);
}

std::vector<Told> log_lines(const Facts& facts) {
  const LogContext& context = facts.context;
  if (!context.why_not.empty()) {
    return pages("log", "no lines around an example: " + context.why_not, {});
  }
  if (context.lines.empty()) return pages("log", "no lines around an example are known", {});
  return pages("log", "the lines around the first suspect's, in " + context.path, context.lines);
}

// What a service never logged before, since shortly before it began.
std::vector<std::string> first_seen(const Diagnosis& d, size_t& left_out) {
  std::vector<std::string> out;
  for (const Newcomer& one : d.newcomers) {
    if (one.seen.at.ns < d.asked.onset.ns - kBeforeNs) continue;
    if (out.size() == kMostNewcomers) {
      ++left_out;
      continue;
    }
    out.push_back("never seen before: " + one.seen.service + " logs " +
                  (one.seen.error ? "the error " : "") + '"' + one.text + "\" since " +
                  moment(one.seen.at));
  }
  return out;
}

std::vector<Told> templates(const Diagnosis& d) {
  size_t left_out = d.facts.templates_left_out;
  std::vector<std::string> lines = first_seen(d, left_out);
  lines.insert(lines.end(), d.facts.templates.begin(), d.facts.templates.end());
  if (!lines.empty()) {
    return pages("templates", "templates that are logged more or less than usual", lines, left_out);
  }
  return pages("templates",
               d.answer.counts.empty()
                   ? "no template is logged more or less than usual, as far as is known (a service "
                     "is compared with itself after half an hour)"
                   : "services that log more or less than usual",
               d.answer.counts);
}

std::vector<Told> node(const Diagnosis& d) {
  return pages("node", d.node.empty() ? "how the node is, is not known" : "the node", d.node);
}

std::vector<Told> pods(const NodeFacts::Trouble& trouble) {
  std::vector<std::string> lines = trouble.kills;
  lines.insert(lines.end(), trouble.restarts.begin(), trouble.restarts.end());
  const size_t left_out = lines.size() > kMostHappened ? lines.size() - kMostHappened : 0;
  lines.resize(lines.size() - left_out);
  return pages("pods",
               lines.empty() ? "no restart and no kill for want of memory was seen since half an "
                               "hour before it began"
                             : "restarts, and kills for want of memory",
               lines, left_out);
}

std::vector<Told> changes(const Diagnosis& d) {
  std::vector<std::string> lines;
  size_t left_out = 0;
  for (auto change = d.changes.rbegin(); change != d.changes.rend(); ++change) {
    const bool own = change->kind == slo::ChangeKind::budget_step ||
                     change->kind == slo::ChangeKind::release_watch;  // follow from the counts
    if (own || change->at.ns < d.asked.now.ns - kChangesNs || change->at > d.asked.now) continue;
    if (lines.size() == kMostChanges) {
      ++left_out;
      continue;
    }
    lines.push_back(moment(change->at) + " " + std::string(slo::change_kind_name(change->kind)) +
                    " #" + std::to_string(change->id) +
                    (change->service.empty() ? "" : " of " + change->service) +
                    (change->who.empty() ? "" : " by " + change->who) +
                    (change->text.empty() ? "" : ": " + change->text));
  }
  return pages("changes",
               lines.empty() ? "no change is known of the day before" : "changes of the day before",
               lines, left_out);
}

}  // namespace

std::vector<std::pair<std::string, std::vector<Told>>> diagnostics_of(const Diagnosis& d) {
  return {{"examples", examples(d.facts)}, {"log", log_lines(d.facts)},
          {"templates", templates(d)},     {"node", node(d)},
          {"pods", pods(d.trouble)},       {"changes", changes(d)}};
}

}  // namespace nines::agent::incident
