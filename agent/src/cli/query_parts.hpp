// What the ways of `nines query` share.
#pragma once

#include <string>
#include <string_view>

#include "cli/commands.hpp"
#include "nines/base/result.hpp"
#include "nines/query/plan.hpp"
#include "query/environment.hpp"
#include "query/nodes.hpp"
#include "query/output.hpp"

namespace nines::agent {

// Says why on stderr; the exit code.
int refuse_query(const Error& error);
query::WriterOptions query_writer_options(const QueryOptions& options);
// To stdout; false: nobody reads.
bool write_query(std::string_view bytes);
// Of this process: its cores, its stop flag, the statement's limits.
query::Environment query_environment(const QueryOptions& options,
                                     const nines::query::Statement& statement, const Clock& clock);

// `--ssh`: who is asked, by host. Errors: the program that may have to be copied cannot be read.
Result<std::vector<query::NodeLink>> ssh_links(const QueryOptions& options, const Clock& clock);

// Nodes of `peers: nodes:` that are asked from here, without an agent.
struct DirectWay {
  // Whether this statement goes that way: `--direct`, or no agent answers and nines.yaml has peers.
  bool taken = false;
  std::vector<query::NodeLink> links;
};
Result<DirectWay> direct_way(const QueryOptions& options, const std::vector<std::string>& wanted,
                             const Clock& clock);

// `--follow`; the statement's sources are files.
int follow_query(const QueryOptions& options, const nines::query::Statement& statement,
                 const Clock& clock);

// Saved queries: NAME.sql in the user's folder ($XDG_CONFIG_HOME/nines/queries, else
// ~/.config/nines/queries), in queries/ beside nines.yaml, in /etc/nines/queries, else the standing
// queries of nines.yaml, else what is kept on the agent.
int save_query(const QueryOptions& options, const Clock& clock);
int list_queries(const QueryOptions& options);
// The statement; of "@NAME" what is saved under that name.
Result<std::string> saved_query(const QueryOptions& options);

// `--complete-fields`: names of fields, as SQL writes them, one a line.
int complete_fields(const QueryOptions& options, const Clock& clock);

}  // namespace nines::agent
