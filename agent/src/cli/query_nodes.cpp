// `nines query --nodes`, `--ssh`, AT NODES: who is asked; and what ssh runs on the other machine.
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "app/setup.hpp"
#include "cli/ask.hpp"
#include "cli/query_parts.hpp"
#include "query/direct.hpp"
#include "query/fd_stream.hpp"
#include "query/node_serve.hpp"
#include "query/nodes.hpp"
#include "query/priority.hpp"
#include "query/service.hpp"
#include "query/ssh.hpp"

namespace nines::agent {
namespace {

namespace nq = nines::query;

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> out;
  size_t at = 0;
  while ((at = text.find_first_not_of(' ', at)) != std::string::npos) {
    const size_t end = std::min(text.find(' ', at), text.size());
    out.push_back(text.substr(at, end - at));
    at = end;
  }
  return out;
}

}  // namespace

Result<std::vector<query::NodeLink>> ssh_links(const QueryOptions& options, const Clock& clock) {
  auto settings = std::make_shared<query::SshSettings>();
  if (!options.ssh_command.empty()) settings->command = words_of(options.ssh_command);
  if (settings->command.empty()) {
    return Error{Errc::invalid_argument, "--ssh-command names no program"};
  }
  settings->binary = options.ssh_binary;
  settings->say = [](const std::string& line) {
    std::fprintf(stderr, "nines query: %s\n", line.c_str());
  };
  settings->stopped = stop_requested;
  NINES_CHECK(query::prepare_ssh(*settings));
  std::vector<query::NodeLink> out;
  for (const std::string& host : options.ssh) {
    out.push_back({host, [settings, host, &clock](Instant deadline) {
                     return query::open_ssh(clock, *settings, host, deadline);
                   }});
  }
  return out;
}

Result<DirectWay> direct_way(const QueryOptions& options, const std::vector<std::string>& wanted,
                             const Clock& clock) {
  const Loaded loaded = load_config(options.common.config, {});
  const PeersConfig& peers = loaded.node.peers;
  DirectWay way;
  way.taken = options.direct;
  if (!options.direct) {
    const bool agent_is_meant = !options.address.empty() || !options.token_file.empty();
    if (agent_is_meant || peers.nodes.empty() || agent_answers(loaded.node.listen)) return way;
    way.taken = true;
    std::fprintf(stderr,
                 "nines query: no agent answers at %s; the nodes of %s are asked from here\n",
                 loaded.node.listen.c_str(), loaded.node.file.c_str());
  }
  if (peers.nodes.empty()) {
    const std::string& file = loaded.node.file;
    return Error{Errc::invalid_argument,
                 (file.empty() ? "without nines.yaml" : file + " names no peers:") +
                     ", so nobody is known that could be asked; write peers: nodes: "
                     "[HOST:9991], and the certificate of this machine"};
  }
  query::DirectSettings settings;
  settings.addresses = peers.nodes;
  settings.deny = peers.deny;
  settings.tls = {peers.ca_file, peers.cert_file, peers.key_file};
  settings.stopped = stop_requested;
  NINES_TRY(const auto nodes, query::DirectNodes::find(clock, std::move(settings)));
  way.links = nodes.links(wanted);
  if (way.links.empty()) {
    return Error{Errc::not_found, "none of the nodes under peers: of " + loaded.node.file +
                                      " is to be asked: peers: deny names them"};
  }
  return way;
}

// On the machine that is asked, by the login that asks: it may read what that login may, and is
// behind everything that the machine is for.
int run_query_node(const QueryOptions& options, const Clock& clock) {
  if (options.hello) {
    std::printf("%s\n", query::node_hello().c_str());
    return kExitOk;
  }
  if (!options.greet.empty()) {
    const bool same = options.greet == query::node_hello();
    std::printf("nines-node %s\n", same ? "ready" : "other");
    std::fflush(stdout);
    if (!same) return kExitUnavailable;
  }
  query::lower_thread_priority();
  nq::Statement limits;
  limits.max_memory = UINT32_MAX;  // the plan says how much
  query::Environment environment = query_environment(options, limits, clock);
  environment.thread_started = query::lower_thread_priority;
  environment.resolve = [&](const nq::SourceRef& source) {
    return query::resolve_source(load_config(options.common.config, {}).node, source);
  };
  query::FdStreamSettings settings;
  settings.in = ::dup(STDIN_FILENO);
  settings.out = ::dup(STDOUT_FILENO);
  settings.where = "standard input and output";
  auto stream = query::make_fd_stream(clock, std::move(settings));
  if (!stream.ok()) return refuse_query(stream.error());
  const Status done = query::serve_node_query(**stream, environment, {true});
  return done.ok() ? kExitOk : kExitUnavailable;
}

}  // namespace nines::agent
