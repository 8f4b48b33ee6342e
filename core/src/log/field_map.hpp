// Where the fields of a fixed-layout format go in the caller's list of wanted fields.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nines/log/value.hpp"

namespace nines::log {

struct FieldName {
  std::string_view name;
  int id;  // several names may have one id; the first of them is the one that is listed
};

class FieldMap {
 public:
  static constexpr int kMaxIds = 24;

  FieldMap(std::span<const std::string> wanted, std::span<const FieldName> names)
      : count_(wanted.size()) {
    first_.fill(-1);
    for (size_t i = 0; i < wanted.size(); ++i) {
      for (const FieldName& field : names) {
        if (field.name == wanted[i]) place(field.id, i);
      }
    }
  }

  bool wants(int id) const noexcept { return first_[static_cast<size_t>(id)] >= 0; }
  void set(std::span<Value> fields, int id, Value value) const noexcept {
    const int slot = first_[static_cast<size_t>(id)];
    if (slot >= 0) fields[static_cast<size_t>(slot)] = value;
  }
  void clear(std::span<Value> fields) const noexcept {
    for (size_t i = 0; i < count_; ++i) fields[i] = Value{};
  }
  // Gives fields that were asked for twice their second value.
  void finish(std::span<Value> fields) const noexcept {
    for (const auto& [from, to] : copies_) fields[to] = fields[from];
  }
  size_t count() const noexcept { return count_; }

 private:
  void place(int id, size_t slot) {
    int& first = first_[static_cast<size_t>(id)];
    if (first >= 0) {
      copies_.emplace_back(static_cast<size_t>(first), slot);
    } else {
      first = static_cast<int>(slot);
    }
  }

  std::array<int, kMaxIds> first_;
  std::vector<std::pair<size_t, size_t>> copies_;
  size_t count_;
};

}  // namespace nines::log
