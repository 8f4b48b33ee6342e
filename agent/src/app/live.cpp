#include "app/live.hpp"

#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <optional>
#include <utility>

#include "app/brokers.hpp"
#include "app/clock_guard.hpp"
#include "app/drafting.hpp"
#include "app/fetcher.hpp"
#include "app/incidents.hpp"
#include "app/ingest_thread.hpp"
#include "app/judge.hpp"
#include "app/log.hpp"
#include "app/logbook.hpp"
#include "app/node_capacity.hpp"
#include "app/notifiers.hpp"
#include "app/peers.hpp"
#include "app/queries.hpp"
#include "app/report.hpp"
#include "app/state_move.hpp"
#include "app/token.hpp"
#include "app/upstreams.hpp"
#include "app/wiring.hpp"
#include "app/worker.hpp"
#include "http/api.hpp"
#include "http/changes_api.hpp"
#include "http/fleet_api.hpp"
#include "http/incidents_api.hpp"
#include "http/query_api.hpp"
#include "http/server.hpp"
#include "k8s/follow.hpp"
#include "net/asio.hpp"
#include "view/text.hpp"

namespace nines::agent {
namespace {

// After the slot boundary, so that lines written at its very end have been read.
constexpr int64_t kTickDelayNs = 250 * kNsPerMs;
constexpr int64_t kFoldEveryS = 3600;
constexpr int64_t kKeepCapacityEveryS = 3600;
constexpr size_t kMaxEventsPerFetch = 64;

class Live {
 public:
  Live(const AgentOptions& options, Setup setup, const Clock& clock,
       std::shared_ptr<store::MemoryFiles> memory)
      : options_(options),
        setup_(std::move(setup)),
        clock_(clock),
        memory_(std::move(memory)),
        tick_(io_),
        signals_(io_, SIGINT, SIGTERM),
        hangup_(io_, SIGHUP) {}

  // What the configuration became while it ran, when it was asked to read it again (SIGHUP).
  std::optional<Setup> take_next() { return std::move(next_); }
  // Whether what is in memory is to give way to what stands on the disk.
  bool gives_way() const noexcept { return gives_way_; }

  Status run() {
    if (const Status started = start(); !started.ok()) {
      queries_.reset();
      store_work_.stop();  // its jobs use what goes first
      return started;
    }
    if (stop_requested()) stop();  // before signals_ was there
    io_.run();
    return shut_down();
  }

 private:
  // --- start-up, in order -----------------------------------------------------------------------
  Status start() {
    log::Options logging;
    if (const auto level = log::parse_level(setup_.config.log_level); level.ok())
      logging.level = *level;
    logging.clock = &clock_;
    log::init(logging);
    started_ = to_ms(clock_.wall());
    NINES_TRY(store_, open_store(options_.common.state, setup_.config, memory_, started_));
    move_.emplace(io_, clock_, store_work_, *store_,
                  [this](StateMove::Outcome outcome) { on_outcome(outcome); });
    guard_.emplace(clock_, store_->restored().max_event_time);
    if (guard_->holding()) {
      log::warn("agent", "the clock is not synchronised; what is read meanwhile is kept back for " +
                             std::to_string(ClockGuard::kMaxWaitS) + " s at most");
    }
    pods_ = k8s::follow_pods(io_, clock_, setup_.config.kubernetes, setup_.config.node, *store_,
                             ~options_.seed);
    NINES_TRY(Halves halves, wire(setup_, store_.get(), clock_,
                                  {fetcher_.fetch(), options_.common.state, false, pods_.feed}));
    judge_ = std::move(halves.judge);
    tell_restored();  // of the rows that were read meanwhile, too
    NINES_CHECK(open_logbook());
    NINES_CHECK(notifiers_.start(setup_.config, *store_, options_.seed));
    NINES_CHECK(start_upstreams());
    NINES_TRY(fleet_, start_peers(io_, clock_, setup_.config, *judge_, *store_, options_.seed + 1,
                                  [this](const peer::Decision& d) { on_decision(d); }));
    NINES_CHECK(start_brokers());
    NINES_CHECK(start_capacity());
    NINES_CHECK(start_queries());
    NINES_CHECK(start_server());
    ingest_ = std::make_unique<IngestThread>(
        std::move(halves.ingest), clock_, [this](HandOver&& hand_over) {
          net::asio::post(io_, [this, h = std::make_shared<HandOver>(std::move(hand_over))] {
            on_hand_over(std::move(*h));
          });
        });
    NINES_CHECK(start_incidents());
    drafting_.emplace(Drafting::Parts{io_, clock_, setup_, options_.common.log_root, store_work_,
                                      *store_, *judge_, *ingest_});
    if (!guard_->holding()) go_on_by_the_clock();
    ingest_->start();
    signals_.async_wait([this](const net::ErrorCode& error, int) {
      if (!error) stop();
    });
    await_hangup();
    schedule_tick();
    last_commit_ = last_fold_ = clock_.mono();
    log::info("agent", "watching " + std::to_string(judge_->slos()) + " SLO(s); status at " +
                           server_->url() + "/");
    return Ok{};
  }

