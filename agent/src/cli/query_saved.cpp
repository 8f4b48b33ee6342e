// Saved queries: a folder of NAME.sql.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "cli/query_parts.hpp"
#include "query/output.hpp"

namespace nines::agent {
namespace {

namespace fs = std::filesystem;
namespace nq = nines::query;

constexpr const char* kSharedFolder = "/etc/nines/queries";
constexpr std::string_view kEnding = ".sql";
constexpr size_t kMaxName = 64;
constexpr uintmax_t kMaxBytes = 1024 * 1024;

// Empty: there is neither.
std::string own_folder() {
  const char* config = std::getenv("XDG_CONFIG_HOME");
  if (config != nullptr && *config == '/') return std::string(config) + "/nines/queries";
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home == '/') return std::string(home) + "/.config/nines/queries";
  return "";
}

Status check_name(std::string_view name) {
  constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
  const bool good = !name.empty() && name.size() <= kMaxName && name[0] != '.' && name[0] != '-' &&
                    name.find_first_not_of(kAllowed) == std::string_view::npos;
  if (good) return Ok{};
  return Error{Errc::invalid_argument,
               "'" + std::string(name) +
                   "' cannot name a query: up to 64 letters, digits, '-', '_' and '.' can, "
                   "beginning with a letter, a digit or '_'"};
}

Result<std::string> read_saved(const fs::path& path) {
  std::error_code error;
  const uintmax_t size = fs::file_size(path, error);
  std::ifstream in(path, std::ios::binary);
  if (error || !in) return Error{Errc::io, path.string() + ": cannot be read"};
  if (size > kMaxBytes) return Error{Errc::invalid_argument, path.string() + ": is over 1 MiB"};
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// By name; the user's own hide those of the same name in the shared folder.
std::map<std::string, fs::path> saved_files() {
  std::map<std::string, fs::path> found;
  for (const std::string& folder : {own_folder(), std::string(kSharedFolder)}) {
    std::error_code error;
    if (folder.empty()) continue;
    fs::directory_iterator it(folder, error);
    for (; !error && it != fs::directory_iterator(); it.increment(error)) {
      const std::string file = it->path().filename().string();
      if (!file.ends_with(kEnding)) continue;
      const std::string name = file.substr(0, file.size() - kEnding.size());
      if (check_name(name).ok()) found.emplace(name, it->path());
    }
  }
  return found;
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
  if (const Status good = check_name(options.save); !good.ok()) return refuse_query(good.error());
  if (!options.files.empty()) {
    return refuse_query({Errc::invalid_argument,
                         "only the statement is saved; files are named when it runs: nines query @" +
                             options.save + " FILE..."});
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
  const fs::path path = fs::path(folder) / (options.save + std::string(kEnding));
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
  for (const auto& [name, path] : saved_files()) {
    const auto text = read_saved(path);
    if (!text.ok()) {
      answer.incomplete(text.error().message);
      continue;
    }
    const std::string sql = text->substr(0, text->find_last_not_of(" \t\r\n") + 1);
    const std::string file = path.string();
    const Value values[] = {Value::of_text(name), Value::of_text(sql), Value::of_text(file)};
    nq::Row row;
    row.values = values;
    ++answer.rows;
    if (!writer->take(row)) break;
  }
  if (const Status problem = writer->problem(); !problem.ok()) {
    return refuse_query(problem.error());
  }
  writer->end(answer);
  return answer.complete ? kExitOk : kExitUnavailable;
}

Result<std::string> saved_query(const std::string& sql) {
  if (!sql.starts_with('@')) return sql;
  const std::string name = sql.substr(1);
  NINES_CHECK(check_name(name));
  const auto files = saved_files();
  if (const auto found = files.find(name); found != files.end()) return read_saved(found->second);
  std::string known;
  for (const auto& [other, path] : files) known += (known.empty() ? "" : ", ") + other;
  return Error{Errc::invalid_argument,
               "no query is saved as '" + name + "'; " +
                   (known.empty() ? "there are none: nines query --save NAME SQL saves one"
                                  : "there are " + known)};
}

}  // namespace nines::agent
