#include "random_queries.hpp"

#include <algorithm>

namespace nines::test {
namespace {

using Texts = std::vector<std::string>;

const Texts kNumbers = {"n", "x", "status", "bytes"};
const Texts kTexts = {"service", "message", "tag", "method", "path", "raw", "\"user.id\""};
const Texts kAny = {"n",  "x",     "status", "service", "message", "tag",    "method",
                    "ok", "level", "ts",     "_error",  "missing", "user.id"};

class Draw {
 public:
  explicit Draw(Chance& chance) : chance_(chance) {}

  std::string number(int depth = 2) {
    switch (depth == 0 ? chance_.below(4) : chance_.below(11)) {
      case 0: return chance_.of<std::string>({"0", "1", "2", "10", "0.5", "-3", "1.25"});
      case 1:
      case 2:
      case 3: return chance_.of(kNumbers);
      case 4: return "(" + number(depth - 1) + sign() + number(depth - 1) + ")";
      case 5: return "abs(" + number(depth - 1) + ")";
      case 6: return "round(" + number(depth - 1) + ", 1)";
      case 7: return "length(" + text(depth - 1) + ")";
      case 8: return "coalesce(" + number(depth - 1) + ", 0)";
      case 9:
        return "CASE WHEN " + condition(depth - 1) + " THEN " + number(depth - 1) + " ELSE " +
               number(depth - 1) + " END";
      default: return "number(tag)";
    }
  }

  std::string text(int depth = 2) {
    switch (depth == 0 ? chance_.below(3) : chance_.below(10)) {
      case 0: return chance_.of<std::string>({"'a'", "'Error'", "'it''s'", "''", "'timeout'"});
      case 1:
      case 2: return chance_.of(kTexts);
      case 3: return "lower(" + text(depth - 1) + ")";
      case 4: return "substr(" + text(depth - 1) + ", 1, 4)";
      case 5: return "split_part(" + text(depth - 1) + ", ' ', 2)";
      case 6: return "regexp_extract(message, '(\\d+) ?ms')";
      case 7: return "template(message)";
      case 8: return "(" + text(depth - 1) + " || '-' || " + text(depth - 1) + ")";
      default: return "trim(" + text(depth - 1) + ")";
    }
  }

  std::string any() {
    switch (chance_.below(6)) {
      case 0: return number();
      case 1: return text();
      case 2: return "bucket(ts, '1m')";
      case 3: return "(" + condition(1) + ")";
      default: return chance_.of(kAny);
    }
  }

  std::string condition(int depth = 2) {
    const size_t what = depth == 0 ? chance_.below(10) : chance_.below(14);
    switch (what) {
      case 0: return number(1) + comparison() + number(0);
      case 1: return text(1) + " = " + text(0);
      case 2:
        return "level " + chance_.of<std::string>({">=", "<", "=", "<>"}) + " " +
               chance_.of<std::string>({"WARN", "'error'", "INFO"});
      case 3:
        return text(0) + " LIKE " +
               chance_.of<std::string>({"'%time%'", "'a%'", "'%r_f%'", "'Error'", "'%'"});
      case 4:
        return chance_.of<std::string>({"message", "raw", "tag"}) + " ~ " +
               chance_.of<std::string>({"'timeout|refused'", "'\\d+'", "'^u'", "'e$'"});
      case 5: return chance_.of(kAny) + chance_.of<std::string>({" IS NULL", " IS NOT NULL"});
      case 6: return "status IN (200, 404, 'x')";
      case 7: return number(0) + " BETWEEN 0 AND " + number(0);
      case 8: return "contains(message, 'e')";
      case 9:
        return chance_.of<std::string>({"ok", "ok = true", "ok IS NOT TRUE", "_error IS NULL"});
      case 10:
      case 11: return "(" + condition(depth - 1) + " AND " + condition(depth - 1) + ")";
      case 12: return "(" + condition(depth - 1) + " OR " + condition(depth - 1) + ")";
      default: return "NOT (" + condition(depth - 1) + ")";
    }
  }

