#include "../../../collector/src/scan/count_lines.hpp"

#include <algorithm>

#include "scan_support.hpp"

using namespace nines::collector;

TEST_CASE("count_lines() counts line ends of blocks of any size, and sees a NUL anywhere") {
  std::string text;
  for (size_t size = 0; size < 300; ++size) {
    const LineCount count = count_lines(text);
    CHECK(count.lines == static_cast<uint64_t>(std::count(text.begin(), text.end(), '\n')));
    CHECK_FALSE(count.has_nul);
    if (size > 0) {
      std::string with_nul = text;
      with_nul[size * 7 % size] = '\0';
      CHECK(count_lines(with_nul).has_nul);
    }
    text += size % 3 == 0 ? '\n' : static_cast<char>(size);
    if (text.back() == '\0') text.back() = '\xff';
  }
  CHECK(count_lines(std::string(100'000, '\n')).lines == 100'000);
  CHECK(count_lines(std::string(100'000, '\n') + '\0').has_nul);
}
