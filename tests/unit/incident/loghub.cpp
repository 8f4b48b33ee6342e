#include "loghub.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>

namespace nines::incident::test {
namespace {

// One record of CSV with quotes; false: the end.
bool read_record(std::istream& in, std::vector<std::string>& cells) {
  cells.assign(1, {});
  bool quoted = false, any = false;
  for (int c = in.get(); c != EOF; c = in.get()) {
    any = true;
    if (quoted) {
      if (c != '"') {
        cells.back() += static_cast<char>(c);
      } else if (in.peek() == '"') {
        cells.back() += static_cast<char>(in.get());
      } else {
        quoted = false;
      }
    } else if (c == '"') {
      quoted = true;
    } else if (c == ',') {
      cells.emplace_back();
    } else if (c == '\n') {
      return true;
    } else if (c != '\r') {
      cells.back() += static_cast<char>(c);
    }
  }
  return any;
}

size_t column(const std::vector<std::string>& head, const std::string& name) {
  for (size_t i = 0; i < head.size(); ++i) {
    if (head[i] == name) return i;
  }
  return head.size();
}

}  // namespace

std::vector<LabelledLine> loghub(const std::string& set) {
  const char* const given = std::getenv("NINES_DATA_DIR");
  const std::string source = NINES_SOURCE_DIR;
  std::ifstream in;
  for (const std::string& base : {std::string(given == nullptr ? "" : given),
                                  source + "/../shared/data", source + "/../../shared/data"}) {
    in.open(base + "/loghub/" + set + "/" + set + "_2k.log_structured.csv");
    if (in) break;
  }
  std::vector<LabelledLine> lines;
  std::vector<std::string> cells;
  if (!in || !read_record(in, cells)) return lines;
  const size_t content = column(cells, "Content"), event = column(cells, "EventId");
  while (read_record(in, cells)) {
    if (cells.size() > std::max(content, event)) lines.push_back({cells[content], cells[event]});
  }
  return lines;
}

Accuracy accuracy_of(const std::vector<LabelledLine>& lines, const std::vector<uint64_t>& groups) {
  std::map<uint64_t, std::map<std::string, size_t>> found;
  std::map<std::string, size_t> events;
  for (size_t i = 0; i < lines.size(); ++i) {
    ++found[groups[i]][lines[i].event];
    ++events[lines[i].event];
  }
  size_t right = 0, right_lines = 0;
  for (const auto& [id, inside] : found) {
    const auto& [event, count] = *inside.begin();
    if (inside.size() != 1 || events[event] != count) continue;
    ++right;
    right_lines += count;
  }
  Accuracy out;
  out.groups = found.size();
  out.events = events.size();
  out.grouping = static_cast<double>(right_lines) / static_cast<double>(lines.size());
  const double sum = static_cast<double>(found.size() + events.size());
  out.f1 = 2 * static_cast<double>(right) / sum;  // of precision right/groups, recall right/events
  return out;
}

}  // namespace nines::incident::test
