// The pattern form of EXTRACT, compiled: segments between captures of any length. Within a segment
// every element has one way to match at a given place, so the leftmost place of each segment in
// turn is the match (as in a glob) and nothing is tried twice.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/result.hpp"
#include "nines/log/value.hpp"

namespace nines::query {

class ExtractPattern {
 public:
  static Result<ExtractPattern> compile(std::string_view text, size_t& error_at);
  const std::vector<std::string>& names() const noexcept { return names_; }
  bool run(std::string_view text, std::span<Value> out) const noexcept;

 private:
  enum class Kind : uint8_t { literal, any, word, num, integer };
  struct Element {
    Kind kind = Kind::literal;
    std::string text;  // literal
    int slot = -1;     // capture: index in names(); -1: nobody wants it
  };
  static constexpr size_t kMaxWord = 1024;
  static constexpr size_t kMaxNumber = 64;
  static constexpr size_t npos = std::string_view::npos;

  Status parse(std::string_view text, size_t& at);
  Status add_capture(std::string_view inside);
  void add_literal(char c);
  // The next place from `from` on where elements [first, last) match; `end` is behind it.
  size_t find(std::string_view text, size_t from, size_t first, size_t last, size_t& end,
              std::span<Value> out) const noexcept;
  size_t next_start(std::string_view text, size_t from, size_t first) const noexcept;
  bool match_at(std::string_view text, size_t at, size_t first, size_t last, size_t& end,
                std::span<Value> out) const noexcept;
  size_t word_end(std::string_view text, size_t at, size_t element) const noexcept;
  void put(size_t element, std::string_view found, std::span<Value> out) const noexcept;

  std::vector<Element> elements_;
  std::vector<std::string> names_;
};

}  // namespace nines::query
