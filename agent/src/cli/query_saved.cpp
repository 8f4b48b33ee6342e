// Saved queries: folders of NAME.sql, the queries of nines.yaml, and what people keep on the agent.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/ask.hpp"
#include "cli/query_parts.hpp"
#include "config/config.hpp"
#include "http/client.hpp"
#include "http/message.hpp"
#include "query/output.hpp"
#include "query/saved.hpp"

namespace nines::agent {
namespace {

namespace fs = std::filesystem;
namespace nq = nines::query;

constexpr int64_t kAgentMs = 2000;
constexpr size_t kMostKeptBytes = size_t{256} << 10;

// Empty: there is neither.
std::string own_folder() {
  const char* config = std::getenv("XDG_CONFIG_HOME");
  if (config != nullptr && *config == '/') return std::string(config) + "/nines/queries";
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home == '/') return std::string(home) + "/.config/nines/queries";
  return "";
}

// What stands beside nines.yaml hides what is shared, and the user's own both.
std::vector<std::string> folders_of(const NodeConfig& node) {
  std::vector<std::string> folders{own_folder()};
  if (!node.file.empty()) {
    folders.push_back((fs::path(node.file).parent_path() / "queries").string());
  }
  folders.emplace_back(query::kSharedQueries);
  return folders;
}

void list_one(query::AnswerWriter& writer, query::Answer& answer, const std::string& name,
              const std::string& sql, const std::string& file) {
  const Value values[] = {Value::of_text(name), Value::of_text(sql), Value::of_text(file)};
  nq::Row row;
  row.values = values;
  ++answer.rows;
  writer.take(row);
}

// Needs no token: what is kept there holds no log lines.
Result<std::string> kept_on_agent(const std::string& address, const std::string& name) {
  http::ClientRequest request;
  request.url = "http://" + address + "/api/queries/saved/" + http::percent_encode(name);
  request.timeout_ms = kAgentMs;
  request.max_response_bytes = kMostKeptBytes;
  NINES_TRY(const http::ClientResponse answer, http::fetch(request));
  if (answer.status == 404) return Error{Errc::not_found, "nor on the agent at " + address};
  const auto tree = nlohmann::json::parse(answer.body, nullptr, false);
  const bool told =
      answer.status == 200 && tree.is_object() && tree.contains("sql") && tree["sql"].is_string();
  if (!told) return Error{Errc::unavailable, "the agent at " + address + " does not tell"};
  return tree["sql"].get<std::string>();
}

// Whole or not at all: what is there under that name stays until the new one is written.
Status write_whole(const fs::path& path, const std::string& text) {
  const std::string temporary = path.string() + "." + std::to_string(::getpid());
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  bool done = fd >= 0;
  done = done && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  done = done && ::fsync(fd) == 0;
  int error = errno;
  if (fd >= 0) ::close(fd);
  if (done && ::rename(temporary.c_str(), path.c_str()) == 0) return Ok{};
  if (done) error = errno;
  if (fd >= 0) ::unlink(temporary.c_str());
  return Error{Errc::io, path.string() + ": " + std::strerror(error), error};
}

}  // namespace

int save_query(const QueryOptions& options, const Clock& clock) {
  if (const Status good = query::check_query_name(options.save); !good.ok()) {
    return refuse_query(good.error());
  }
  if (!options.files.empty()) {
    return refuse_query(
        {Errc::invalid_argument,
         "only the statement is saved; files are named when it runs: nines query @" + options.save +
             " FILE..."});
  }
  const auto statement = nq::parse_statement(options.sql, {clock.wall(), true});
  if (!statement.ok()) return refuse_query(statement.error());
  const std::string folder = own_folder();
  if (folder.empty()) {
    return refuse_query({Errc::unavailable, "neither HOME nor XDG_CONFIG_HOME is set"});
  }
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return refuse_query({Errc::io, folder + ": " + error.message()});
  const fs::path path = fs::path(folder) / (options.save + ".sql");
  const bool replaced = fs::exists(path, error);
  if (const Status done = write_whole(path, options.sql + "\n"); !done.ok()) {
    return refuse_query(done.error());
  }
  std::fprintf(stderr, "%s %s\n", replaced ? "replaced" : "saved", path.c_str());
  return kExitOk;
}

int list_queries(const QueryOptions& options) {
  const auto writer = query::make_writer(query_writer_options(options), write_query);
  writer->begin({"name", "sql", "file"});
  query::Answer answer;
  const NodeConfig node = load_config(options.common.config, {}).node;
  const auto files = query::saved_files(folders_of(node));
  for (const auto& [name, file] : files) {
    const auto sql = query::read_saved(file);
    if (sql.ok()) {
      list_one(*writer, answer, name, *sql, file);
    } else {
      answer.incomplete(sql.error().message);
    }
  }
  for (const StandingQueryConfig& one : node.queries) {
    if (!files.contains(one.name)) list_one(*writer, answer, one.name, one.sql, node.file);
  }
  if (const Status problem = writer->problem(); !problem.ok()) {
    return refuse_query(problem.error());
  }
  writer->end(answer);
  return answer.complete ? kExitOk : kExitUnavailable;
}

Result<std::string> saved_query(const QueryOptions& options) {
  if (!options.sql.starts_with('@')) return options.sql;
  const std::string name = options.sql.substr(1);
  NINES_CHECK(query::check_query_name(name));
  const NodeConfig node = load_config(options.common.config, {}).node;
  const std::vector<std::string> folders = folders_of(node);
  std::string nor;
  if (!query::saved_files(folders).contains(name)) {
    for (const StandingQueryConfig& one : node.queries) {
      if (one.name == name) return one.sql;
    }
    auto kept = kept_on_agent(agent_address(options.address, options.common.config), name);
    if (kept.ok()) return kept;
    if (kept.error().code == Errc::not_found) nor = "; " + kept.error().message;
  }
  auto found = query::find_saved(name, folders);
  if (found.ok()) return std::move(found->sql);
  std::string known;
  for (const StandingQueryConfig& one : node.queries) {
    known += (known.empty() ? "; in " + node.file + ": " : ", ") + one.name;
  }
  return Error{found.error().code, found.error().message + known + nor};
}

}  // namespace nines::agent
