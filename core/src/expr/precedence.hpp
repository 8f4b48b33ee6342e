// Loosest first; the parser and the printer must agree on it.
#pragma once

namespace nines::expr {

inline constexpr int kPrecOr = 1;
inline constexpr int kPrecAnd = 2;
inline constexpr int kPrecNot = 3;
inline constexpr int kPrecEqual = 4;  // = <> IS IN LIKE GLOB REGEXP BETWEEN
inline constexpr int kPrecRelation = 5;
inline constexpr int kPrecAdd = 6;
inline constexpr int kPrecMultiply = 7;
inline constexpr int kPrecConcat = 8;
inline constexpr int kPrecUnary = 9;
inline constexpr int kPrecPrimary = 10;

}  // namespace nines::expr