  void tell_restored() {
    const store::Restored& r = store_->restored();
    store_trouble_ = {r.quarantined, {}, r.skipped_rows, r.lost_positions.size(), {}};
    if (!r.quarantined.empty()) {
      log::error("store", "the state file was damaged and set aside as " + r.quarantined +
                              "; counting starts anew from the logs");
    }
    if (!r.lost_positions.empty()) {
      log::error("store", std::to_string(r.lost_positions.size()) +
                              " file position(s) were damaged; those files are continued at their "
                              "end, so that no line counts twice");
    }
    if (r.skipped_rows > 0) {
      log::error(
          "store",
          std::to_string(r.skipped_rows) +
              " damaged row(s) skipped; their lines are read again where the logs still have them");
    }
  }

  // The log of changes, what gates remember, and what the configuration changed since last time.
  Status open_logbook() {
    logbook_ = std::make_unique<Logbook>(judge_->engine());
    NINES_TRY(auto changes, store_->changes());
    NINES_TRY(const auto gates, store_->documents(kGateKind));
    NINES_TRY(const auto overrides, store_->documents(kOverrideKind));
    NINES_TRY(const auto specs, store_->documents(kSpecKind));
    logbook_->restore(std::move(changes), gates, overrides);
    Record found = logbook_->compare_specs(specs, started_);
    const Status kept = store_->record(found);
    if (!kept.ok()) {  // compared again at the next start
      log::warn("store", "changes of the configuration are not kept: " + kept.error().message);
      return Ok{};
    }
    logbook_->recorded(found);
    for (const slo::Change& change : found.changes) tell(change);
    return Ok{};
  }

  Status start_server() {
    http::ChangesAccess access;
    NINES_TRY(access.token, provide_token(setup_.config.api_token_file, options_.common.state,
                                          move_->why().empty() ? nullptr : &token_unkept_));
    token_ = access.token;
    access.book = [this]() -> const Logbook& { return *logbook_; };
    access.now = [this] { return to_ms(clock_.wall()); };
    access.record = [this](Record record, auto done) {
      keep(std::move(record), false, std::move(done));
    };
    access.report = [this](const http::ReportWish& wish, auto done) {
      report(wish, std::move(done));
    };
    http::QueryAccess queries{access.token, [this](query::Wish wish, auto done) {
                                queries_->ask(std::move(wish), std::move(done));
                              }};
    http::IncidentsAccess incidents{
        access.token, [this]() -> incident::Desk& { return incidents_->desk(); },
        [this] { return to_ms(clock_.wall()); },
        [this](std::function<void(Status)> done) {
          Record record;
          record.documents = incidents_->desk().take_documents();
          keep(std::move(record), true, [done = std::move(done)](const Result<Record>& kept) {
            done(kept.ok() ? Status(Ok{}) : Status(kept.error()));
          });
        },
        [this] { return logbook_->all(); }};
    http::ServerOptions server;
    server.listen = setup_.config.listen;
    server.allow_non_loopback = options_.allow_remote;
    auto routes = http::make_changes_api(std::move(access),
                                         http::make_api([this] { return snapshot(); }, insight()));
    if (fleet_) {
      routes = http::make_fleet_api(
          [this] { return brokers_->has_fleet() ? brokers_->fleet_json() : fleet_->json(); },
          std::move(routes));
    }
    if (setup_.config.incidents.enabled) {
      routes = http::make_incidents_api(std::move(incidents), std::move(routes));
    }
    NINES_TRY(server_,
              http::HttpServer::start(io_, server,
                                      http::make_query_api(std::move(queries), std::move(routes))));
    return Ok{};
  }

