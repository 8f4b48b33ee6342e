#include "query/service.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <mutex>
#include <utility>
#include <variant>

#include "app/worker.hpp"
#include "nines/base/json_writer.hpp"
#include "nines/collector/pipeline.hpp"
#include "query/analyze.hpp"
#include "query/execute.hpp"
#include "query/node_serve.hpp"
#include "query/pipe_stream.hpp"
#include "query/priority.hpp"

namespace nines::agent::query {
namespace {

namespace nq = nines::query;

bool is_wanted(const SourceConfig& source, const std::vector<std::string>& names) {
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    const auto matches = [&](const std::string& text) {
      return ::fnmatch(name.c_str(), text.c_str(), 0) == 0;
    };
    return matches(source.name) || matches(source.service);
  });
}

nq::SourceRef reference_of(const SourceConfig& source, const nq::SourceRef& wanted) {
  nq::SourceRef out = wanted;
  out.kind = nq::SourceRef::Kind::files;
  collector::GlobSpec globs = collector::globs_of(source.selector);
  // Which pods bear a label is known to the counting half only.
  if (source.selector.k8s_labels.empty()) {
    out.names = std::move(globs.include);
  } else {
    out.names = source.selector.paths;
  }
  out.exclude = std::move(globs.exclude);
  out.service = source.service;
  if (wanted.format == "auto") {
    out.format = source.selector.format;
    out.pattern = source.selector.pattern;
  }
  return out;
}

Error too_many() { return {Errc::exhausted, "too many queries wait; ask again in a moment"}; }

// Rows until `full`; of a live answer, those that come slowly are written when they come.
class Prompt final : public AnswerSink {
 public:
  static constexpr int64_t kEveryNs = 200 * kNsPerMs;
  Prompt(AnswerWriter& out, const Clock& clock, bool live, const bool& full)
      : out_(out), clock_(clock), live_(live), full_(full) {}

  void begin(const std::vector<std::string>& columns) override { out_.begin(columns); }
  bool take(const nq::Row& row) override {
    if (full_ || !out_.take(row)) return false;
    if (!live_) return !full_;
    const int64_t now_ns = clock_.mono().ns;
    if (now_ns < next_ns_) return true;
    next_ns_ = now_ns + kEveryNs;
    return out_.flush() && !full_;
  }

 private:
  AnswerWriter& out_;
  const Clock& clock_;
  const bool live_;
  const bool& full_;
  int64_t next_ns_ = 0;
};

}  // namespace

Result<std::vector<nq::SourceRef>> resolve_source(const NodeConfig& config,
                                                  const nq::SourceRef& source) {
  std::vector<nq::SourceRef> out;
  std::string known;
  for (const SourceConfig& candidate : config.sources) {
    if (candidate.selector.input != slo::InputKind::files) continue;
    known += (known.empty() ? "" : ", ") + candidate.name;
    if (is_wanted(candidate, source.names)) out.push_back(reference_of(candidate, source));
  }
  if (out.empty() && !known.empty()) {
    return Error{Errc::not_found, "no source of this node is called '" +
                                      (source.names.empty() ? "" : source.names[0]) +
                                      "'; there are " + known};
  }
  if (out.empty() && !config.sources.empty()) {
    return Error{Errc::not_found, "none of the sources of this node is files, which queries read"};
  }
  if (out.empty()) out.push_back(source);  // zero configuration: the logs of the node, by name
  return out;
}

// Over the API only the logs that the configuration names: whoever has the token must not read
// every file that the agent can.
Status check_sources(const nq::Statement& statement) {
  for (const nq::Input& input : statement.inputs) {
    const auto& source = std::visit(
        [](const auto& what) -> const nq::SourceRef& { return what.source; }, input.what);
    if (source.kind != nq::SourceRef::Kind::files) continue;
    return Error{
        Errc::invalid_argument,
        "an agent is asked for logs('NAME'), the sources of its nines.yaml; files(...) are "
        "read by nines query on the node itself"};
  }
  return Ok{};
}

struct QueryService::Impl {
  NodeConfig config;
  ServiceLimits limits;
  const Clock& clock;
  const collector::BlockIndex* index;
  std::atomic<bool> stop{false};
  std::atomic<size_t> waiting{0};
  std::atomic<uint64_t> asked{0}, refused{0}, incomplete{0}, failed{0};
  std::mutex live_mutex;
  std::shared_ptr<LiveAnswer> live;  // of the query that runs; may be null
  std::mutex evidence_mutex;
  std::function<Result<std::string>(std::string_view)> evidence;
  PeerQueries peers;
  Worker worker;  // last: its jobs use the rest

