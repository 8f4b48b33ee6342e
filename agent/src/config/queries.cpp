#include "config/queries.hpp"

#include <algorithm>
#include <string_view>
#include <variant>
#include <vector>

#include "config/files.hpp"
#include "nines/query/plan.hpp"
#include "query/saved.hpp"
#include "query/service.hpp"
#include "query/standing_query.hpp"

namespace nines::agent::config {
namespace {

namespace nq = nines::query;

// The statement and where it stands: in nines.yaml, or in a file of its own.
struct Source {
  const YamlNode& node;
  std::string what;  // "sql of query 'x'"
  std::string text;
  std::string file;  // empty: in nines.yaml
};

void tell(const Source& source, size_t offset, const std::string& message, const std::string& hint,
          Reporter& report) {
  if (source.file.empty()) {
    report.add(Diagnostic::Severity::error, source.node.file->path,
               position_within(source.node, offset), source.what + ": " + message, hint);
    return;
  }
  const std::string_view before = std::string_view(source.text).substr(0, offset);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const size_t column = 1 + offset - (before.rfind('\n') + 1);
  report.add(Diagnostic::Severity::error, source.file,
             {static_cast<int>(line), static_cast<int>(column)}, source.what + ": " + message,
             hint);
}

void tell(const Source& source, const Error& error, const std::string& hint, Reporter& report) {
  std::string message = error.message;
  const size_t offset = take_place(source.text, message);
  tell(source, offset, message, hint, report);
}

// `sql: @NAME`: what is saved under that name.
bool take_saved(Source& source, Reporter& report) {
  if (!source.text.starts_with('@')) return true;
  const std::string folder = beside(source.node.file->path, "queries");
  const auto found = query::find_saved(source.text.substr(1), {folder, query::kSharedQueries});
  if (!found.ok()) {
    tell(source, 0, found.error().message,
         "a saved query is a file NAME.sql in " + folder + " or in " + query::kSharedQueries,
         report);
    return false;
  }
  source.text = found->sql;
  source.file = found->file;
  return true;
}

// now() and relative times would stand still at the start of the agent.
bool names_now(const std::string& sql, const nq::Statement& statement) {
  constexpr WallTime kLater = WallTime::from_s(86'400);
  const auto later = nq::parse_statement(sql, {kLater, true});
  return !later.ok() || nq::explain(*later) != nq::explain(statement);
}

// logs('NAME') must mean something here.
void check_logs(const Source& source, const nq::SourceRef& logs, const Draft& draft,
                Reporter& report) {
  if (logs.kind != nq::SourceRef::Kind::logs) return;
  const auto sources = query::resolve_source(draft.node, logs);
  if (!sources.ok()) {
    const std::string name = logs.names.empty() ? std::string() : logs.names.front();
    std::vector<std::string_view> known;
    for (const SourceConfig& one : draft.node.sources) known.push_back(one.name);
    const std::string_view near = nearest(name, known);
    const size_t at = std::min(source.text.find("'" + name), source.text.size() - 1);
    return tell(source, at, sources.error().message,
                near.empty() ? "" : "did you mean '" + std::string(near) + "'?", report);
  }
  const bool files = std::all_of(sources->begin(), sources->end(), [](const nq::SourceRef& one) {
    return one.kind == nq::SourceRef::Kind::files;
  });
  if (files) return;
  tell(source, 0, "nines.yaml has no sources for logs(...) to mean",
       "sources: [{name: auth, paths: [/var/log/auth.log]}], or FROM files('/var/log/auth.log')",
       report);
}

void check_statement(const Source& source, const Draft& draft, Reporter& report) {
  const std::string hint = "try it out: nines query 'SELECT ...' FILE";
  const auto statement = nq::parse_statement(source.text, {WallTime{}, true});
  if (!statement.ok()) return tell(source, statement.error(), hint, report);
  if (const Status good = query::StandingQuery::check(*statement); !good.ok()) {
    return tell(source, good.error(), hint, report);
  }
  if (names_now(source.text, *statement)) {
    return tell(source,
                {Errc::unsupported,
                 "now() and times such as SINCE '-2h' would stand still at the "
                 "start of the agent"},
                "leave them out: each run looks at what was logged since the run before", report);
  }
  check_logs(source, std::get<nq::Block>(statement->inputs[0].what).source, draft, report);
}

void check_notify(const YamlNode& node, const StandingQueryConfig& query, const Draft& draft,
                  Reporter& report) {
  std::vector<std::string_view> known;
  for (const WebhookConfig& webhook : draft.node.webhooks) known.push_back(webhook.name);
  for (const NotifierConfig& notifier : draft.node.notifiers) known.push_back(notifier.name);
  for (const ChainConfig& chain : draft.node.chains) known.push_back(chain.name);
  const YamlNode* list = node.get("notify");
  if (known.empty()) {
    report.warning(list != nullptr ? *list : node,
                   "query '" + query.name + "' tells nobody but the log: there are no notifiers",
                   "webhooks: [{name: on-call, url: \"https://...\"}]");
    return;
  }
  for (size_t i = 0; list != nullptr && i < query.notify.size(); ++i) {
    const std::string& name = query.notify[i];
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const YamlNode& at = i < list->items.size() ? list->items[i] : *list;
    const std::string_view near = nearest(name, known);
    report.error(at,
                 "query '" + query.name + "' notifies '" + name +
                     "', but no notifier has that name; there are " + join(known),
                 near.empty() ? "" : "did you mean '" + std::string(near) + "'?");
  }
}

}  // namespace

void read_query(const YamlNode& node, Draft& draft, std::set<std::string>& names,
                Reporter& report) {
  draft.node.queries.emplace_back();
  apply_defaults("queries[].", draft);
  MapReader reader(node, "a query", report);
  reader.require("name");
  const YamlNode* sql = reader.require("sql", "sql: \"SELECT ... FROM logs('SOURCE') WHERE ...\"");
  read_options(reader, "queries[].", draft, report);
  reader.finish();
  StandingQueryConfig& query = draft.node.queries.back();
  if (!query.name.empty()) {
    const YamlNode& at = place_of(node, "name");
    if (const Status good = query::check_query_name(query.name); !good.ok()) {
      report.error(at, good.error().message);
    } else if (!names.insert(query.name).second) {
      report.error(at, "there are two queries named '" + query.name + "'");
    }
  }
  check_notify(node, query, draft, report);
  if (sql == nullptr || query.sql.empty()) return;
  query.sql.resize(query.sql.find_last_not_of(" \t\r\n") + 1);
  Source source{*sql, "sql of query '" + query.name + "'", query.sql, {}};
  if (!take_saved(source, report)) return;
  check_statement(source, draft, report);
  query.sql = std::move(source.text);
}

}  // namespace nines::agent::config
