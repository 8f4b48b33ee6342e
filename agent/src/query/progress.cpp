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

}  // namespace nines::agent::query