  Impl(NodeConfig c, ServiceLimits l, const Clock& k, const collector::BlockIndex* i)
      : config(std::move(c)),
        limits(l),
        clock(k),
        index(i),
        peers([this](auto stream) { serve(*stream); }, limits.max_waiting) {
    worker.post(lower_thread_priority);
  }

  // Whom the query that runs waits for: let go when the agent stops.
  void runs(std::shared_ptr<LiveAnswer> answer) {
    const std::lock_guard lock(live_mutex);
    live = std::move(answer);
    if (stop && live) live->leave();
  }
  void end() {
    const std::lock_guard lock(live_mutex);
    stop = true;
    if (live) live->leave();
  }

  Result<Answered> run(const Wish& wish) {
    if (stop) return Error{Errc::cancelled, "the agent is stopping"};
    if (wish.live) wish.live->begin();
    NINES_TRY(const nq::Statement statement, parsed(wish.sql));
    if (statement.explain == nq::Statement::Explain::plan) {
      return told(wish, {plan_text(statement, format_of_plan(wish)), true});
    }
    Environment environment = make_environment(wish, statement);
    Nodes nodes;
    nodes.links = [&](const nq::SourceRef& source) { return links_for(wish, source); };
    // One that is silent twice still leaves time for what the others say.
    const int64_t left_ns = environment.deadline.ns - clock.mono().ns;
    nodes.options.silence_ns = std::min(nodes.options.silence_ns, left_ns / 3);
    environment.nodes = &nodes;
    if (wish.live) nodes.board = &wish.live->board();
    if (statement.explain == nq::Statement::Explain::analyze) {
      return explained(statement, environment, wish);
    }
    std::string out;
    size_t size = 0;
    bool cut = false, full = false;  // what comes last says so, and is written all the same
    const auto writer = make_writer(wish.writer, [&](std::string_view bytes) {
      size += bytes.size();
      cut = cut || size > limits.max_answer_bytes;
      const bool taken = !wish.live || wish.live->write(bytes, environment.deadline);
      if (!wish.live) out.append(bytes);
      full = full || cut || !taken;
      return true;
    });
    Answer answer;
    Prompt prompt(*writer, clock, wish.live != nullptr, full);
    NINES_CHECK(run_statement(statement, environment, prompt, answer));
    if (wish.live && wish.live->left()) {
      return Error{Errc::cancelled, "nobody waits for the answer any more"};
    }
    NINES_CHECK(writer->problem());
    if (cut) {
      answer.incomplete("the answer is larger than " + std::to_string(limits.max_answer_bytes) +
                        " bytes; write LIMIT, or query the files with nines query SQL FILE");
    }
    NINES_CHECK(check(statement, answer));
    writer->end(answer);
    return Answered{std::move(out), answer.complete};
  }

  Result<nq::Statement> parsed(const std::string& wanted) const {
    NINES_TRY(const std::string sql, statement_of(wanted));
    NINES_TRY(nq::Statement statement, nq::parse_statement(sql, {clock.wall(), true}));
    NINES_CHECK(check_sources(statement));
    return statement;
  }

  // A plan is for people, and stands in a line of its own among those of a live answer.
  static Format format_of_plan(const Wish& wish) {
    return wish.live ? Format::table : wish.writer.format;
  }
  static Answered told(const Wish& wish, Answered answered) {
    if (!wish.live) return answered;
    std::string line = "{\"_plan\":";
    append_json_string(line, answered.text);
    wish.live->write(line + "}\n", Instant{INT64_MAX});
    return {"", answered.complete};
  }

  // "@NAME": what the standing query of that name asks. It may name files: who configured it may
  // read them, but not who asks for it.
  Result<std::string> statement_of(const std::string& sql) const {
    if (!sql.starts_with('@')) return sql;
    std::string known;
    for (const StandingQueryConfig& query : config.queries) {
      if (query.name == sql.substr(1)) return query.sql;
      known += (known.empty() ? "" : ", ") + query.name;
    }
    return Error{Errc::not_found, "no standing query of this node is called '" + sql.substr(1) +
                                      "'; " +
                                      (known.empty() ? "there are none" : "there are " + known)};
  }

