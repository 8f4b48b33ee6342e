#include "table_module.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <map>
#include <span>

#include "kept_rows.hpp"
#include "values.hpp"

namespace nines::sql {
namespace {

// How SQLite wants to read a table, agreed in best_index() and carried out in filter().
struct Plan {
  enum : int { kIndexed = 1, kLimit = 2, kOffset = 4 };
  Table::Wish wish;
  KeyColumns key;
};

struct Module {
  NamedTable table;
  Surroundings& around;
};

struct TableVtab : sqlite3_vtab {
  TableVtab(Module& m) : sqlite3_vtab{}, module(m) {}  // NOLINT(google-explicit-constructor)

  // The rows of columns `mask`, whole; nullptr when they don't fit or (see failure) can't be read.
  KeptRows* kept(uint64_t mask);

  Module& module;
  std::map<std::string, int> readings;  // of each plan
  std::vector<std::unique_ptr<KeptRows>> rows;
  std::vector<uint64_t> too_large;
};

struct TableCursor : sqlite3_vtab_cursor {
  explicit TableCursor(TableVtab& t)
      : sqlite3_vtab_cursor{},
        table(t),
        held(t.module.around.budget),
        batch(t.module.table.table->columns().size()) {}

  int start(const Plan& plan, bool again, std::span<sqlite3_value*> key);
  int start_reading(const Table::Wish& wish);
  int advance();
  int fill();
  const query::RowBatch& rows() const { return kept != nullptr ? kept->rows() : batch; }

