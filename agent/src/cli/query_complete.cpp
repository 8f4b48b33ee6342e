// Fields that records have: what shells offer while a statement is written (`nines query
// --complete-fields FILE...`), and a word to who misspelt one.
#include <algorithm>
#include <cstdio>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "app/inputs.hpp"
#include "cli/query_parts.hpp"
#include "nines/collector/record_reader.hpp"
#include "nines/collector/tailer.hpp"
#include "nines/expr/signatures.hpp"

namespace nines::agent {
namespace {

constexpr size_t kRecords = 200;  // looked at, of each file
constexpr size_t kMaxFields = 1000;
constexpr size_t kFiles = 16;
constexpr size_t kBufferBytes = 256 * 1024;
constexpr const char* kEveryFormat[] = {"ts",     "level", "service", "message", "raw",
                                        "source", "line",  "node",    "_error"};

// As SQL has it: odd names stand in double quotes.
std::string written(const std::string& name) {
  const auto plain = [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.';
  };
  const bool digit_first = !name.empty() && name[0] >= '0' && name[0] <= '9';
  if (!digit_first && std::all_of(name.begin(), name.end(), plain)) return name;
  std::string out = "\"";
  for (const char c : name) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

bool has_control(const std::string& name) {
  return std::any_of(name.begin(), name.end(),
                     [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

}  // namespace

std::set<std::string> sample_fields(const QueryOptions& options,
                                    const std::vector<std::string>& files, size_t max_files,
                                    const Clock& clock) {
  std::set<std::string> names(std::begin(kEveryFormat), std::end(kEveryFormat));
  size_t seen = 0;
  slo::SourceSelector selector;
  selector.format = options.format;
  selector.pattern = options.pattern;
  collector::RecordReader reader(selector, kBufferBytes, clock, [&](const auto& record) {
    if (seen++ >= kRecords) return;
    for (const auto& field : *record.fields) {
      if (names.size() >= kMaxFields) return;
      const std::string name(field.name);
      if (!name.empty() && !has_control(name)) names.insert(name);
    }
  });
  auto tailer = collector::Tailer::create({}, reader, {}, clock);
  if (!tailer.ok()) return names;
  collector::FileSource source;
  source.globs.include = files;
  (*tailer)->add_source(0, source);
  (*tailer)->rescan();
  auto streams = (*tailer)->files();
  streams.resize(std::min(streams.size(), max_files));
  for (collector::LogStream* stream : streams) {
    seen = 0;
    while (seen < kRecords && (*tailer)->read_some(*stream, true)) {
    }
  }
  return names;
}

int complete_fields(const QueryOptions& options, const Clock& clock) {
  std::vector<std::string> files = options.files;
  if (!options.sql.empty()) files.insert(files.begin(), options.sql);
  for (const std::string& name : sample_fields(options, files, kFiles, clock)) {
    std::printf("%s\n", written(name).c_str());
  }
  return kExitOk;
}

// A field that no record at the head of the first file has, and that is spelt nearly like one that
// is there.
void doubt_fields(const nines::query::Statement& statement, const QueryOptions& options,
                  const Clock& clock, query::Answer& answer) {
  for (const nines::query::Input& input : statement.inputs) {
    const auto& [source, scan] = std::visit(
        [](const auto& what) {
          return std::pair<const nines::query::SourceRef&, const nines::query::ScanPlan&>(
              what.source, what.scan);
        },
        input.what);
    const bool files = source.kind == nines::query::SourceRef::Kind::files;
    if (!files || source.names.empty() || source.names[0] == "-") continue;
    const auto common = [](const std::string& field) {
      return std::find(std::begin(kEveryFormat), std::end(kEveryFormat), field) !=
             std::end(kEveryFormat);
    };
    if (std::all_of(scan.fields.begin(), scan.fields.end(), common)) continue;
    const std::set<std::string> known = sample_fields(options, source.names, 1, clock);
    for (const std::string& field : scan.fields) {
      if (known.contains(field)) continue;
      const auto nearest = std::min_element(
          known.begin(), known.end(), [&](const std::string& a, const std::string& b) {
            return expr::name_distance(field, a) < expr::name_distance(field, b);
          });
      if (nearest == known.end() ||
          expr::name_distance(field, *nearest) > std::max<size_t>(1, field.size() / 4)) {
        continue;
      }
      answer.notes.push_back("the first records have no field '" + field + "'; did you mean '" +
                             *nearest + "'?");
    }
  }
}

}  // namespace nines::agent
