#include "query/standing_queries.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "app/log.hpp"
#include "nines/slo/engine.hpp"
#include "nines/slo/spec.hpp"
#include "query/bookmark.hpp"
#include "query/priority.hpp"

namespace nines::agent::query {
namespace {

collector::GovernorOptions governor_options(const NodeConfig& config) {
  collector::GovernorOptions options;
  options.cpu_permille = static_cast<int32_t>(config.cpu_percent * 10);
  options.cpu_percent = static_cast<int32_t>(config.cpu_pressure_percent);
  options.memory_percent = static_cast<int32_t>(config.memory_pressure_percent);
  options.io_percent = static_cast<int32_t>(config.io_pressure_percent);
  return options;
}

std::string rows_text(uint64_t n) { return std::to_string(n) + (n == 1 ? " row" : " rows"); }

std::vector<std::string> names_of(const NodeConfig& config) {
  std::vector<std::string> names;
  for (const StandingQueryConfig& query : config.queries) names.push_back(query.name);
  return names;
}

}  // namespace

StandingQueries::StandingQueries(const NodeConfig& config, const Clock& clock,
                                 const std::vector<store::Document>& kept, Commit commit,
                                 int64_t again_ns)
    : config_(config),
      clock_(clock),
      commit_(std::move(commit)),
      again_ns_(again_ns),
      governor_(governor_options(config)) {
  auto bookmarks = Bookmark::decode(kept);
  pending_.documents = Bookmark::forget_others(kept, names_of(config));
  for (const StandingQueryConfig& query : config.queries) {
    Bookmark bookmark;
    if (const auto found = bookmarks.find(query.name); found != bookmarks.end()) {
      bookmark = std::move(found->second);
    }
    RunControl control{&stop_, [this](size_t bytes) { pace(bytes); }};
    entries_.push_back({std::make_unique<StandingQuery>(query, config, clock, std::move(bookmark),
                                                        std::move(control)),
                        clock.mono()});
    QueryStatus status;
    status.name = query.name;
    status.sql = query.sql;
    status.every_s = query.every_s;
    status.notify = query.notify;
    status.severity = query.severity;
    statuses_.push_back(std::move(status));
  }
}

StandingQueries::~StandingQueries() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void StandingQueries::start() {
  if (thread_.joinable() || (entries_.empty() && pending_.empty())) return;
  thread_ = std::thread([this] { loop(); });
}

std::vector<QueryStatus> StandingQueries::statuses() const {
  const std::lock_guard lock(mutex_);
  return statuses_;
}

bool StandingQueries::wait_until(Instant until) {
  std::unique_lock lock(mutex_);
  while (!stopping()) {
    const int64_t left = until.ns - clock_.mono().ns;
    if (left <= 0) return true;
    changed_.wait_for(lock, std::chrono::nanoseconds(left), [this] { return stopping(); });
  }
  return false;
}

void StandingQueries::loop() {
  lower_thread_priority();
  do {
    commit();
    if (!pending_.empty()) {
      if (!wait_until({clock_.mono().ns + again_ns_})) return;
      continue;
    }
    if (entries_.empty()) return;
    const auto next =
        std::min_element(entries_.begin(), entries_.end(),
                         [](const Entry& a, const Entry& b) { return a.due < b.due; });
    if (!wait_until(next->due)) return;
    run_due(clock_.mono());
  } while (!stopping());
}

// All that are due, for one commit.
void StandingQueries::run_due(Instant now) {
  for (size_t i = 0; i < entries_.size() && !stopping(); ++i) {
    Entry& entry = entries_[i];
    if (entry.due > now) continue;
    StandingRun run = entry.query->run();
    if (run.stopped) return;
    const int64_t every = entry.query->config().every_s * kNsPerSecond;
    entry.due.ns += every * (1 + (now.ns - entry.due.ns) / every);
    note(i, run);
    for (auto& document : run.documents) pending_.documents.push_back(std::move(document));
    if (run.count > 0) add_event(entry.query->config(), std::move(run));
  }
}

void StandingQueries::note(size_t index, const StandingRun& run) {
  const std::string problem = run.problems.empty() ? std::string() : run.problems.front();
  std::string before;
  {
    const std::lock_guard lock(mutex_);
    QueryStatus& status = statuses_[index];
    ++status.runs;
    status.errors += problem.empty() ? 0 : 1;
    status.rows += run.count;
    status.omitted += run.omitted;
    status.records += run.records;
    status.evicted += run.evicted;
    status.last_run = run.at;
    status.last_rows = run.count;
    status.last_duration_ns = run.duration_ns;
    status.lag_bytes = run.lag_bytes;
    before = std::exchange(status.error, problem);
  }
  if (problem == before) return;
  const std::string who = "query '" + config_.queries[index].name + "': ";
  if (problem.empty()) {
    log::info("query", who + "runs again");
  } else {
    log::warn("query", who + problem);
  }
}

void StandingQueries::add_event(const StandingQueryConfig& config, StandingRun&& run) {
  slo::AlertEvent event;
  event.kind = slo::AlertEvent::Kind::rows;
  event.rule = config.name;
  event.severity = config.severity;
  event.priority = slo::priority_of(config.severity, slo::SloSpec().tier);
  event.at = run.at;
  event.since = run.since;
  event.summary = config.name + ": " + rows_text(run.count);
  if (run.omitted > 0) event.summary += ", " + std::to_string(run.omitted) + " of them not shown";
  if (run.evicted > 0) {
    event.summary += "; " + std::to_string(run.evicted) + " given up at the limit of memory";
  }
  event.notify = config.notify;
  event.rows = std::move(run.rows);
  event.omitted = run.omitted;
  log::write(log::Level::warn, "query", event.summary);
  pending_.events.push_back(std::move(event));
}

// Waits for the answer. What could not be written stays pending.
void StandingQueries::commit() {
  if (pending_.empty()) return;
  auto record = std::make_shared<Record>(std::exchange(pending_, {}));
  commit_(record, [this](const Status& status) {
    {
      const std::lock_guard lock(mutex_);
      committed_ = status;
    }
    changed_.notify_all();
  });
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return committed_.has_value(); });
  const Status done = *std::exchange(committed_, std::nullopt);
  if (done.ok()) return;
  for (QueryStatus& status : statuses_) ++status.not_kept;
  lock.unlock();
  log::error("query", "not committed, tried again before the next run: " + done.error().message);
  pending_ = std::move(*record);
}

// Waits as long as the CPU budget and the node's pressure ask for.
void StandingQueries::pace(size_t bytes) {
  governor_.spent(bytes);
  while (!stopping()) {
    const Instant now = clock_.mono();
    if (governor_.wants_pressure(now, true)) {
      governor_.note_pressure(now, collector::read_pressure());
    }
    const collector::Governor::Grant grant = governor_.next(now, clock_.thread_cpu_ns());
    if (grant.pause_until <= now || !wait_until(grant.pause_until)) return;
  }
}

}  // namespace nines::agent::query
