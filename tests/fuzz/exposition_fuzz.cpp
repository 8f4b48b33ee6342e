// Expositions: never a crash, views within the body or bounded scratch, names and numbers as
// promised; and what was read, written again, reads the same.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "exposition_text.hpp"
#include "nines/log/exposition.hpp"

namespace {

using namespace nines;
using namespace nines::log;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

void check(const ExpositionSample& sample) {
  require(!sample.name.empty(), "a sample has a name");
  require(sample.name.starts_with(sample.family), "the family begins the name");
  const auto number = parse_metric_number(sample.value);
  require(number.has_value(), "a value is a number");
  if (sample.role == SampleRole::bucket) require(!std::isnan(sample.le), "a bound is a bound");
  for (size_t i = 0; i < sample.labels.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      require(sample.labels[i].name != sample.labels[j].name, "no label twice");
    }
  }
  const auto whole = parse_metric_count(sample.value, 0);
  const auto fine = parse_metric_count(sample.value, 6);
  if (whole && fine) require(fine->value / 1'000'000 == whole->value, "one value in both scales");
  if (whole && std::isfinite(*number)) {
    // Cut, never rounded up beyond what a double can tell.
    const double told = static_cast<double>(whole->value);
    require(told <= *number * (1 + 1e-15) && told >= *number * (1 - 1e-15) - 1, "digits as read");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view body(static_cast<const char*>(static_cast<const void*>(data)), size);
  ExpositionReader reader(body);
  ExpositionSample sample;
  while (reader.next(sample)) {
    check(sample);
    const std::string again = log::test::exposition_line(sample);
    ExpositionReader second(again);
    ExpositionSample same;
    require(second.next(same), "what was read can be written and read");
    require(same.name == sample.name && same.value == sample.value, "the same again");
    require(same.labels.size() == sample.labels.size(), "the same labels");
    for (size_t i = 0; i < same.labels.size(); ++i) {
      require(same.labels[i].value == sample.labels[i].value, "the same label values");
    }
  }
  const auto& counts = reader.counts();
  require(counts.samples + counts.malformed + counts.native_histograms <= size, "counts of lines");
  return 0;
}
