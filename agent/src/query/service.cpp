#include "query/service.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <mutex>
#include <utility>
#include <variant>

#include "app/worker.hpp"
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
  out.names = source.selector.k8s_labels.empty() ? std::move(globs.include) : source.selector.paths;
  out.exclude = std::move(globs.exclude);
  out.service = source.service;
  if (wanted.format == "auto") {
    out.format = source.selector.format;
    out.pattern = source.selector.pattern;
  }
  return out;
}

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

  Result<Answered> run(const Wish& wish) {
    if (stop) return Error{Errc::cancelled, "the agent is stopping"};
    NINES_TRY(const std::string sql, statement_of(wish.sql));
    NINES_TRY(const nq::Statement statement, nq::parse_statement(sql, {clock.wall(), true}));
    NINES_CHECK(check_sources(statement));
    if (statement.explain == nq::Statement::Explain::plan) {
      return Answered{plan_text(statement, wish.writer.format), true};
    }
    Environment environment = make_environment(wish, statement);
    Nodes nodes;
    nodes.links = [&](const nq::SourceRef& source) { return links_for(wish, source); };
    // One that is silent twice still leaves time for what the others say.
    const int64_t left_ns = environment.deadline.ns - clock.mono().ns;
    nodes.options.silence_ns = std::min(nodes.options.silence_ns, left_ns / 3);
    environment.nodes = &nodes;
    if (statement.explain == nq::Statement::Explain::analyze) {
      return explained(statement, environment, wish);
    }
    std::string out;
    bool cut = false;
    const auto writer = make_writer(wish.writer, [&](std::string_view bytes) {
      out.append(bytes);
      cut = cut || out.size() > limits.max_answer_bytes;
      return !cut;
    });
    Answer answer;
    NINES_CHECK(run_statement(statement, environment, *writer, answer));
    NINES_CHECK(writer->problem());
    if (cut) {
      answer.incomplete("the answer is larger than " + std::to_string(limits.max_answer_bytes) +
                        " bytes; write LIMIT, or query the files with nines query SQL FILE");
    }
    NINES_CHECK(check(statement, answer));
    writer->end(answer);
    return Answered{std::move(out), answer.complete};
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
    NINES_TRY(std::string text, analyze(statement, environment, wish.writer.format, answer));
    NINES_CHECK(check(statement, answer));
    return Answered{std::move(text), answer.complete};
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
    return environment;
  }
};

QueryService::QueryService(NodeConfig config, ServiceLimits limits, const Clock& clock,
                           const collector::BlockIndex* index)
    : impl_(std::make_unique<Impl>(std::move(config), limits, clock, index)) {}

QueryService::~QueryService() {
  impl_->stop = true;
  impl_->worker.stop();
}

void QueryService::ask(Wish wish, Done done) {
  ++impl_->asked;
  if (impl_->waiting.fetch_add(1) >= impl_->limits.max_waiting) {
    --impl_->waiting;
    ++impl_->refused;
    done(Error{Errc::exhausted, "too many queries wait; ask again in a moment"});
    return;
  }
  impl_->worker.post([impl = impl_.get(), wish = std::move(wish), done = std::move(done)] {
    Result<Answered> answer = impl->run(wish);
    --impl->waiting;
    if (!answer.ok()) ++impl->failed;
    done(std::move(answer));
  });
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
