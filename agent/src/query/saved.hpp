// Saved queries: folders of NAME.sql.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/result.hpp"

namespace nines::agent::query {

inline constexpr const char* kSharedQueries = "/etc/nines/queries";

// Up to 64 letters, digits, '-', '_' and '.'; the message says so.
Status check_query_name(std::string_view name);

struct SavedQuery {
  std::string sql, file;
};
// By name; what an earlier folder has hides those of the same name in later ones.
std::map<std::string, std::string> saved_files(const std::vector<std::string>& folders);
Result<std::string> read_saved(const std::string& file);  // without the white space at its end
// Errors name those there are.
Result<SavedQuery> find_saved(const std::string& name, const std::vector<std::string>& folders);

}  // namespace nines::agent::query
