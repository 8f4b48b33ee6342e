#include "query/saved.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

namespace nines::agent::query {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kEnding = ".sql";
constexpr size_t kMaxName = 64;
constexpr uintmax_t kMaxBytes = 1024 * 1024;

}  // namespace

Status check_query_name(std::string_view name) {
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

std::map<std::string, std::string> saved_files(const std::vector<std::string>& folders) {
  std::map<std::string, std::string> found;
  for (const std::string& folder : folders) {
    std::error_code error;
    if (folder.empty()) continue;
    fs::directory_iterator it(folder, error);
    for (; !error && it != fs::directory_iterator(); it.increment(error)) {
      const std::string file = it->path().filename().string();
      if (!file.ends_with(kEnding)) continue;
      const std::string name = file.substr(0, file.size() - kEnding.size());
      if (check_query_name(name).ok()) found.emplace(name, it->path().string());
    }
  }
  return found;
}

Result<std::string> read_saved(const std::string& file) {
  std::error_code error;
  const uintmax_t size = fs::file_size(file, error);
  std::ifstream in(file, std::ios::binary);
  if (error || !in) return Error{Errc::io, file + ": cannot be read"};
  if (size > kMaxBytes) return Error{Errc::invalid_argument, file + ": is over 1 MiB"};
  std::ostringstream text;
  text << in.rdbuf();
  std::string sql = text.str();
  sql.resize(sql.find_last_not_of(" \t\r\n") + 1);
  return sql;
}

Result<SavedQuery> find_saved(const std::string& name, const std::vector<std::string>& folders) {
  NINES_CHECK(check_query_name(name));
  const auto files = saved_files(folders);
  if (const auto found = files.find(name); found != files.end()) {
    NINES_TRY(std::string sql, read_saved(found->second));
    return SavedQuery{std::move(sql), found->second};
  }
  std::string known;
  for (const auto& [other, path] : files) known += (known.empty() ? "" : ", ") + other;
  return Error{Errc::invalid_argument,
               "no query is saved as '" + name + "'; " +
                   (known.empty() ? "there are none: nines query --save NAME SQL saves one"
                                  : "there are " + known)};
}

}  // namespace nines::agent::query