  std::string aggregate() {
    std::string call;
    switch (chance_.below(16)) {
      case 0: call = "count(*)"; break;
      case 1: call = "count(" + chance_.of(kAny) + ")"; break;
      case 2: call = "sum(" + number(1) + ")"; break;
      case 3: call = "avg(" + number(1) + ")"; break;
      case 4: call = "min(" + any() + ")"; break;
      case 5: call = "max(" + any() + ")"; break;
      case 6: call = "stddev(" + number(1) + ")"; break;
      case 7: call = "count_distinct(" + any() + ")"; break;
      case 8: call = "topk(" + text(1) + ", 2)"; break;
      case 9: call = "percentile(" + number(1) + ", 0.9)"; break;
      case 10: call = "hist(" + number(1) + ")"; break;
      case 11: call = chance_.of<std::string>({"rate()", "rate('1m')"}); break;
      case 12: call = "first(" + chance_.of(kAny) + ")"; break;
      case 13: call = "last(" + chance_.of(kAny) + ")"; break;
      case 14: call = "count(DISTINCT " + any() + ")"; break;
      default: call = "sum(DISTINCT " + number(0) + ")"; break;
    }
    return chance_.one_in(5) ? call + " FILTER (WHERE " + condition(1) + ")" : call;
  }

  // Of groups: a key, an aggregate, something worked out of them.
  std::string of_group(const Texts& keys) {
    switch (chance_.below(keys.empty() ? 5 : 7)) {
      case 0: return "count(*) * 2 + sum(n)";
      case 1: return "round(avg(x), 2) / 3";
      case 2: return "CASE WHEN count(*) > 2 THEN 'many' ELSE max(tag) END";
      case 3:
      case 4: return aggregate();
      case 5: return "coalesce(" + chance_.of(keys) + ", 'none')";
      default: return chance_.of(keys);
    }
  }

  std::string having() {
    switch (chance_.below(5)) {
      case 0: return "count(*) > 1";
      case 1: return "sum(n) >= 2";
      case 2: return "max(level) >= WARN";
      case 3: return "min(service) IS NOT NULL AND count(x) < 9";
      default: return "avg(x) / 2 > 0.1 OR count(*) = 1";
    }
  }

  std::string clauses() {
    std::string out;
    if (chance_.one_in(6)) out += " SINCE '2026-03-01T00:01:00Z'";
    if (chance_.one_in(6)) out += " UNTIL '2026-03-01T00:04:00.5Z'";
    if (chance_.one_in(6)) {
      out += chance_.of<std::string>({" EXTRACT message PATTERN 'after <ms:num> ms'",
                                      " EXTRACT message REGEXP '(?P<ms>[0-9.]+) ?ms'"});
    }
    return out;
  }

