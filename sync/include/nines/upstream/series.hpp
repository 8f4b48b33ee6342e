// Series of samples as the metric engines know them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace nines::upstream {

struct Label {
  std::string name, value;
  friend auto operator<=>(const Label&, const Label&) = default;
};

struct Sample {
  double value = 0;
  int64_t at_ms = 0;  // milliseconds since 1970, UTC
  friend bool operator==(const Sample&, const Sample&) = default;
};

struct TimeSeries {
  std::vector<Label> labels;    // sorted by name, __name__ among them; no empty values
  std::vector<Sample> samples;  // ascending in time
};

}  // namespace nines::upstream
