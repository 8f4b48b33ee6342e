#include "memory.hpp"

#include <sqlite3.h>

namespace nines::sql {
namespace {

thread_local Budget* t_budget = nullptr;

sqlite3_mem_methods g_real;  // written once, before SQLite starts

size_t size_of(void* p) { return static_cast<size_t>(g_real.xSize(p)); }

void* metered_malloc(int bytes) {
  Budget* const budget = t_budget;
  if (budget == nullptr) return g_real.xMalloc(bytes);
  if (!budget->take(static_cast<size_t>(bytes))) return nullptr;
  void* const p = g_real.xMalloc(bytes);
  budget->give(static_cast<size_t>(bytes));
  if (p == nullptr) return nullptr;
  if (budget->take(size_of(p))) return p;
  g_real.xFree(p);
  return nullptr;
}

void metered_free(void* p) {
  if (t_budget != nullptr && p != nullptr) t_budget->give(size_of(p));
  g_real.xFree(p);
}

void* metered_realloc(void* p, int bytes) {
  Budget* const budget = t_budget;
  if (budget == nullptr) return g_real.xRealloc(p, bytes);
  const size_t before = size_of(p);
  const auto wanted = static_cast<size_t>(bytes);
  const size_t more = wanted > before ? wanted - before : 0;
  if (!budget->take(more)) return nullptr;
  void* const moved = g_real.xRealloc(p, bytes);
  budget->give(more);
  if (moved == nullptr) return nullptr;
  budget->give(before);
  // Rounding up may go beyond the budget by a few bytes: the block is the caller's already.
  if (!budget->take(size_of(moved))) static_cast<void>(budget->take(wanted));
  return moved;
}

bool install() noexcept {
  if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &g_real) != SQLITE_OK) return false;
  sqlite3_mem_methods metered = g_real;
  metered.xMalloc = metered_malloc;
  metered.xFree = metered_free;
  metered.xRealloc = metered_realloc;
  return sqlite3_config(SQLITE_CONFIG_MALLOC, &metered) == SQLITE_OK;
}

}  // namespace

HeapScope::HeapScope(Budget& budget) noexcept : before_(t_budget) { t_budget = &budget; }
HeapScope::~HeapScope() { t_budget = before_; }

bool meter_sqlite_heap() noexcept {
  static const bool metered = install();
  return metered;
}

}  // namespace nines::sql
