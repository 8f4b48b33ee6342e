// Exposition: writes the Prometheus text format 0.0.4, one family at a time: HELP and TYPE once,
// then its samples. Names and helps outlive the call.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "nines/base/time.hpp"

namespace nines::agent::view {

// Since the epoch, in milliseconds' steps.
double seconds(WallTime t);

class Exposition {
 public:
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  void gauge(std::string_view name, std::string_view help) { family(name, help, "gauge"); }
  void counter(std::string_view name, std::string_view help) { family(name, help, "counter"); }

  // The label "group" is left out where it is empty: only objectives of groups have one.
  void sample(Labels labels, double value);
  void sample(Labels labels, uint64_t value) { append(labels, std::to_string(value)); }
  void sample(Labels labels, int64_t value) { append(labels, std::to_string(value)); }
  void sample(Labels labels, bool value) { append(labels, value ? "1" : "0"); }
  // Undefined ratios are absent, not NaN: an absent series cannot be averaged by mistake.
  void sample(Labels labels, const std::optional<double>& value) {
    if (value) sample(labels, *value);
  }
  template <class T>
  void single_gauge(std::string_view name, std::string_view help, T value) {
    gauge(name, help);
    sample({}, value);
  }
  template <class T>
  void single_counter(std::string_view name, std::string_view help, T value) {
    counter(name, help);
    sample({}, value);
  }
  std::string take() { return std::move(out_); }

 private:
  void family(std::string_view name, std::string_view help, std::string_view type);
  void append(Labels labels, std::string_view value);

  std::string out_;
  std::string_view name_;
};

}  // namespace nines::agent::view
