// Fields that records have: what shells offer while a statement is written (`nines query
// --complete-fields FILE...`).
#include <algorithm>
#include <cstdio>
#include <set>
#include <string>
#include <vector>

#include "app/inputs.hpp"
#include "cli/query_parts.hpp"
#include "nines/collector/record_reader.hpp"
#include "nines/collector/tailer.hpp"

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

std::set<std::string> sample_fields(const QueryOptions& options,
                                    const std::vector<std::string>& files, const Clock& clock) {
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
  streams.resize(std::min(streams.size(), kFiles));
  for (collector::LogStream* stream : streams) {
    seen = 0;
    while (seen < kRecords && (*tailer)->read_some(*stream, true)) {
    }
  }
  return names;
}

}  // namespace

int complete_fields(const QueryOptions& options, const Clock& clock) {
  std::vector<std::string> files = options.files;
  if (!options.sql.empty()) files.insert(files.begin(), options.sql);
  for (const std::string& name : sample_fields(options, files, clock)) {
    std::printf("%s\n", written(name).c_str());
  }
  return kExitOk;
}

}  // namespace nines::agent
