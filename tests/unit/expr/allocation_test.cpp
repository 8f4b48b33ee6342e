// Counts allocations while expressions are evaluated.
#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <new>

#include "support.hpp"

namespace {
std::atomic<uint64_t> allocations{0};
}  // namespace

void* operator new(size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  void* const p = std::malloc(size);
  if (p == nullptr) throw std::bad_alloc();
  return p;
}
void* operator new(size_t size, const std::nothrow_t&) noexcept {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return std::malloc(size);
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, size_t) noexcept { std::free(p); }

using namespace expr_test;

namespace {
uint64_t allocations_of(const std::string& source, const Value& a, const Value& b) {
  const auto e = Expression::parse(source);
  REQUIRE(e.ok());
  std::vector<size_t> slots;
  for (const std::string& name : e->fields()) slots.push_back(name == "a" ? 0 : 1);
  Evaluator evaluator(*e, slots);
  const Value values[] = {a, b};
  evaluator.eval(values);  // RE2 builds its automaton as it meets new texts
  const uint64_t before = allocations.load();
  for (int i = 0; i < 10; ++i) evaluator.eval(values);
  return allocations.load() - before;
}
}  // namespace

TEST_CASE("Evaluation does not allocate", "[expr]") {
  const uint64_t start = allocations.load();
  REQUIRE(Expression::parse("a = 1").ok());
  REQUIRE(allocations.load() > start);  // the counter counts
  const std::string long_text(300, 'x');
  const Value a = text(long_text);
  const Value b = number(123456, -3);
  for (const char* source : {"b >= 200 AND b < 300",
                             "a NOT LIKE '/healthz%'",
                             "a LIKE '%x_x%y'",
                             "a GLOB '*[xy]*'",
                             "a REGEXP 'timeout|refused'",
                             "a REGEXP 'x+y?$'",
                             "b IN (1, 2, '3')",
                             "a IN ('a', 'b', 'c')",
                             "b IN (1, a)",
                             "lower(a) || upper(a) || b",
                             "CASE b WHEN 1 THEN a ELSE a || 'x' END",
                             "b / 7 + 1.5 * b % 3",
                             "CAST(b AS text) = a",
                             "replace(a, 'x', 'yz')",
                             "split_part(a, 'x', -2)",
                             "substr(a, 3, 5)",
                             "round(b / 7, 2)",
                             "duration_ms('1s') + b",
                             "coalesce(b, a)",
                             "b * 1e200 > CAST('1' AS real)",
                             "trim(a, 'x') = ''",
                             "length(a) > 3",
                             "a > '2026-01-01'",
                             "level(a) IS NULL"}) {
    CAPTURE(source);
    CHECK(allocations_of(source, a, b) == 0);
    CHECK(allocations_of(source, b, a) == 0);
    CHECK(allocations_of(source, Value::null(), Value::of_time(1)) == 0);
  }
}