 private:
  std::string sign() { return chance_.of<std::string>({" + ", " - ", " * ", " / ", " % "}); }
  std::string comparison() {
    return chance_.of<std::string>({" = ", " <> ", " < ", " <= ", " > ", " >= "});
  }
  Chance& chance_;
};

void add_order(Chance& chance, QueryText& q) {
  if (chance.one_in(3)) return;
  std::vector<size_t> columns(q.items.size());
  for (size_t i = 0; i < columns.size(); ++i) columns[i] = i;
  for (size_t i = columns.size(); i > 1; --i) std::swap(columns[i - 1], columns[chance.below(i)]);
  if (!chance.one_in(2)) columns.resize(1);
  for (const size_t c : columns) {
    q.order.push_back(
        {c, chance.of<std::string>({"", " DESC", " ASC", " NULLS LAST", " DESC NULLS FIRST"})});
  }
}

void add_limit(Chance& chance, QueryText& q) {
  if (!chance.one_in(4)) return;
  // What is cut off must not depend on the order of equals.
  if (q.order.size() < q.items.size() && (q.grouped || q.distinct || !q.order.empty())) return;
  q.limit = chance.below(8);
  if (chance.one_in(3)) q.offset = chance.below(4);
}

template <class T>
void each_without(const std::vector<T>& items, const auto& use) {
  for (size_t i = 0; i < items.size(); ++i) {
    std::vector<T> fewer = items;
    fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
    use(std::move(fewer));
  }
}

}  // namespace

QueryText random_query(Chance& chance) {
  Draw draw(chance);
  QueryText q;
  q.clauses = draw.clauses();
  const bool extracts = q.clauses.find("EXTRACT") != std::string::npos;
  for (size_t n = chance.below(3); n > 0; --n) q.where.push_back(draw.condition());
  q.grouped = chance.one_in(2);
  if (q.grouped) {
    for (size_t n = chance.below(3); n > 0; --n) q.group_by.push_back(draw.any());
  }
  for (size_t n = 1 + chance.below(4); n > 0; --n) {
    std::string expression = q.grouped ? draw.of_group(q.group_by) : draw.any();
    if (extracts && chance.one_in(3)) expression = q.grouped ? "sum(ms)" : "ms";
    q.items.push_back({std::move(expression), "c" + std::to_string(q.items.size())});
  }
  if (q.grouped && q.group_by.empty()) q.items[0].expression = "count(*)";
  if (q.grouped && !q.group_by.empty() && chance.one_in(3)) q.having = draw.having();
  q.distinct = chance.one_in(8);
  add_order(chance, q);
  add_limit(chance, q);
  return q;
}

std::string QueryText::sql(const std::string& source) const {
  std::string out = distinct ? "SELECT DISTINCT " : "SELECT ";
  const auto list = [&out](const auto& parts, const char* between, const auto& text) {
    for (size_t i = 0; i < parts.size(); ++i)
      out.append(i > 0 ? between : "").append(text(parts[i]));
  };
  list(items, ", ", [](const Item& item) { return item.expression + " AS " + item.alias; });
  out += " FROM " + source + clauses;
  if (!where.empty()) out += " WHERE ";
  list(where, " AND ", [](const std::string& w) { return w; });
  if (!group_by.empty()) out += " GROUP BY ";
  list(group_by, ", ", [](const std::string& g) { return g; });
  if (!having.empty()) out += " HAVING " + having;
  if (!order.empty()) out += " ORDER BY ";
  list(order, ", ", [&](const Key& k) { return items[k.item].alias + k.direction; });
  if (limit) out += " LIMIT " + std::to_string(*limit);
  if (offset > 0) out += " OFFSET " + std::to_string(offset);
  return out;
}

std::vector<QueryText> QueryText::smaller() const {
  std::vector<QueryText> all;
  const auto with = [&](const auto& change) {
    QueryText q = *this;
    change(q);
    all.push_back(std::move(q));
  };
  if (limit) with([](QueryText& q) { q.limit.reset(), q.offset = 0; });
  if (offset > 0) with([](QueryText& q) { q.offset = 0; });
  if (distinct) with([](QueryText& q) { q.distinct = false; });
  if (!having.empty()) with([](QueryText& q) { q.having.clear(); });
  if (!clauses.empty()) with([](QueryText& q) { q.clauses.clear(); });
  if (!limit) {
    each_without(order,
                 [&](auto fewer) { with([&](QueryText& q) { q.order = std::move(fewer); }); });
  }
  each_without(where, [&](auto fewer) { with([&](QueryText& q) { q.where = std::move(fewer); }); });
  for (size_t i = 0; i < items.size() && items.size() > 1; ++i) {
    const auto uses = [&](const Key& k) { return k.item == i; };
    if (std::any_of(order.begin(), order.end(), uses)) continue;
    with([&](QueryText& q) {
      q.items.erase(q.items.begin() + static_cast<std::ptrdiff_t>(i));
      for (Key& k : q.order) k.item -= k.item > i ? 1 : 0;
    });
  }
  return all;
}

}  // namespace nines::test
