#include "app/live.hpp"

#include <system_error>

#include "app/live_impl.hpp"
#include "app/log.hpp"
#include "app/program_pages.hpp"
#include "app/report.hpp"
#include "app/wiring.hpp"
#include "http/server_metrics.hpp"
#include "view/remedy_view.hpp"
#include "view/text.hpp"

namespace nines::agent {
namespace {

// After the slot boundary, so that lines written at its very end have been read.
constexpr int64_t kTickDelayNs = 250 * kNsPerMs;
constexpr int64_t kKeepCapacityEveryS = 3600;
constexpr int64_t kReleasePagesEveryS = 3600;
constexpr size_t kMostUnannounced = 128;  // alerts that wait for the end of an evaluation

// A thread that the system refuses is told like any other trouble.
template <typename Make>
Status made_unless_refused(Make make) {
  try {
    return make();
  } catch (const std::system_error& e) {
    return Error{Errc::io,
                 std::string("the system refuses what a running agent needs, such as a thread: ") +
                     e.what() + "; look at its limits (TasksMax=, pids.max, ulimit -u)",
                 e.code().value()};
  }
}

}  // namespace

Status Live::run() {
  Status started = made_unless_refused([this] { return start(); });
  if (!started.ok()) {
    queries_.reset();
    store_work_.stop();  // its jobs use what goes first
    return started;
  }
  service_.ready();
  stay_alive();
  if (stop_requested()) stop();  // before signals_ was there
  io_.run();
  return shut_down();
}

void Live::schedule_tick() {
  const int64_t period = setup_.config.evaluate_s * kNsPerSecond;
  const int64_t now = clock_.wall().ns;
  const int64_t wait = period - now % period + kTickDelayNs;
  tick_.expires_after(std::chrono::nanoseconds(wait));
  tick_.async_wait([this](const net::ErrorCode& error) {
    if (error) return;
    ingest_->request();
    drafting_->look();
    move_->look();
    watch_capacity();
    committer_->fold_when_due();
    schedule_tick();
  });
}

// From this thread: one that hangs is started again.
void Live::stay_alive() {
  const auto every = service_.alive_every();
  if (!every) return;
  service_.alive();
  alive_.expires_after(*every);
  alive_.async_wait([this](const net::ErrorCode& error) {
    if (!error) stay_alive();
  });
}

void Live::tell_service() {
  const std::string why = move_->why();
  const std::string what = guard_->holding() ? "waiting for the clock"
                           : !ready_         ? "reading the logs up to their end"
                           : !why.empty()    ? "the state is only in memory: " + why
                                             : "judging";
  service_.status(std::to_string(judge_->slos()) + " SLO(s), " + what + "; " + server_->url() +
                  "/");
}

void Live::on_hand_over(HandOver&& hand_over) {
  if (stopping_) {
    if (guard_->holding()) return;
    take(std::move(hand_over), Judge::kNoCoverage);
    return;
  }
  if (guard_->holding() && !clock_is_right(hand_over)) return;
  if (hand_over.first_look) {
    take(std::move(hand_over), Judge::kNoCoverage);
    committer_->commit_now();
    return;
  }
  const WallTime now = to_ms(clock_.wall());
  ready_ = ready_ || hand_over.caught_up;
  take(std::move(hand_over), now);
  const auto events = judge_->evaluate(now, now);
  for (const slo::AlertEvent& event : events) tell(event);
  look_at_gates(now);
  context_->look(now);
  if (incidents_) incidents_->judged(events, now);
  if (remediation_ && ready_) remediation_->look(now);
  librarian_->look();
  if (ready_) upstreams_->known_until(now);
  if (ready_ && fleet_) {
    fleet_->evaluated(now);
    brokers_->look();
    if (brokers_->wants_status(now)) brokers_->show(judge_->snapshot().slos, now);
  }
  timeline_->look(judge_->engine(), ready_);
  announce(now);
  committer_->commit_when_due();
  tell_service();
  release_pages_when_due();
}

// What only starting needed, and later what a query, a page or a report needed once.
void Live::release_pages_when_due() {
  const Instant now = clock_.mono();
  const int64_t since_s =
      pages_released_ ? (now.ns - pages_released_->ns) / kNsPerSecond : INT64_MAX;
  if (!ready_ || since_s < kReleasePagesEveryS) return;
  pages_released_ = now;
  release_program_pages();
}

// The store knows a new group before the commit that counts it: its thread takes jobs in order.
void Live::take(HandOver&& hand_over, WallTime until) {
  if (hand_over.observed) context_->observed(*hand_over.observed);
  if (incidents_ && hand_over.observed) incidents_->observed(std::move(*hand_over.observed));
  judge_->take(std::move(hand_over), until);
  for (const uint32_t row : judge_->take_new_rows()) {
    const slo::SloSpec& spec = judge_->engine().spec(row);
    store_work_.post([this, row, identity = store::SloIdentity{spec.name, spec.generation()}] {
      auto kept = std::make_shared<std::vector<slo::Batch>>();
      const Status done =
          store_->attach(row, identity, [&](const slo::Batch& batch) { kept->push_back(batch); });
      net::asio::post(io_, [this, row, identity, done, kept] {
        const slo::SloEngine& engine = judge_->engine();
        if (!engine.has(row) || engine.spec(row).name != identity.name) return;  // let go
        for (const slo::Batch& batch : *kept) judge_->restore(batch);
        if (done.ok()) return judge_->resume_row(row);
        log::error("store", "a group is not counted: " + done.error().message);
        judge_->refuse_row(row);
      });
    });
  }
}

// Until then, what comes is kept back; afterwards it is in `hand_over`, at its true time. A stop
// before leaves it uncommitted, to be read again.
bool Live::clock_is_right(HandOver& hand_over) {
  kept_back_.gather(std::move(hand_over.batch));
  hand_over.batch = {};
  if (!guard_->released()) return false;
  kept_back_.normalize();
  guard_->correct(kept_back_);
  hand_over.batch = std::move(kept_back_);
  go_on_by_the_clock();
  log::info("agent",
            "the clock was set by " + std::to_string(guard_->step_s()) + " s; counting goes on");
  return true;
}

// What waits until the clock can be trusted.
void Live::go_on_by_the_clock() {
  ingest_->post([](Ingest& ingest) { ingest.pipeline().let_groups_go(); });
  queries_->start_standing();
}

void Live::tell(const slo::AlertEvent& event) {
  const bool fired = event.kind == slo::AlertEvent::Kind::fired;
  const std::string what = fired ? "FIRED " + view::priority_name(event.priority) : "resolved";
  log::write(fired ? log::Level::warn : log::Level::info, "alert",
             what + " " + event.severity + " " + event.slo + ": " + event.summary);
  timeline_->recorder().alert(event, clock_.wall());
  if (unannounced_.size() < kMostUnannounced) unannounced_.push_back(event);
}

void Live::tell(const slo::Change& change) {
  const std::string& of = change.slo.empty() ? change.service : change.slo;
  log::info("change", std::string(slo::change_kind_name(change.kind)) + " #" +
                          std::to_string(change.id) + (of.empty() ? "" : " of " + of) + ": " +
                          change.text);
  if (announcer_) announcer_->change(change);
}

void Live::look_at_gates(WallTime now) {
  Record decided = logbook_->evaluate(now, ready_);
  for (const slo::AlertEvent& event : decided.events) {
    tell(event);
    judge_->show(event);
  }
  if (!decided.empty()) decided.documents = with_timeline(std::move(decided.documents));
  keeper_->add(std::move(decided));
}

// A node of the fleet is silent, or back, and it is this one that says so.
void Live::on_decision(const peer::Decision& decision) {
  auto event = event_of(decision);
  Record record;
  timeline_->recorder().decided(decision, clock_.wall());
  record.documents = with_timeline(fleet_->take_documents());
  if (event) {
    if (incidents_) incidents_->address(*event);
    tell(*event);
    judge_->show(*event);
    record.events.push_back(std::move(*event));
  }
  keeper_->add(std::move(record));
  if (event && incidents_) incidents_->decided();
}

void Live::events_are_kept(const std::vector<slo::AlertEvent>& events) {
  if (events.empty()) return;
  notifiers_.notify();
  if (!fleet_) return;
  std::vector<slo::AlertEvent> told;
  for (const slo::AlertEvent& event : events) {  // a silent node the fleet knows from FleetLink
    const bool of_incident = event.detail("transition") != nullptr;  // nodes know those otherwise
    if (event.service != "fleet" && event.kind != slo::AlertEvent::Kind::rows && !of_incident) {
      told.push_back(event);
    }
  }
  fleet_->told(told);
  brokers_->alerted();
  brokers_->look();
}

void Live::report(const http::ReportWish& wish, std::function<void(Result<std::string>)> done) {
  store_work_.post([this, wish, done = std::move(done)] {
    auto events =
        std::make_shared<std::vector<slo::AlertEvent>>(alerts_since(*store_, wish.from_s));
    net::asio::post(io_, [this, wish, events, done] {
      view::Report out = make_report(*logbook_, *events, wish.from_s, wish.to_s, clock_.wall());
      out.node = setup_.config.node;
      done(wish.markdown ? view::report_markdown(out) : view::report_json(out));
    });
  });
}

// What a kill costs is the highest value of the last hour, if it was that of the day.
void Live::watch_capacity() {
  if (guard_->holding()) return;
  capacity_->sample();
  const Instant now = clock_.mono();
  if ((now.ns - last_capacity_.ns) / kNsPerSecond < kKeepCapacityEveryS) return;
  last_capacity_ = now;
  keep_capacity();
}

// What changed of them is kept with the counts, so that a restart without the API knows them.
void Live::keep_pods() {
  incident::NodeFacts& facts = context_->facts();
  keeper_->put(facts.take_changes(), "what happened",
               [&facts](const std::vector<store::Document>& unkept) { facts.give_back(unkept); });
  if (pods_.watcher == nullptr) return;
  keeper_->put(pods_.watcher->take_changes(), "pods",
               [this](const std::vector<store::Document>& unkept) {
                 if (pods_.watcher != nullptr) pods_.watcher->give_back(unkept);
               });
}

std::vector<store::Document> Live::progress() {
  keep_pods();
  std::vector<store::Document> all = with_timeline(upstreams_->progress());
  for (auto& document : brokers_ ? brokers_->progress() : brokers_told_) {
    all.push_back(std::move(document));
  }
  return all;
}

std::vector<store::Document> Live::with_timeline(std::vector<store::Document> documents) const {
  for (auto& document : timeline_->changes()) documents.push_back(std::move(document));
  return documents;
}

http::Insight Live::insight() {
  http::Insight out;
  out.backtest = [this](std::string_view name) -> std::optional<slo::BacktestReport> {
    const slo::SloEngine& engine = judge_->engine();
    for (uint32_t i = 0; i < engine.size(); ++i) {
      if (engine.has(i) && engine.spec(i).name == name) return engine.backtest(i);
    }
    return std::nullopt;
  };
  out.capacity = [this] { return capacity_->forecasts(); };
  out.outbox = [this] { return notifiers_.outbox_json(); };
  out.metrics = [this] {
    return http::server_metrics(server_->stats(), front_->stats(), events_->stats());
  };
  return out;
}

Snapshot Live::snapshot() const {
  Snapshot out = judge_->snapshot();
  logbook_->decorate(out);
  out.node = setup_.config.node;
  out.version = kVersion;
  out.now = to_ms(clock_.wall());
  out.started = started_;
  out.ready = ready_;
  if (!ready_) {
    out.not_ready_reason = guard_->holding() ? "waiting for the clock to be synchronised"
                                             : "still reading the logs up to their present end";
  }
  out.store = committer_->stats();
  out.store_trouble = store_trouble_;
  out.store_trouble.failing = committer_->failing();
  out.store_trouble.in_memory = move_->why();
  out.has_store = true;
  out.boot = store_->restored().boot;
  if (pods_.watcher != nullptr) out.pods = pods_.watcher->stats();
  out.context = context_->stats();
  notifiers_.tell(out);
  out.upstream = upstreams_->status();
  if (fleet_) out.fleet_metrics = fleet_->metrics();
  if (brokers_) out.brokers = brokers_->status();
  out.timeline = timeline_->figures();
  if (queries_) out.queries = queries_->standing();
  if (incidents_) out.incidents = incidents_->status();
  if (remediation_) {
    out.remedy_metrics =
        view::remedy_metrics(remediation_->steward(), remediation_->curator(), out.now);
  }
  if (librarian_) out.page_metrics = librarian_->metrics();
  if (page_facts_) out.page_metrics += page_facts_->metrics();
  if (links_) out.page_metrics += links_->metrics();
  if (keeper_) out.page_metrics += keeper_->metrics();
  const ProcessFigures figures = process_figures();
  out.resident_bytes = figures.resident_bytes;
  out.cpu_seconds = figures.cpu_seconds;
  return out;
}

void Live::stop() {
  log::info("agent", "stopping");
  stopping_ = true;
  if (!next_) service_.stopping();
  service_.alive();  // the rest is written, and what comes after a reload starts, in one go
  tick_.cancel();
  alive_.cancel();
  server_->stop();
  queries_.reset();
  notifiers_.stop();
  if (brokers_) brokers_told_ = brokers_->progress();
  brokers_.reset();
  timeline_->join(nullptr, 0);
  fleet_.reset();  // says goodbye
  keep_pods();
  keep_capacity();
  context_->stop();
  pods_.watcher.reset();
  net::asio::post(io_, [this] { io_.stop(); });
}

Status Live::shut_down() {
  Status done = commit_rest();
  if (!next_) move_->try_last();
  return done;
}

Status Live::commit_rest() {
  HandOver rest = ingest_->stop();
  store_work_.stop();
  io_.restart();
  io_.poll();  // hand-overs and commit results that were under way
  keeper_->write_last();
  const Status told = store_->put_documents(timeline_->take_last());
  if (!told.ok()) log::warn("store", "the timeline is not kept: " + told.error().message);
  if (guard_->holding()) return Ok{};
  const Status learned = store_->put_documents(Incidents::learned(ingest_->stopped()));
  if (!learned.ok()) log::warn("store", "not kept: " + learned.error().message);
  judge_->take(std::move(rest), clock_.wall());
  for (const uint32_t row : judge_->take_new_rows()) {
    NINES_CHECK(attach_row(*store_, *judge_, row));
  }
  return committer_->commit_last();
}

Status run_live(const AgentOptions& options, Setup setup, const Clock& clock) {
  ServiceManager service(ServiceManager::take_address());
  std::optional<Setup> next = std::move(setup), before;
  auto memory = store::make_memory_files();  // used while the disk cannot be
  while (next) {
    const Setup current = *next;
    std::optional<Live> live;
    const Status made = made_unless_refused([&] {
      live.emplace(options, std::move(*next), clock, memory, service);
      return Status(Ok{});
    });
    const Status done = live ? live->run() : made;
    next = live ? live->take_next() : std::nullopt;
    const bool gives_way = live && live->gives_way();
    live.reset();
    if (gives_way) memory = store::make_memory_files();
    if (!done.ok()) {
      if (!before) return done.error();
      log::error("agent", "the new configuration does not start, back to the one before: " +
                              done.error().message);
      next = std::exchange(before, std::nullopt);
    } else {
      before = current;
    }
  }
  return Ok{};
}

}  // namespace nines::agent