  Result<Answered> explained(const nq::Statement& statement, const Environment& environment,
                             const Wish& wish) {
    Answer answer;
    NINES_TRY(std::string text, analyze(statement, environment, format_of_plan(wish), answer));
    NINES_CHECK(check(statement, answer));
    return told(wish, {std::move(text), answer.complete});
  }

  Status check(const nq::Statement& statement, const Answer& answer) {
    if (!answer.complete) ++incomplete;
    return statement.allow_partial ? Ok{} : whole(answer);
  }

  // This node among the others: it answers itself as it answers them.
  Result<std::vector<NodeLink>> links_for(const Wish& wish, const nq::SourceRef& source) {
    const std::vector<std::string>& names = source.nodes.empty() ? wish.nodes : source.nodes;
    if (names.empty()) return std::vector<NodeLink>();
    std::vector<NodeLink> all{{config.node, [this](Instant) {
                                 auto [here, there] = make_pipe(clock, config.node);
                                 peers.take(std::move(there));
                                 return Result<std::unique_ptr<stream::ByteStream>>(
                                     std::move(here));
                               }}};
    for (const NodeLink& link : wish.links) {
      if (link.node != config.node) all.push_back(link);
    }
    std::sort(all.begin(), all.end(),
              [](const NodeLink& a, const NodeLink& b) { return a.node < b.node; });
    return choose_nodes(all, names);
  }

  // A query of another node, on the thread of `peers`.
  void serve(stream::ByteStream& stream) {
    Wish limits_of_peers;
    Environment environment = make_environment(limits_of_peers, nq::Statement());
    {
      const std::lock_guard lock(evidence_mutex);
      environment.evidence = evidence;
    }
    (void)serve_node_query(stream, environment, NodeRights());
  }

  Environment make_environment(const Wish& wish, const nq::Statement& statement) {
    Environment environment{clock, {}, {}, 1, 0, {}, nullptr, nullptr, nullptr, {}, true};
    environment.resolve = [this](const nq::SourceRef& source) {
      return resolve_source(config, source);
    };
    environment.node = config.node;
    environment.remotes = config.remotes;
    environment.max_bytes = static_cast<size_t>(
        std::min<uint64_t>(limits.max_bytes, statement.max_memory.value_or(UINT64_MAX)));
    const int64_t deadline = std::min(wish.deadline_ns, statement.deadline_ns.value_or(INT64_MAX));
    environment.deadline = Instant{clock.mono().ns + deadline};
    environment.stop = &stop;
    environment.index = index;
    if (wish.live) {
      environment.left = &wish.live->left();
      environment.progress = &wish.live->progress();
    }
    return environment;
  }
};

QueryService::QueryService(NodeConfig config, ServiceLimits limits, const Clock& clock,
                           const collector::BlockIndex* index)
    : impl_(std::make_unique<Impl>(std::move(config), limits, clock, index)) {}

QueryService::~QueryService() {
  impl_->end();
  impl_->worker.stop();
}

void QueryService::ask(Wish wish, Done done) {
  ++impl_->asked;
  if (impl_->waiting.fetch_add(1) >= impl_->limits.max_waiting) {
    --impl_->waiting;
    ++impl_->refused;
    if (wish.live) wish.live->end(too_many());
    done(too_many());
    return;
  }
  impl_->worker.post([impl = impl_.get(), wish = std::move(wish), done = std::move(done)] {
    impl->runs(wish.live);
    Result<Answered> answer = impl->run(wish);
    impl->runs(nullptr);
    --impl->waiting;
    if (!answer.ok()) ++impl->failed;
    if (wish.live) wish.live->end(answer.ok() ? Status(Ok{}) : Status(answer.error()));
    done(std::move(answer));
  });
}

Status QueryService::check(const Wish& wish) const {
  if (impl_->waiting >= impl_->limits.max_waiting) return too_many();
  return check(wish.sql);
}

Status QueryService::check(const std::string& sql) const {
  const auto statement = impl_->parsed(sql);
  return statement.ok() ? Status(Ok{}) : Status(statement.error());
}

void QueryService::answer_evidence(std::function<Result<std::string>(std::string_view)> answer) {
  const std::lock_guard lock(impl_->evidence_mutex);
  impl_->evidence = std::move(answer);
}

PeerQueries* QueryService::peers() noexcept { return &impl_->peers; }

QueryService::Stats QueryService::stats() const noexcept {
  return {impl_->asked, impl_->refused, impl_->incomplete, impl_->failed};
}

}  // namespace nines::agent::query
