// Values of records and values of SQLite, both ways (nines/sql/residual.hpp says how).
//
// What SQLite has no kind for travels as text of one exact shape, and is recognised by it on the
// way back: times by their 30 characters, levels by their six names. A text that happens to have
// such a shape is taken for one; it reads, prints and groups the same, and sorts among its likes.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "nines/log/value.hpp"

namespace nines::sql {

inline constexpr size_t kTimeSize = 30;
// 2026-11-21T01:35:51.262484239Z
void write_time(int64_t ns, char* out) noexcept;
// Of exactly that shape, a day that exists, and within the range of nanoseconds.
std::optional<int64_t> read_time(std::string_view text) noexcept;

// A number with its kind in SQLite: integers as such, others as the nearest double.
struct Number {
  bool is_integer = false;
  int64_t integer = 0;
  double real = 0;
};
// REQUIRES boolean, number or real (finite).
Number number_of(const Value& v) noexcept;
// The shortest decimal that reads back as `d`; NULL for what is no number.
Value value_of(double d) noexcept;
// Text with its kind found out: time, level or text. The text is not copied.
Value value_of(std::string_view text) noexcept;
// Texts live as long as `v`.
Value value_of(sqlite3_value* v) noexcept;

// `lasting`: the texts live as long as the statement, SQLite need not copy them.
void give_result(sqlite3_context* context, const Value& v, bool lasting);

// The order of compare_values() for texts: times, then levels by rank, then texts by bytes. Equal
// only when the bytes are.
inline constexpr const char* kCollation = "nines";
int compare_texts(std::string_view a, std::string_view b) noexcept;

// Bytes of a value so that whatever SQLite's `=` calls equal has equal bytes, whichever affinity
// the other side has ('7' = CAST(x AS INTEGER)); unequal values may share them. False: NULL, which
// equals nothing.
bool append_join_key(std::string& out, const Value& v);

}  // namespace nines::sql
