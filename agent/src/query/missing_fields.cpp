#include "query/missing_fields.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "nines/expr/signatures.hpp"
#include "query/feed.hpp"
#include "view/text.hpp"

namespace nines::agent::query {
namespace {

namespace nq = nines::query;
using Names = std::vector<std::string>;

constexpr size_t kMostFiles = 8;     // that are looked into for names
constexpr size_t kMostLetters = 64;  // of a name that are compared and shown

bool has(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// What a stream had to say is gone.
bool can_be_read_again(const collector::ScanFile& file) {
  struct stat status {};
  return !file.content && ::stat(file.path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

Names names_of_first_records(const nq::SourceRef& source, const Environment& environment) {
  Names names;
  const auto groups = find_sources(source, environment);
  if (!groups.ok()) return names;
  const nq::ScanPlan nothing;
  size_t files = 0;
  for (const FileGroup& group : *groups) {
    for (const collector::ScanFile& file : group.files) {
      if (!can_be_read_again(file) || ++files > kMostFiles) continue;
      const auto open =
          collector::FileScan::open(file, group.source, nothing, scan_options(environment));
      if (!open.ok()) continue;
      for (std::string& name : (*open)->field_names()) {
        if (!has(names, name)) names.push_back(std::move(name));
      }
    }
  }
  return names;
}

// Empty: none is near. `status` is near to `http.status`.
std::string nearest(const std::string& field, const Names& names) {
  const std::string_view wanted = std::string_view(field).substr(0, kMostLetters);
  std::string best;
  size_t least = std::max<size_t>(2, wanted.size() / 3) + 1;
  for (const std::string& name : names) {
    if (name.size() > kMostLetters) continue;
    const bool within = name.ends_with("." + field);
    const size_t distance = within ? 1 : expr::name_distance(wanted, name);
    if (distance >= least) continue;
    least = distance;
    best = name;
  }
  return best;
}

}  // namespace

void hint_at_missing_fields(const nq::ScanPlan& scan, const nq::SourceRef& source,
                            const Environment& environment, Answer& did) {
  const bool partly = did.scan.partly || did.scan.bytes_skipped > 0;
  if (environment.stopped() || !did.complete || (did.scan.records == 0 && !partly)) return;
  Names missing = collector::named_fields(scan);
  uint64_t seen = did.scan.fields_seen;
  std::erase_if(missing, [&seen](const std::string&) {
    const bool found = (seen & 1) != 0;
    seen >>= 1;
    return found;
  });
  if (missing.empty()) return;
  const Names there = names_of_first_records(source, environment);
  if (did.scan.records == 0 && there.empty()) return;
  for (const std::string& field : missing) {
    if (has(there, field)) continue;
    const std::string meant = nearest(field, there);
    if (partly && meant.empty()) continue;  // others may well have it
    did.hint("field '" + view::printable(field.substr(0, kMostLetters)) + "' occurs in no record" +
             (partly ? " that was looked at" : "") +
             (meant.empty() ? "" : "; did you mean '" + view::printable(meant) + "'?"));
  }
}

}  // namespace nines::agent::query