  void on_outcome(StateMove::Outcome outcome) {
    if (outcome == StateMove::Outcome::moved) {
      if (!token_unkept_) return;
      const Status kept = keep_token(token_path({}, options_.common.state), token_);
      token_unkept_ = !kept.ok();
      if (!kept.ok()) log::warn("http", kept.error().message);
    } else if (!stopping_) {
      gives_way_ = true;
      next_ = setup_;
      stop();
    }
  }

  Status start_queries() {
    NINES_TRY(queries_,
              Queries::create({io_, clock_, setup_.config, options_.common.state, *store_,
                               store_work_, fleet_.get(), brokers_.get(),
                               [this] { notifiers_.notify(); }, [this] { fold_store(); }}));
    return Ok{};
  }

  Status start_incidents() {
    NINES_TRY(incidents_, Incidents::start({io_, clock_, setup_.config, judge_->engine(), *ingest_,
                                            [this](std::vector<store::Document> documents) {
                                              for (auto& one : documents) {
                                                unwritten_.documents.push_back(std::move(one));
                                              }
                                              write_unwritten();
                                            }},
                                           *store_));
    if (incidents_) {
      capacity_->tell([this](std::string_view name, double value, WallTime at) {
        incidents_->vital(name, value, at);
      });
    }
    return Ok{};
  }

  Status start_upstreams() {
    NINES_TRY(const auto kept, store_->documents(Upstreams::kDocuments));
    upstreams_ = std::make_unique<Upstreams>(io_, clock_, setup_.config, *judge_, kept,
                                             options_.seed ^ 0x5555555555555555);
    return Ok{};
  }

  Status start_brokers() {
    if (!fleet_) return Ok{};
    NINES_TRY(const auto kept, store_->documents(Brokers::kDocuments));
    brokers_ = std::make_unique<Brokers>(io_, clock_, setup_.config, *fleet_, kept,
                                         options_.seed ^ 0x3333333333333333);
    return Ok{};
  }

  Status start_capacity() {
    collector::VitalsOptions options;
    options.state_dir = options_.common.state;
    NINES_TRY(capacity_, NodeCapacity::create(std::move(options), clock_));
    NINES_TRY(const auto kept, store_->documents(NodeCapacity::kDocuments));
    capacity_->restore(kept);
    last_capacity_ = clock_.mono();
    return Ok{};
  }

  // SIGHUP: a good configuration takes the place of the running one, which commits and ends first;
  // a bad one is refused and nothing changes (DESIGN 4.3).
  void await_hangup() {
    hangup_.async_wait([this](const net::ErrorCode& error, int) {
      if (error) return;
      await_hangup();
      store_work_.post([this] {
        auto setup = std::make_shared<Result<Setup>>(make_setup(options_.common, clock_));
        net::asio::post(io_, [this, setup] { reload(std::move(*setup)); });
      });
    });
  }

  void reload(Result<Setup> setup) {
    if (stopping_) return;
    if (!setup.ok()) {
      log::error("agent",
                 "not reloaded, the running configuration stays: " + setup.error().message);
      return;
    }
    log::info("agent", "reloading");
    next_ = std::move(*setup);
    if (!options_.listen.empty()) next_->config.listen = options_.listen;
    stop();
  }

