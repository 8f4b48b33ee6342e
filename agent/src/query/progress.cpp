#include "query/progress.hpp"

#include <algorithm>

#include "nines/base/time.hpp"
#include "view/text.hpp"

namespace nines::agent::query {

std::string progress_text(int64_t done, int64_t total, uint64_t rows, int64_t elapsed_ns) {
  const auto bytes = [](double n) { return view::human_bytes(static_cast<uint64_t>(n)); };
  const double read = static_cast<double>(std::max<int64_t>(done, 0));
  const double seconds =
      static_cast<double>(std::max<int64_t>(elapsed_ns, 1)) / static_cast<double>(kNsPerSecond);
  const double rate = read / seconds;
  std::string out;
  if (total > 0) {
    const double all = static_cast<double>(std::max(total, done));
    out = std::to_string(static_cast<int>(100 * read / all)) + " %  " + bytes(read) + " of " +
          bytes(all);
    if (rate > 0 && done < total) {
      const auto left = static_cast<int64_t>((all - read) / rate + 1);
      out += "  " + bytes(rate) + "/s  " + format_duration_s(left) + " left";
    }
  } else {
    out = bytes(read) + "  " + bytes(rate) + "/s";
  }
  return out + "  " + std::to_string(rows) + (rows == 1 ? " row" : " rows");
}

std::vector<std::string> board_text(std::vector<NodeBoard::Line> lines, size_t most) {
  using State = NodeBoard::State;
  constexpr const char* kStates[] = {"waiting", "connecting", "", "done", "failed"};
  std::stable_partition(lines.begin(), lines.end(), [](const NodeBoard::Line& line) {
    return line.state != State::done && line.state != State::waiting;
  });
  size_t width = 0;
  for (const NodeBoard::Line& line : lines) width = std::max(width, line.node.size());
  std::vector<std::string> out;
  for (const NodeBoard::Line& line : lines) {
    if (out.size() + 1 == most && lines.size() > most) {
      out.push_back("and " + std::to_string(lines.size() - out.size()) + " more");
      break;
    }
    std::string text = line.node + std::string(width + 2 - line.node.size(), ' ');
    if (line.state != State::working) {
      text += kStates[static_cast<size_t>(line.state)];
    } else if (line.bytes_total > 0) {
      const uint64_t share = 100 * std::min(line.bytes_done, line.bytes_total) / line.bytes_total;
      text += std::to_string(share) + " %  " + view::human_bytes(line.bytes_done) + " of " +
              view::human_bytes(line.bytes_total);
    } else {
      text += "working";
    }
    if (line.rows > 0)
      text += "  " + std::to_string(line.rows) + (line.rows == 1 ? " row" : " rows");
    out.push_back(std::move(text));
  }
  return out;
}

}  // namespace nines::agent::query
