#include "incident/error_lines.hpp"

#include <algorithm>

#include "incident/log_context.hpp"

namespace nines::agent::incident {

void ErrorLines::note(const collector::ObservedRecord& record) {
  auto found = services_.find(record.service);
  if (found == services_.end()) {
    if (services_.size() >= kMaxServices) {
      ++dropped_;
      return;
    }
    found = services_.try_emplace(std::string(record.service)).first;
  }
  Service& service = found->second;
  // One is as good as the next; lines of several files come in no order.
  if (record.at.ns - service.at.ns < kEveryNs && service.at != WallTime{}) return;
  service.at = record.at;
  Line& line = service.lines[service.next];
  service.next = (service.next + 1) % kKept;
  line.at = record.at;
  line.text = cut_line(record.message.substr(0, record.message.find('\n')), kMaxBytes);
  line.path = record.message.empty() ? record.path : std::string_view();
  line.offset = record.offset;
  line.status = record.status;
}

std::string ErrorLines::text_of(const Line& line) {
  if (!line.text.empty() || line.path.empty()) return line.text;
  const std::string status = std::to_string(line.status);
  const LogContext context = read_context(line.path, line.offset, status, 0, 0, kMaxBytes);
  const bool same = context.why_not.empty() && !context.lines.empty() &&
                    context.lines.front().find(status) != std::string::npos;
  return same ? context.lines.front() : std::string();
}

std::vector<std::string> ErrorLines::newest(const std::vector<std::string>& services,
                                            WallTime since, size_t most) const {
  struct Found {
    const std::string* service;
    const Line* line;
  };
  std::vector<Found> found;
  for (const std::string& name : services) {
    const auto service = services_.find(name);
    if (service == services_.end()) continue;
    for (const Line& line : service->second.lines) {
      if (line.at != WallTime{} && line.at >= since) found.push_back({&service->first, &line});
    }
  }
  std::sort(found.begin(), found.end(),
            [](const Found& a, const Found& b) { return a.line->at > b.line->at; });
  std::vector<std::string> out, texts;
  for (const Found& one : found) {
    if (out.size() >= most) break;
    std::string text = text_of(*one.line);
    if (text.empty() || std::find(texts.begin(), texts.end(), text) != texts.end()) continue;
    out.push_back(format_rfc3339(WallTime::from_s(one.line->at.seconds())) + " " + *one.service +
                  ": " + text);
    texts.push_back(std::move(text));
  }
  return out;
}

}  // namespace nines::agent::incident
