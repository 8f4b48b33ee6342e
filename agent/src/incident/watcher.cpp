#include "incident/watcher.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <optional>
#include <utility>

#include "nines/incident/answer_line.hpp"
#include "nines/incident/failure_facts.hpp"
#include "nines/incident/request_mark.hpp"
#include "nines/incident/topology.hpp"
#include "nines/log/kmsg.hpp"

namespace nines::agent::incident {
namespace {

constexpr size_t kMaxExamples = 2'048, kMaxExampleBytes = 240;
constexpr size_t kMaxUsed = 128;   // services whose usage is known
constexpr double kLeastUsage = 5;  // points of per cent
constexpr size_t kMaxServices = 256, kMaxPods = 64;
constexpr size_t kMaxHappenings = 64;  // between two looks
constexpr int64_t kFreshNs = 900 * kNsPerSecond;
// What came first tells causes; later everything suffers.
constexpr int64_t kLookNs = 130 * kNsPerSecond;
constexpr int64_t kCallsNs = 300 * kNsPerSecond;
constexpr uint64_t kLeastCalls = 3;
constexpr int64_t kMostHeldNs = 86400 * kNsPerSecond;
constexpr std::string_view kKernel = "kernel";
constexpr double kLeastScore = 4;  // chi2 of one degree of freedom: one in twenty by chance
constexpr size_t kSuspects = 5, kSentences = 3, kCounts = 5, kTelling = 2;

core::TrailLimits limits_of(size_t trail_bytes) {
  core::TrailLimits limits;
  limits.max_lines = trail_bytes / core::RequestTrail::kLineBytes;
  return limits;
}

bool is_error(const collector::ObservedRecord& record) noexcept {
  return (record.has_level && record.level >= Level::error) || record.status >= 500;
}

// Of a message of several lines the first one says what it is.
inline std::string_view first_line(std::string_view message) noexcept {
  const void* const end = std::memchr(message.data(), '\n', message.size());
  if (end == nullptr) return message;
  return {message.data(), static_cast<size_t>(static_cast<const char*>(end) - message.data())};
}

}  // namespace

std::string tell_count(const core::CountFinding& finding, const std::string& text) {
  char numbers[96];
  std::snprintf(numbers, sizeof numbers, " %llu times in %.0f s, usually %.1f",
                static_cast<unsigned long long>(finding.seen), finding.seconds, finding.expected);
  std::string what = finding.error ? "errors" : "lines";
  if (finding.line != 0) what = text.empty() ? "a line that is forgotten" : '"' + text + '"';
  return finding.service + " logs " + what + numbers;
}

core::ServiceId place_of(std::vector<std::string>& services, const std::string& name) {
  const auto at = std::find(services.begin(), services.end(), name);
  const auto place = static_cast<core::ServiceId>(at - services.begin());
  if (at == services.end()) services.push_back(name);
  return place;
}

Watcher::Watcher(std::string node, WallTime fresh_from, size_t trail_bytes,
                 core::DetectorSettings rules)
    : node_(std::move(node)),
      fresh_from_(fresh_from),
      detector_(rules),
      limits_(std::move(rules.queue.limits)),
      trail_(limits_of(trail_bytes)) {}

void Watcher::record(const collector::ObservedRecord& record) {
  if (record.at < fresh_from_) return;
  if (is_kernel(record)) kernel_says(record);
  if (record.service.empty()) return;
  const bool error = is_error(record);
  core::TemplateId line = 0;
  if (!record.message.empty()) {
    const std::string_view message = first_line(record.message);
    const core::TemplateMiner::Found found = miner_.add(message);
    line = found.id;
    if (found.merged) take_merges();
    if (!has_example(line, record.at) && keep_example(line, record)) {
      mentions_.read(record.service, message, record.at);
    }
    core::RequestMark mark{record.request, record.span};
    if (mark.request.empty()) mark = core::find_request(message);
    trail_.add({record.at, mark.request, mark.span, record.service, line, error});
  } else if (const core::TemplateId answer = core::answer_line(record.status); answer != 0) {
    trail_.add({record.at, record.request, record.span, record.service, answer, error});
  }
  if (record.service != last_service_) hear_of(record.service);
  watch_.count(record.service, line, error, record.at);
  if (!error) return;
  count_pod(record);
  error_lines_.note(record);
}

// Where services take turns from line to line nothing is allocated for one that is known.
void Watcher::hear_of(std::string_view service) {
  last_service_.assign(service);
  if (services_.contains(service)) return;
  if (services_.size() < kMaxServices) {
    services_.emplace(service);
  } else {
    ++beyond_.services;
  }
}

void Watcher::gauge(const collector::ObservedGauge& gauge) {
  if (gauge.of.empty() || gauge.at < fresh_from_ || gauges_.take(gauge)) return;
  for (const core::QueueLimit& limit : limits_) {
    if (limit.name == gauge.name)
      return detector_.queue(gauge.of, gauge.name, gauge.value, gauge.at);
  }
  auto found = usage_.find(gauge.of);
  if (found == usage_.end()) {
    if (usage_.size() >= kMaxUsed) {
      ++beyond_.usage;
      return;
    }
    found = usage_.try_emplace(std::string(gauge.of), kLeastUsage).first;
    usage_names_.emplace(gauge.of, gauge.name);
  }
  found->second.add(gauge.at, gauge.value);
}

void Watcher::container(const collector::ObservedContainer& container) {
  if (container.at < fresh_from_) return;
  containers_.logged(container);
  if (container.restart != 0) restarted(container);
}

// Null: there is no room before the next look.
core::Happening* Watcher::happened() {
  if (happenings_.size() < kMaxHappenings) return &happenings_.emplace_back();
  ++beyond_.happenings;
  return nullptr;
}

void Watcher::restarted(const collector::ObservedContainer& container) {
  core::Happening* const made = happened();
  if (made == nullptr) return;
  core::Happening& out = *made;
  const std::string number = std::to_string(container.restart);
  out.at = container.at;
  out.kind = core::HappeningKind::restart;
  out.service = container.service;
  out.pod = container.pod;
  out.text = out.service + (out.pod.empty() ? "" : " (pod " + out.pod + ")") +
             " was restarted, for the " + number + ". time";
  const std::string pod = std::string(container.ns) + "/" + out.pod;
  out.key = restart_key(container.uid.empty() ? pod : container.uid, container.container, number);
}

void Watcher::kernel_says(const collector::ObservedRecord& record) {
  containers_.kernel(record.message, record.at);
  const log::KmsgEvent event = log::classify_kmsg(record.message);
  core::Happening* const made = event.name.empty() ? nullptr : happened();
  if (made == nullptr) return;
  core::Happening& out = *made;
  out.at = record.at;
  out.kind = core::HappeningKind::kernel;
  out.wrong = event.name != "voltage_ok";
  out.text = std::string(kKernelSays) + std::string(first_line(record.message));
  out.key = "kernel/" + std::string(event.name) + "/" + std::to_string(record.at.ns) + "/" +
            std::to_string(event.pid);
}

void Watcher::take_merges() {
  for (const core::TemplateMiner::Merge& merge : miner_.take_merges()) {
    trail_.merge(merge.from, merge.to);
    watch_.merge(merge.from, merge.to);
  }
}

// Syslog and the journal hold the kernel's messages under its name; a container may call itself so,
// too, but has a pod. With /dev/kmsg at hand they would be heard twice.
inline bool Watcher::is_kernel(const collector::ObservedRecord& record) const {
  if (!kernel_sources_.empty()) return kernel_sources_.contains(record.source);
  return record.pod.empty() && record.service == kKernel;
}

bool Watcher::keep_example(core::TemplateId line, const collector::ObservedRecord& record) {
  Kept& kept = kept_[static_cast<size_t>(line % kept_.size())];
  if (examples_.size() >= kMaxExamples && examples_.find(line) == examples_.end()) {
    std::vector<int64_t> times;
    for (const auto& [id, example] : examples_) times.push_back(example.at.ns);
    const auto middle = times.begin() + static_cast<ptrdiff_t>(times.size() / 2);
    std::nth_element(times.begin(), middle, times.end());
    beyond_.examples +=
        std::erase_if(examples_, [&](const auto& entry) { return entry.second.at.ns < *middle; });
    kept_.fill({});
  }
  Example& example = examples_[line];
  kept = {line, example.at};
  if (!example.text.empty() && record.at.ns - example.at.ns < kExampleEveryNs) return false;
  kept.at = example.at = record.at;
  example.service = record.service;
  example.pod = record.pod;
  example.text = record.message.substr(0, kMaxExampleBytes);
  example.file = file_of(record.path);
  example.offset = record.offset;
  return true;
}

void Watcher::count_pod(const collector::ObservedRecord& record) {
  if (record.pod.empty()) return;
  auto found = pods_.find(record.service);
  if (found == pods_.end()) {
    if (pods_.size() >= kMaxServices) {
      ++beyond_.pods;
      return;
    }
    found = pods_.try_emplace(std::string(record.service)).first;
  }
  auto& pods = found->second;
  if (pods.size() >= kMaxPods) {
    std::erase_if(pods, [&](const auto& entry) {
      return entry.second.at.ns < record.at.ns - 10 * kMinuteNs;
    });
    if (pods.size() >= kMaxPods) {
      ++beyond_.pods;
      return;
    }
  }
  auto pod = pods.find(record.pod);
  if (pod == pods.end()) pod = pods.try_emplace(std::string(record.pod)).first;
  Errors& errors = pod->second;
  if (record.at.ns - errors.at.ns > 10 * kMinuteNs) errors.lines = 0;
  errors.at = std::max(errors.at, record.at);
  ++errors.lines;
}

std::string Watcher::busiest_pod(const std::string& service, WallTime since) const {
  const auto found = pods_.find(service);
  if (found == pods_.end()) return {};
  const std::string* most = nullptr;
  uint64_t lines = 0, all = 0;
  for (const auto& [pod, errors] : found->second) {
    if (errors.at < since) continue;
    all += errors.lines;
    if (errors.lines <= lines) continue;
    lines = errors.lines;
    most = &pod;
  }
  return most != nullptr && lines * 2 > all ? *most : std::string();
}

Observed Watcher::look(WallTime now, bool complete) {
  fresh_from_ = std::max(fresh_from_, WallTime{now.ns - kFreshNs});
  watch_.advance(now, {complete, is_learning(now)});
  containers_.advance(now);
  keeper_.look(now, watch_);
  Observed out;
  out.happenings = std::exchange(happenings_, {});
  out.services = containers_.take_services();
  out.gauges = gauges_.take_points();
  out.conditions = detector_.look(now, watch_, {node_, complete});
  for (core::FirstSeen& seen : watch_.take_first_seen()) {
    std::string text(miner_.text(seen.line));
    out.newcomers.push_back({std::move(seen), std::move(text)});
  }
  if (now.ns - called_.ns >= kCallsNs) {
    out.calls = with_mentions(trail_.calls({now.ns - kCallsNs}, now), now);
    called_ = now;
  }
  out.templates = miner_.stats();
  out.watch = watch_.stats();
  out.trail_lines = trail_.lines();
  out.trail_bytes = trail_.memory_bytes();
  out.thinning = trail_.thinning();
  out.dropped = dropped();
  return out;
}

// Those seen in requests, and those that are only named.
std::vector<core::RequestTrail::Call> Watcher::with_mentions(
    std::vector<core::RequestTrail::Call> all, WallTime to) const {
  const auto is_service = [this](const std::string& name) { return services_.contains(name); };
  for (const auto& pair : mentions_.pairs(to, is_service)) {
    const bool seen = std::any_of(all.begin(), all.end(), [&](const auto& call) {
      return call.caller == pair.first && call.callee == pair.second;
    });
    if (!seen) all.push_back({pair.first, pair.second, kLeastCalls});
  }
  return all;
}

// What a service's own end says of it. Not silence and storms: who is not called is silent, and who
// calls in vain storms.
core::FactsOfServices Watcher::own_facts(std::vector<std::string>& services) const {
  using Kind = core::ConditionKind;
  core::FactsOfServices out;
  for (const core::Condition& one : detector_.standing()) {
    const bool of_itself = one.kind == Kind::oom_kill || one.kind == Kind::crash_loop;
    if (of_itself && !one.service.empty()) out[place_of(services, one.service)].push_back(one.text);
  }
  return out;
}

// A storm or silence is no example of health, but after a day it is what is.
bool Watcher::is_learning(WallTime now) const {
  using Kind = core::ConditionKind;
  const auto standing = detector_.standing();
  return learn_ && std::none_of(standing.begin(), standing.end(), [&](const core::Condition& one) {
           const bool of_lines = one.kind == Kind::error_storm || one.kind == Kind::service_silent;
           return of_lines && now.ns - one.at.ns < kMostHeldNs;
         });
}

// Lines that it never logged so often, and that it has gone silent since the onset. How many
// answers of an access log are errors is no evidence: that is what suffers.
void Watcher::count_those_without_requests(WallTime onset, std::vector<std::string>& services,
                                           core::CountsOfServices& counts) const {
  const std::set<std::string> in_requests(services.begin(), services.end());
  std::set<std::string> silent;
  for (const core::Hearing& heard : watch_.hearing()) {
    if (heard.last.ns < onset.ns - kMinuteNs) silent.insert(heard.service);
  }
  for (core::CountFinding& finding : watch_.findings(onset, kSentences)) {
    if (in_requests.contains(finding.service) || finding.service == kKernel) continue;
    const bool of_all = finding.line == 0 && !finding.error;
    const bool fewer = of_all && finding.score < 0 && !silent.contains(finding.service);
    const bool more = finding.line != 0 && finding.score > 0;
    if (fewer || more) counts[place_of(services, finding.service)].push_back(std::move(finding));
  }
}

Answer Watcher::ask(core::TrailQuestion question, const std::vector<NodeEvidence>& others) const {
  Answer out;
  const WallTime onset = question.onset;
  out.onset = onset;
  out.asked = {std::min(question.now.ns, onset.ns + kLookNs)};
  question.now = out.asked;
  question.minutes = kLookMinutes;
  std::optional<core::RequestTrail> together;
  if (!others.empty()) together = laid_together(others);
  const core::RequestTrail& trail = together ? *together : trail_;
  const core::TrailEvidence evidence = core::ask_trail(trail, question);
  out.requests = evidence.read.requests;
  out.lines = evidence.read.lines;
  std::vector<std::string> services = evidence.services;
  core::CountsOfServices counts;
  count_those_without_requests(onset, services, counts);
  std::map<core::ServiceId, core::UsageFinding> used;
  add_usage(services, used, out.asked, others);
  const auto gauge_of = [this](const std::string& service) {
    const auto found = usage_names_.find(service);
    return found != usage_names_.end() ? found->second : std::string();
  };
  const core::SuspectNames names{
      services, [&](core::TemplateId line) { return text_of(line, others); }, gauge_of};
  const core::FactsOfServices told = own_facts(services);
  auto ranked = core::rank_suspects(evidence.findings, used, counts, told);
  std::erase_if(ranked, [](const core::Suspect& one) { return one.score < kLeastScore; });
  core::Topology known({.least = kLeastCalls});
  auto calls = trail.calls({onset.ns - kCallsNs}, out.asked);
  leave_out_unsure(calls, others);
  for (const NodeEvidence& other : others) out.clocks.push_back(other.clock);
  if (together) {
    for (const auto& call : calls) {
      if (call.requests >= kLeastCalls) out.calls.push_back(call);
    }
  }
  for (const auto& call : with_mentions(std::move(calls), out.asked)) {
    known.add_edge(call.caller, call.callee, static_cast<double>(call.requests));
  }
  core::put_called_first(ranked, [&](core::ServiceId caller, core::ServiceId callee) {
    return known.depends(services[caller], services[callee]);
  });
  out.facts = core::failure_facts(ranked, names, kTelling, gauge_of);
  for (core::SuspectText& text : core::tell_suspects(ranked, names, kSuspects, kSentences)) {
    Suspicion& suspicion = out.suspects.emplace_back();
    suspicion.pod = busiest_pod(text.service, onset);
    if (const auto found = examples_.find(text.line); found != examples_.end()) {
      suspicion.example = found->second;
    }
    suspicion.told = std::move(text);
    if (together) complete(suspicion, onset, out.asked, others);
  }
  for (const core::CountFinding& finding : watch_.findings(onset, 1)) {
    if (out.counts.size() == kCounts) break;
    const std::string text = names.text_of(finding.line);
    if (auto fact = core::failure_fact(finding, text)) out.facts.push_back(std::move(*fact));
    out.counts.push_back(tell_count(finding, text));
  }
  return out;
}

std::vector<std::pair<std::string, std::string>> Watcher::save() const {
  return {{"templates", miner_.save()}, {"usual", watch_.save()}};
}

Status Watcher::restore(std::string_view part, std::string_view body) {
  if (part == "templates") return miner_.merge_saved(body);
  if (part == "usual") return watch_.restore(body);
  return Ok{};
}

}  // namespace nines::agent::incident