  // --- every few seconds
  // ---------------------------------------------------------------------------
  void schedule_tick() {
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
      fold_when_due();
      schedule_tick();
    });
  }

  void on_hand_over(HandOver&& hand_over) {
    if (stopping_) {
      if (guard_->holding()) return;
      take(std::move(hand_over), Judge::kNoCoverage);
      return;
    }
    if (guard_->holding() && !clock_is_right(hand_over)) return;
    if (hand_over.first_look) {
      take(std::move(hand_over), Judge::kNoCoverage);
      if (!commit_in_flight_ && judge_->has_pending()) commit();
      return;
    }
    const WallTime now = to_ms(clock_.wall());
    ready_ = ready_ || hand_over.caught_up;
    take(std::move(hand_over), now);
    const auto events = judge_->evaluate(now, now);
    for (const slo::AlertEvent& event : events) tell(event);
    look_at_gates(now);
    if (incidents_) incidents_->judged(events, now);
    if (ready_) upstreams_->known_until(now);
    if (ready_ && fleet_) {
      fleet_->evaluated(now);
      brokers_->look();
      if (brokers_->wants_status(now)) brokers_->show(judge_->snapshot().slos, now);
    }
    commit_when_due();
  }

  // The store knows a new group before the commit that counts it: its thread takes jobs in order.
  void take(HandOver&& hand_over, WallTime until) {
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
  bool clock_is_right(HandOver& hand_over) {
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
  void go_on_by_the_clock() {
    ingest_->post([](Ingest& ingest) { ingest.pipeline().let_groups_go(); });
    queries_->start_standing();
  }

  static void tell(const slo::AlertEvent& event) {
    const bool fired = event.kind == slo::AlertEvent::Kind::fired;
    const std::string what = fired ? "FIRED " + view::priority_name(event.priority) : "resolved";
    log::write(fired ? log::Level::warn : log::Level::info, "alert",
               what + " " + event.severity + " " + event.slo + ": " + event.summary);
  }

  static void tell(const slo::Change& change) {
    const std::string& of = change.slo.empty() ? change.service : change.slo;
    log::info("change", std::string(slo::change_kind_name(change.kind)) + " #" +
                            std::to_string(change.id) + (of.empty() ? "" : " of " + of) + ": " +
                            change.text);
  }

  // --- gates, releases and the log of changes ---------------------------------------------------
  void look_at_gates(WallTime now) {
    Record decided = logbook_->evaluate(now, ready_);
    for (const slo::AlertEvent& event : decided.events) {
      tell(event);
      judge_->show(event);
    }
    // Later documents of a gate take the place of earlier ones: order is kept by one at a time.
    for (auto& change : decided.changes) unwritten_.changes.push_back(std::move(change));
    for (auto& document : decided.documents) unwritten_.documents.push_back(std::move(document));
    for (auto& event : decided.events) unwritten_.events.push_back(std::move(event));
    write_unwritten();
  }

  // A node of the fleet is silent, or back, and it is this one that says so.
  void on_decision(const peer::Decision& decision) {
    auto event = event_of(decision);
    for (auto& document : fleet_->take_documents()) {
      unwritten_.documents.push_back(std::move(document));
    }
    if (event) {
      tell(*event);
      judge_->show(*event);
      unwritten_.events.push_back(std::move(*event));
    }
    write_unwritten();
  }

  void write_unwritten() {
    if (keeping_ || unwritten_.empty()) return;
    keeping_ = true;
    keep(std::exchange(unwritten_, {}), true, [this](Result<Record> done) {
      keeping_ = false;
      if (!done.ok()) return;  // with the next evaluation
      events_are_kept(done->events);
      write_unwritten();  // what came meanwhile
    });
  }

  void events_are_kept(const std::vector<slo::AlertEvent>& events) {
    if (events.empty()) return;
    notifiers_.notify();
    if (!fleet_) return;
    std::vector<slo::AlertEvent> told;
    for (const slo::AlertEvent& event : events) {  // a silent node the fleet knows from FleetLink
      if (event.service != "fleet" && event.kind != slo::AlertEvent::Kind::rows) {
        told.push_back(event);
      }
    }
    fleet_->told(told);
    brokers_->alerted();
    brokers_->look();
  }

  // Those that the store has taken although it could not write: told like any.
  static std::vector<slo::AlertEvent> take_held(std::vector<slo::AlertEvent>& events) {
    std::vector<slo::AlertEvent> held;
    std::erase_if(events, [&](slo::AlertEvent& event) {
      if (event.sequence == 0) return false;
      held.push_back(std::move(event));
      return true;
    });
    return held;
  }

  // Written by the store's thread; then it counts. What the agent decided itself and could not be
  // written is tried again with the next evaluation, in its order.
  void keep(Record record, bool own, std::function<void(Result<Record>)> done) {
    auto shared = std::make_shared<Record>(std::move(record));
    store_work_.post([this, shared, own, done = std::move(done)] {
      auto status = std::make_shared<Status>(store_->record(*shared));
      net::asio::post(io_, [this, shared, own, status, done] {
        if (status->ok()) {
          logbook_->recorded(*shared);
          for (const slo::Change& change : shared->changes) tell(change);
          if (!own && !shared->documents.empty()) look_at_gates(to_ms(clock_.wall()));  // at once
          return done(*shared);
        }
        log::error("store", "changes not kept: " + status->error().message);
        events_are_kept(take_held(shared->events));
        if (own) put_back(std::move(*shared));
        done(status->error());
      });
    });
  }

  void put_back(Record&& record) {
    std::swap(unwritten_, record);
    for (auto& change : record.changes) unwritten_.changes.push_back(std::move(change));
    for (auto& document : record.documents) unwritten_.documents.push_back(std::move(document));
    for (auto& event : record.events) unwritten_.events.push_back(std::move(event));
  }

  void report(const http::ReportWish& wish, std::function<void(Result<std::string>)> done) {
    store_work_.post([this, wish, done = std::move(done)] {
      auto events = std::make_shared<std::vector<slo::AlertEvent>>();
      for (uint64_t after = 0;;) {
        auto page = store_->events_after(after, kMaxEventsPerFetch);
        if (!page.ok() || page->empty()) break;
        after = page->back().sequence;
        for (auto& event : *page) {
          const bool alert = event.kind != slo::AlertEvent::Kind::rows;
          if (alert && event.at.seconds() >= wish.from_s) events->push_back(std::move(event));
        }
      }
      net::asio::post(io_, [this, wish, events, done] { done(report_text(wish, *events)); });
    });
  }

  std::string report_text(const http::ReportWish& wish,
                          const std::vector<slo::AlertEvent>& events) const {
    view::Report out = make_report(*logbook_, events, wish.from_s, wish.to_s, clock_.wall());
    out.node = setup_.config.node;
    return wish.markdown ? view::report_markdown(out) : view::report_json(out);
  }

  void commit_when_due() {
    const int64_t since_s = (clock_.mono().ns - last_commit_.ns) / kNsPerSecond;
    if (commit_in_flight_ || !judge_->has_pending()) return;
    if (judge_->has_pending_events() || since_s >= setup_.config.flush_s) commit();
  }

  // What a kill costs is the highest value of the last hour, if it was that of the day.
  void watch_capacity() {
    if (guard_->holding()) return;
    capacity_->sample();
    const Instant now = clock_.mono();
    if ((now.ns - last_capacity_.ns) / kNsPerSecond < kKeepCapacityEveryS) return;
    last_capacity_ = now;
    keep_capacity();
  }

  void keep_capacity() {
    auto changes = std::make_shared<std::vector<store::Document>>(capacity_->take_changes());
    if (changes->empty()) return;
    store_work_.post([this, changes] {
      const Status done = store_->put_documents(*changes);
      if (!done.ok()) log::warn("store", "capacity not kept: " + done.error().message);
    });
  }

  // What changed of the pods is kept with the counts, so that a restart without the API knows them.
  void keep_pods() {
    if (pods_.watcher == nullptr) return;
    auto changes = std::make_shared<std::vector<store::Document>>(pods_.watcher->take_changes());
    if (changes->empty()) return;
    store_work_.post([this, changes] {
      const Status done = store_->put_documents(*changes);
      if (done.ok()) return;
      net::asio::post(io_, [this, changes, error = done.error().message] {
        log::warn("store", "pods not kept, tried again: " + error);
        if (pods_.watcher != nullptr) pods_.watcher->give_back(*changes);
      });
    });
  }

  std::vector<store::Document> progress() const {
    std::vector<store::Document> all = upstreams_->progress();
    for (auto& document : brokers_ ? brokers_->progress() : brokers_told_) {
      all.push_back(std::move(document));
    }
    return all;
  }

  // The store thread owns SQLite; the commit comes back with what became of it.
  void commit() {
    commit_in_flight_ = true;
    last_commit_ = clock_.mono();
    const bool fold = (last_commit_.ns - last_fold_.ns) / kNsPerSecond >= kFoldEveryS;
    if (fold) last_fold_ = last_commit_;
    auto pending = std::make_shared<store::StateStore::Commit>(judge_->take_commit(clock_.wall()));
    pending->documents = progress();
    keep_pods();
    store_work_.post([this, pending, fold] {
      Status done = store_->commit(*pending);
      if (fold || (!done.ok() && done.error().code == Errc::exhausted)) {
        const Status folded = store_->fold(pending->now);
        if (!folded.ok()) log::warn("store", "folding: " + folded.error().message);
      }
      net::asio::post(io_,
                      [this, pending, done = std::move(done), stats = store_->stats()]() mutable {
                        on_committed(std::move(*pending), done, stats);
                      });
    });
  }

  // Where no SLO commits anything, rows of queries are still to be kept within their bounds.
  void fold_when_due() {
    const Instant now = clock_.mono();
    if ((now.ns - last_fold_.ns) / kNsPerSecond < 2 * kFoldEveryS) return;
    last_fold_ = now;
    fold_store();
  }

  void fold_store() {
    store_work_.post([this] {
      const Status folded = store_->fold(clock_.wall());
      if (!folded.ok()) log::warn("store", "folding: " + folded.error().message);
    });
  }

  void on_committed(store::StateStore::Commit&& commit, const Status& done,
                    const store::StateStore::Stats& stats) {
    commit_in_flight_ = false;
    store_stats_ = stats;
    store_trouble_.failing = done.ok() ? std::string() : done.error().message;
    if (!done.ok()) {
      log::error("store", "not committed, kept in memory and tried again: " + done.error().message);
      events_are_kept(take_held(commit.events));
      judge_->give_back(std::move(commit));
      return;
    }
    judge_->let_rows_go();
    events_are_kept(commit.events);
  }

  http::Insight insight() {
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
    return out;
  }

  // --- what it shows
  // -------------------------------------------------------------------------------
  Snapshot snapshot() const {
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
    out.store = store_stats_;
    out.store_trouble = store_trouble_;
    out.store_trouble.in_memory = move_->why();
    out.has_store = true;
    out.boot = store_->restored().boot;
    if (pods_.watcher != nullptr) out.pods = pods_.watcher->stats();
    notifiers_.tell(out);
    out.upstream = upstreams_->status();
    if (fleet_) out.fleet_metrics = fleet_->metrics();
    if (brokers_) out.brokers = brokers_->status();
    if (queries_) out.queries = queries_->standing();
    const ProcessFigures figures = process_figures();
    out.resident_bytes = figures.resident_bytes;
    out.cpu_seconds = figures.cpu_seconds;
    return out;
  }

  // --- the end
  // ---------------------------------------------------------------------------------------
  void stop() {
    log::info("agent", "stopping");
    stopping_ = true;
    tick_.cancel();
    server_->stop();
    queries_.reset();
    notifiers_.stop();
    if (brokers_) brokers_told_ = brokers_->progress();
    brokers_.reset();
    fleet_.reset();  // says goodbye
    keep_pods();
    keep_capacity();
    pods_.watcher.reset();
    net::asio::post(io_, [this] { io_.stop(); });
  }

  Status shut_down() {
    const Status done = commit_rest();
    if (!next_) move_->try_last();
    return done;
  }

  Status commit_rest() {
    HandOver rest = ingest_->stop();
    store_work_.stop();
    io_.restart();
    io_.poll();  // hand-overs and commit results that were under way
    if (!unwritten_.empty()) {
      const Status kept = store_->record(unwritten_);
      if (!kept.ok()) log::warn("store", "changes not kept: " + kept.error().message);
    }
    if (guard_->holding()) return Ok{};
    const Status learned = store_->put_documents(Incidents::learned(ingest_->stopped()));
    if (!learned.ok()) log::warn("store", "not kept: " + learned.error().message);
    judge_->take(std::move(rest), clock_.wall());
    for (const uint32_t row : judge_->take_new_rows()) {
      NINES_CHECK(attach_row(*store_, *judge_, row));
    }
    if (!judge_->has_pending()) return Ok{};
    auto pending = judge_->take_commit(clock_.wall());
    pending.documents = progress();
    return store_->commit(pending);
  }

  const AgentOptions& options_;
  Setup setup_;
  const Clock& clock_;
  std::shared_ptr<store::MemoryFiles> memory_;  // store_'s, while the disk cannot be written
  net::asio::io_context io_{1};
  net::asio::steady_timer tick_;
  net::asio::signal_set signals_, hangup_;
  std::optional<Setup> next_;
  std::unique_ptr<store::StateStore> store_;  // touched by store_work_ only, once running
  std::optional<ClockGuard> guard_;
  slo::Batch kept_back_;  // while the clock is not to be trusted
  std::unique_ptr<Judge> judge_;
  std::unique_ptr<NodeCapacity> capacity_;
  std::unique_ptr<Logbook> logbook_;  // sees judge_'s engine
  Record unwritten_;                  // decided, not yet written
  bool keeping_ = false;              // a write of such is under way
  Worker store_work_;
  std::optional<StateMove> move_;
  std::string token_;
  bool token_unkept_ = false, gives_way_ = false;
  Fetcher fetcher_;  // ingest_ asks it
  std::unique_ptr<IngestThread> ingest_;
  std::unique_ptr<Incidents> incidents_;  // asks ingest_, reads judge_; null: switched off
  std::optional<Drafting> drafting_;      // uses the four above
  std::unique_ptr<Queries> queries_;
  std::unique_ptr<http::HttpServer> server_;
  k8s::Following pods_;
  Notifiers notifiers_{io_, clock_, store_work_};
  std::unique_ptr<Upstreams> upstreams_;       // reads judge_
  std::unique_ptr<FleetLink> fleet_;           // reads judge_; null: no peers, no brokers
  std::unique_ptr<Brokers> brokers_;           // as fleet_, which they read
  std::vector<store::Document> brokers_told_;  // at the end
  store::StateStore::Stats store_stats_;
  StoreTrouble store_trouble_;
  WallTime started_{};
  Instant last_commit_{}, last_fold_{}, last_capacity_{};
  bool ready_ = false, commit_in_flight_ = false, stopping_ = false;
};

}  // namespace

Status run_live(const AgentOptions& options, Setup setup, const Clock& clock) {
  std::optional<Setup> next = std::move(setup), before;
  auto memory = store::make_memory_files();  // used while the disk cannot be
  while (next) {
    const Setup current = *next;
    std::optional<Live> live(std::in_place, options, std::move(*next), clock, memory);
    const Status done = live->run();
    next = live->take_next();
    const bool gives_way = live->gives_way();
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
