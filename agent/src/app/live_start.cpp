// The start of the agent, in order, and its reload.
#include "app/live_impl.hpp"
#include "app/log.hpp"
#include "app/node_care.hpp"
#include "app/paging.hpp"
#include "app/report.hpp"
#include "app/token.hpp"
#include "app/wiring.hpp"

namespace nines::agent {
namespace {

constexpr int64_t kHearFirstNs = 15 * kNsPerSecond;

}  // namespace

Status Live::start() {
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
  for (const NodeFinding& f : look_at_node(facts_of_this_node()))
    if (!f.well) log::warn("node", std::string(f.name) + ": " + f.found + "; hint: " + f.remedy);
  NINES_CHECK(start_context());
  NINES_TRY(Halves halves, wire(setup_, store_.get(), clock_,
                                {fetcher_.fetch(), options_.common.state, false, pods_.feed}));
  judge_ = std::move(halves.judge);
  start_writing();
  tell_restored();  // of the rows that were read meanwhile, too
  NINES_CHECK(open_logbook());
  NINES_CHECK(start_timeline());
  NINES_CHECK(notifiers_.start(setup_.config, *store_, options_.seed));
  notifiers_.on_delivered(
      [this](const std::string& name, const char* kind, const slo::AlertEvent& event) {
        timeline_->recorder().paged(event, name, clock_.wall());
        if (incidents_) incidents_->told(name, kind, event);
      });
  notifiers_.on_refused(
      [this](const std::vector<std::string>& names, const slo::AlertEvent& event) {
        if (incidents_) incidents_->refused(names, event);
      });
  start_librarian();
  NINES_CHECK(start_links());
  NINES_CHECK(start_upstreams());
  NINES_TRY(fleet_, start_peers(io_, clock_, setup_.config, *judge_, *store_, options_.seed + 1,
                                [this](const peer::Decision& d) { on_decision(d); }));
  timeline_->join(fleet_.get(), store_->restored().boot);
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
  NINES_CHECK(start_remediation());
  drafting_.emplace(Drafting::Parts{io_, clock_, setup_, options_.common.log_root, store_work_,
                                    *store_, *judge_, *ingest_});
  if (!guard_->holding()) go_on_by_the_clock();
  ingest_->start();
  signals_.async_wait([this](const net::ErrorCode& error, int) {
    if (!error) stop();
  });
  await_hangup();
  schedule_tick();
  log::info("agent", "watching " + std::to_string(judge_->slos()) + " SLO(s); status at " +
                         server_->url() + "/");
  return Ok{};
}

void Live::start_writing() {
  const auto told = [this](const std::vector<slo::AlertEvent>& events) { events_are_kept(events); };
  keeper_.emplace(RecordKeeper::Parts{
      io_, store_work_, *store_,
      [this](const Record& record, RecordKeeper::Whose whose) {
        logbook_->recorded(record);
        for (const slo::Change& change : record.changes) {
          tell(change);
          timeline_->recorder().change(change, clock_.wall());
        }
        const bool by_people = whose == RecordKeeper::Whose::people && !record.documents.empty();
        if (by_people) look_at_gates(to_ms(clock_.wall()));  // at once
      },
      told});
  committer_.emplace(Committer::Parts{io_, clock_, store_work_, *store_, *judge_,
                                      setup_.config.flush_s, [this] { return progress(); }, told});
}

void Live::tell_restored() {
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
Status Live::open_logbook() {
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

// Changes of the last day that the life before could not put into it any more.
Status Live::start_timeline() {
  NINES_TRY(timeline_, TimelineKeeper::start({io_, clock_, setup_.config.node,
                                              [this](std::vector<store::Document> documents) {
                                                keeper_->add(std::move(documents));
                                              }},
                                             *store_));
  const WallTime now = clock_.wall();
  for (const slo::Change& change : logbook_->changes()) {
    if (now.ns - change.at.ns < 86400 * kNsPerSecond) timeline_->recorder().change(change, now);
  }
  return Ok{};
}

void Live::on_outcome(StateMove::Outcome outcome) {
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

Status Live::start_queries() {
  NINES_TRY(queries_,
            Queries::create({io_, clock_, setup_.config, options_.common.state, *store_,
                             store_work_, fleet_.get(), brokers_.get(),
                             [this] { notifiers_.notify(); }, [this] { committer_->fold(); }}));
  return Ok{};
}

Status Live::start_incidents() {
  auto on_call = on_call_of(setup_.config, options_.common.state);
  // What has become of older ones, and who was told of them, the others know by now: a node that
  // was away hears them first.
  const Instant began = clock_.mono();
  const WallTime began_at = clock_.wall();
  const auto mine = [this, on_call, began, began_at](const incident::core::Incident& one) {
    const bool hears_first = fleet_ && clock_.mono().ns - began.ns < kHearFirstNs;
    if (hears_first && one.opened < began_at) return false;
    const auto peers = fleet_ ? fleet_->peers() : std::vector<peer::PeerView>();
    return on_call ? pages_for(setup_.config.node, one, peers)
                   : tells_of(setup_.config.node, one.opened_on, peers);
  };
  NINES_TRY(
      incidents_,
      Incidents::start(
          {io_, clock_, setup_.config, judge_->engine(), *ingest_,
           [this](Record&& record) {
             record.documents = with_timeline(std::move(record.documents));
             keeper_->add(std::move(record));
           },
           timeline_->recorder(), context_->facts(), [this] { return fleet_.get(); },
           [this] { return queries_.get(); }, [this] { return logbook_->all(); },
           [this](const slo::AlertEvent& event) {
             tell(event);
             judge_->show(event);
           },
           [this](const std::string& slo, const std::string& id) { judge_->belongs(slo, id); },
           [this](const std::string& id) { librarian_->touched(id); }, mine,
           [this](const std::string& slo, const std::vector<std::string>& names) {
             judge_->address(slo, names);
           },
           std::move(on_call), relay_parts()},
          *store_));
  capacity_->tell([this](std::string_view name, double value, WallTime at) {
    context_->vital(name, value, at);
    if (incidents_) incidents_->vital(name, value, at);
  });
  context_->inform(*ingest_);
  context_->facts().tell([this](const nines::incident::Happening& one) { tell_timeline(one); });
  if (!incidents_) return Ok{};
  incidents_->clocks([this](WallTime at) { return timeline_->clocks_at(at); });
  timeline_->learn_from_requests([this](WallTime from, WallTime to, auto done) {
    incidents_->seen(from, to, std::move(done));
  });
  return Ok{};
}

Status Live::start_remediation() {
  if (!incidents_) return Ok{};
  Remediation::Parts parts{io_,
                           clock_,
                           setup_.config,
                           pods_.access,
                           pods_.node,
                           pods_.feed,
                           [this]() -> incident::Desk& { return incidents_->desk(); },
                           [this](Record record, std::function<void(Status)> done) {
                             keeper_->keep(
                                 std::move(record), RecordKeeper::Whose::agent,
                                 [this, done = std::move(done)](const Result<Record>& kept) {
                                   if (kept.ok()) events_are_kept(kept->events);
                                   done(kept.ok() ? Status(Ok{}) : Status(kept.error()));
                                 });
                           },
                           [this](Record record, std::function<void(Status)> done) {
                             keeper_->keep(std::move(record), RecordKeeper::Whose::people,
                                           [done = std::move(done)](const Result<Record>& kept) {
                                             done(kept.ok() ? Status(Ok{}) : Status(kept.error()));
                                           });
                           },
                           [this] { incidents_->changed(); },
                           [this](const slo::AlertEvent& event) {
                             tell(event);
                             judge_->show(event);
                           },
                           [this](const std::string& id, slo::AlertEvent& event) {
                             incidents_->address_about(id, event);
                           },
                           [this] { return !guard_->holding(); },
                           [this] { return fleet_ && fleet_->isolated(); },
                           [this] { return fleet_.get(); }};
  NINES_TRY(remediation_, Remediation::start(std::move(parts), *store_));
  return Ok{};
}

// Rollouts stand in the log of changes, which the timeline tells.
void Live::tell_timeline(const nines::incident::Happening& one) {
  using Kind = nines::incident::HappeningKind;
  using timeline::core::EventKind;
  if (one.kind == Kind::rollout) return;
  const bool of_node = one.kind == Kind::kernel || one.kind == Kind::vital;
  timeline::KubernetesEvent event{one.service, one.text, one.at, one.key, {}, EventKind::kernel};
  if (!of_node) event.kind = EventKind::kubernetes;
  if (!one.pod.empty()) event.fields.emplace_back("pod", one.pod);
  timeline_->recorder().kubernetes(std::move(event), clock_.wall());
}

// What is heard of pods is told to the other parts once all of them are there.
Status Live::start_context() {
  const k8s::Settings& settings = setup_.config.kubernetes;
  context_ = std::make_unique<NodeContext>(NodeContext::Parts{
      io_, clock_, k8s::node_name(settings, setup_.config.node),
      [this](Record&& record) { keeper_->add(std::move(record)); },
      [this]() -> const std::deque<slo::Change>& { return logbook_->changes(); }});
  NINES_CHECK(context_->restore(*store_));
  pods_ = k8s::follow_pods(io_, clock_, settings, setup_.config.node, store_.get(), ~options_.seed,
                           &context_->pods());
  if (settings.events) context_->follow_events(pods_, options_.seed ^ 0x2222222222222222);
  return Ok{};
}

Status Live::start_upstreams() {
  NINES_TRY(const auto kept, store_->documents(Upstreams::kDocuments));
  upstreams_ = std::make_unique<Upstreams>(io_, clock_, setup_.config, *judge_, kept,
                                           options_.seed ^ 0x5555555555555555);
  return Ok{};
}

Status Live::start_brokers() {
  if (!fleet_) return Ok{};
  NINES_TRY(const auto kept, store_->documents(Brokers::kDocuments));
  brokers_ = std::make_unique<Brokers>(io_, clock_, setup_.config, *fleet_, kept,
                                       options_.seed ^ 0x3333333333333333);
  return Ok{};
}

Status Live::start_capacity() {
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
void Live::await_hangup() {
  hangup_.async_wait([this](const net::ErrorCode& error, int) {
    if (error) return;
    await_hangup();
    store_work_.post([this] {
      auto setup = std::make_shared<Result<Setup>>(make_setup(options_.common, clock_));
      net::asio::post(io_, [this, setup] { reload(std::move(*setup)); });
    });
  });
}

void Live::reload(Result<Setup> setup) {
  if (stopping_) return;
  if (!setup.ok()) {
    log::error("agent", "not reloaded, the running configuration stays: " + setup.error().message);
    return;
  }
  log::info("agent", "reloading");
  service_.reloading(clock_.mono());
  next_ = std::move(*setup);
  if (!options_.listen.empty()) next_->config.listen = options_.listen;
  stop();
}

}  // namespace nines::agent