  TableVtab& table;
  Held held;
  query::RowBatch batch;
  std::unique_ptr<Table::Cursor> source;
  const KeptRows* kept = nullptr;
  const HashIndex* index = nullptr;
  size_t at = 0;
  int64_t row_id = 0;
  bool at_end = true;
};

int fail(sqlite3_vtab* vtab, Surroundings& around, Error error) {
  sqlite3_free(vtab->zErrMsg);
  vtab->zErrMsg = sqlite3_mprintf("%s", error.message.c_str());
  around.failure = std::move(error);
  return SQLITE_ERROR;
}

KeptRows* TableVtab::kept(uint64_t mask) {
  for (const auto& r : rows) {
    if ((mask & ~r->mask()) == 0) return r.get();
  }
  if (std::find(too_large.begin(), too_large.end(), mask) != too_large.end()) return nullptr;
  Surroundings& around = module.around;
  auto source = module.table.table->open({mask, -1});
  if (!source.ok()) {
    around.failure = source.error();
    return nullptr;
  }
  ++around.readings;
  auto made = std::make_unique<KeptRows>(around.budget, mask, module.table.table->columns().size());
  switch (made->load(**source, around.stop, around.failure)) {
    case KeptRows::Outcome::failed: return nullptr;
    case KeptRows::Outcome::too_large: too_large.push_back(mask); return nullptr;
    case KeptRows::Outcome::kept: break;
  }
  around.kept_rows += made->rows().size();
  return rows.emplace_back(std::move(made)).get();
}

int TableCursor::start_reading(const Table::Wish& wish) {
  Surroundings& around = table.module.around;
  auto opened = table.module.table.table->open(wish);
  if (!opened.ok()) return fail(&table, around, opened.error());
  ++around.readings;
  source = std::move(*opened);
  return fill();
}

// The next rows of the source. A batch is small beside the budget, or else the statement fails.
int TableCursor::fill() {
  Surroundings& around = table.module.around;
  if (around.stopped()) return SQLITE_INTERRUPT;
  at = 0;
  if (Status read = source->next(batch); !read.ok()) return fail(&table, around, read.error());
  at_end = batch.size() == 0;
  return held.set(batch.memory_bytes()) ? SQLITE_OK : SQLITE_NOMEM;
}

// A table that is read a second time is kept from then on, if it fits.
int TableCursor::start(const Plan& plan, bool again, std::span<sqlite3_value*> key) {
  row_id = 0;
  at = 0;
  at_end = false;
  kept = nullptr;
  index = nullptr;
  source.reset();
  std::string bytes;
  for (sqlite3_value* const v : key) {
    if (!append_join_key(bytes, value_of(v))) {
      at_end = true;
      return SQLITE_OK;
    }
  }
  KeptRows* const rows = again || !key.empty() ? table.kept(plan.wish.columns) : nullptr;
  if (Surroundings& around = table.module.around; !around.failure.ok()) {
    return fail(&table, around, around.failure.error());
  }
  kept = rows;
  if (rows == nullptr) return start_reading(plan.wish);
  if (!key.empty()) index = rows->index(plan.key);
  if (index == nullptr) {
    at_end = rows->rows().size() == 0;
    return SQLITE_OK;
  }
  const uint32_t first = index->first(bytes);
  at_end = first == HashIndex::kNone;
  at = first;
  return SQLITE_OK;
}

int TableCursor::advance() {
  ++row_id;
  if (index != nullptr) {
    const uint32_t next = index->next(static_cast<uint32_t>(at));
    at_end = next == HashIndex::kNone;
    at = next;
    return SQLITE_OK;
  }
  if (++at < rows().size()) return SQLITE_OK;
  if (kept == nullptr) return fill();
  at_end = true;
  return SQLITE_OK;
}

std::string quoted(const std::string& name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

int connect(sqlite3* db, void* aux, int, const char* const*, sqlite3_vtab** out, char** error) {
  auto& module = *static_cast<Module*>(aux);
  std::string sql = "CREATE TABLE t(";
  for (const std::string& column : module.table.table->columns()) {
    sql.append(sql.back() == '(' ? "" : ",").append(quoted(column));
    sql.append(" COLLATE ").append(kCollation);
  }
  module.around.declaring = true;
  const int rc = sqlite3_declare_vtab(db, (sql + ")").c_str());
  module.around.declaring = false;
  if (rc != SQLITE_OK) {
    *error = sqlite3_mprintf("table %s: %s", module.table.name.c_str(), sqlite3_errmsg(db));
    return rc;
  }
  *out = new TableVtab(module);
  return SQLITE_OK;
}

int disconnect(sqlite3_vtab* vtab) {
  delete static_cast<TableVtab*>(vtab);
  return SQLITE_OK;
}

bool compares_our_way(sqlite3_index_info* info, int i) {
  const char* const collation = sqlite3_vtab_collation(info, i);
  return collation != nullptr &&
         (sqlite3_stricmp(collation, kCollation) == 0 || sqlite3_stricmp(collation, "BINARY") == 0);
}

// Equality with something that changes from row to row of another table; a constant is as quick to
// compare while the rows stream by.
bool is_join(sqlite3_index_info* info, int i) {
  const auto& c = info->aConstraint[i];
  sqlite3_value* constant = nullptr;
  return c.usable != 0 && c.op == SQLITE_INDEX_CONSTRAINT_EQ && c.iColumn >= 0 &&
         sqlite3_vtab_in(info, i, -1) == 0 && compares_our_way(info, i) &&
         sqlite3_vtab_rhs_value(info, i, &constant) != SQLITE_OK;
}

// LIMIT holds for the rows of the table only when nothing else chooses or orders them.
int plan_limit(sqlite3_index_info* info, int arguments) {
  if (info->nOrderBy != 0) return 0;
  int limit = -1, offset = -1;
  for (int i = 0; i < info->nConstraint; ++i) {
    const auto& c = info->aConstraint[i];
    if (c.op == SQLITE_INDEX_CONSTRAINT_LIMIT && c.usable != 0) {
      limit = i;
    } else if (c.op == SQLITE_INDEX_CONSTRAINT_OFFSET && c.usable != 0) {
      offset = i;
    } else {
      return 0;
    }
  }
  if (limit < 0) return 0;
  info->aConstraintUsage[limit].argvIndex = ++arguments;
  if (offset >= 0) info->aConstraintUsage[offset].argvIndex = ++arguments;
  return Plan::kLimit | (offset >= 0 ? Plan::kOffset : 0);
}

// Costs so that the smaller table of a join is the inner one, whose rows are kept: n log n for
// looking up in n rows, four times that for reading them all. Sizes that nobody knows count as
// 100,000.
int best_index(sqlite3_vtab* vtab, sqlite3_index_info* info) {
  Table& table = *static_cast<TableVtab*>(vtab)->module.table.table;
  const int64_t known = table.estimated_rows();
  const double rows = known < 0 ? 100'000 : static_cast<double>(std::max<int64_t>(known, 1));
  std::string plan = std::to_string(info->colUsed);
  int arguments = 0;
  for (int i = 0; i < info->nConstraint; ++i) {
    if (!is_join(info, i)) continue;
    info->aConstraintUsage[i].argvIndex = ++arguments;
    plan.append(" ").append(std::to_string(info->aConstraint[i].iColumn));
  }
  const double look_up = rows * (std::log2(rows) + 1);
  info->estimatedCost = arguments > 0 ? look_up : 4 * look_up;
  info->estimatedRows = static_cast<int64_t>(arguments > 0 ? std::min(rows, 10.0) : rows);
  info->idxNum = arguments > 0 ? Plan::kIndexed : plan_limit(info, arguments);
  info->idxStr = sqlite3_mprintf("%s", plan.c_str());
  info->needToFreeIdxStr = 1;
  return info->idxStr != nullptr ? SQLITE_OK : SQLITE_NOMEM;
}

Plan read_plan(const char* text, int flags, std::span<sqlite3_value*> arguments) {
  Plan plan;
  char* p = nullptr;
  plan.wish.columns = std::strtoull(text, &p, 10);
  while (*p == ' ') plan.key.push_back(std::strtoull(p + 1, &p, 10));
  if ((flags & Plan::kLimit) == 0) return plan;
  const int64_t limit = sqlite3_value_int64(arguments[0]);
  const int64_t offset = (flags & Plan::kOffset) != 0 ? sqlite3_value_int64(arguments[1]) : 0;
  int64_t enough = 0;
  if (limit >= 0 && !__builtin_add_overflow(limit, std::max<int64_t>(offset, 0), &enough)) {
    plan.wish.limit = enough;
  }
  return plan;
}

int open_cursor(sqlite3_vtab* vtab, sqlite3_vtab_cursor** out) {
  *out = new TableCursor(*static_cast<TableVtab*>(vtab));
  return SQLITE_OK;
}

int close_cursor(sqlite3_vtab_cursor* cursor) {
  delete static_cast<TableCursor*>(cursor);
  return SQLITE_OK;
}

int filter(sqlite3_vtab_cursor* base, int flags, const char* text, int argc, sqlite3_value** argv) {
  auto& cursor = *static_cast<TableCursor*>(base);
  const std::span<sqlite3_value*> arguments(argv, static_cast<size_t>(argc));
  const Plan plan = read_plan(text, flags, arguments);
  const bool again = cursor.table.readings[text]++ > 0;
  return cursor.start(plan, again, arguments.first(plan.key.size()));
}

int next(sqlite3_vtab_cursor* cursor) { return static_cast<TableCursor*>(cursor)->advance(); }

int eof(sqlite3_vtab_cursor* cursor) { return static_cast<TableCursor*>(cursor)->at_end ? 1 : 0; }

int column(sqlite3_vtab_cursor* base, sqlite3_context* context, int i) {
  const auto& cursor = *static_cast<TableCursor*>(base);
  give_result(context, cursor.rows()[cursor.at].values[static_cast<size_t>(i)],
              cursor.kept != nullptr);
  return SQLITE_OK;
}

// Rows in the order of the table; only sequential reading counts them (an index looks them up).
int row_id(sqlite3_vtab_cursor* base, sqlite3_int64* out) {
  const auto& cursor = *static_cast<TableCursor*>(base);
  *out = cursor.kept != nullptr ? static_cast<int64_t>(cursor.at) : cursor.row_id;
  return SQLITE_OK;
}

sqlite3_module make_methods() {
  sqlite3_module m{};
  m.xConnect = connect;  // no xCreate: the table is there under the name of its module
  m.xBestIndex = best_index;
  m.xDisconnect = disconnect;
  m.xOpen = open_cursor;
  m.xClose = close_cursor;
  m.xFilter = filter;
  m.xNext = next;
  m.xEof = eof;
  m.xColumn = column;
  m.xRowid = row_id;
  return m;
}

}  // namespace

Status add_table(sqlite3* db, const NamedTable& table, Surroundings& around) {
  static const sqlite3_module kMethods = make_methods();
  const int rc =
      sqlite3_create_module_v2(db, table.name.c_str(), &kMethods, new Module{table, around},
                               [](void* aux) { delete static_cast<Module*>(aux); });
  if (rc == SQLITE_OK) return Ok{};
  return Error{Errc::invalid_argument, "table " + table.name + ": " + sqlite3_errmsg(db)};
}

}  // namespace nines::sql
