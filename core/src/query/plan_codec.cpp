#include "nines/query/plan_codec.hpp"

#include <type_traits>
#include <utility>

#include "nines/query/bytes.hpp"
#include "plan_check.hpp"

namespace nines::query {
namespace {

constexpr uint8_t kVersion = 1;
constexpr size_t kMostItems = 4096;  // of any list

expr::Expression nothing() {
  static const expr::Expression null = *expr::Expression::parse("NULL");
  return null;
}

template <class T>
T blank() {
  if constexpr (std::is_same_v<T, Column>) {
    return Column{{}, nothing()};
  } else {
    return T{};
  }
}

// One walk describes both directions: the writer takes what it meets, the reader fills it in.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}
  template <class T>
  void whole(const T& v) {
    if constexpr (std::is_enum_v<T>) {
      put_varint(out_, static_cast<uint64_t>(v));
    } else if constexpr (std::is_signed_v<T>) {
      put_signed(out_, v);
    } else {
      put_varint(out_, v);
    }
  }
  template <class E>
  void choice(const E& v, E) {
    put_byte(out_, static_cast<uint8_t>(v));
  }
  void flag(const bool& v) { put_byte(out_, v ? 1 : 0); }
  void text(const std::string& v) { put_text(out_, v); }
  void expression(const expr::Expression& v) { put_text(out_, v.to_string()); }
  template <class T, class F>
  void maybe(const std::optional<T>& v, const F& walk) {
    flag(v.has_value());
    if (v) walk(*v);
  }
  template <class T, class F>
  void list(const std::vector<T>& v, const F& walk) {
    put_varint(out_, v.size());
    for (const T& item : v) walk(item);
  }
  void flags(const std::vector<bool>& v) {
    put_varint(out_, v.size());
    for (const bool b : v) flag(b);
  }

 private:
  std::string& out_;
};

class Reader {
 public:
  explicit Reader(std::string_view in) : in_(in) {}
  bool good() const { return good_; }
  bool done() const { return good_ && in_.empty(); }
  void refuse() { good_ = false; }

  template <class T>
  void whole(T& v) {
    if constexpr (std::is_signed_v<T>) {
      int64_t n = 0;
      good_ = good_ && get_signed(in_, n) && std::in_range<T>(n);
      if (good_) v = static_cast<T>(n);
    } else {
      uint64_t n = 0;
      good_ = good_ && get_varint(in_, n) && std::in_range<T>(n);
      if (good_) v = static_cast<T>(n);
    }
  }
  template <class E>
  void choice(E& v, E last) {
    uint8_t n = 0;
    good_ = good_ && get_byte(in_, n) && n <= static_cast<uint8_t>(last);
    if (good_) v = static_cast<E>(n);
  }
  void flag(bool& v) {
    uint8_t n = 0;
    good_ = good_ && get_byte(in_, n) && n <= 1;
    v = n == 1;
  }
  void text(std::string& v) {
    std::string_view t;
    good_ = good_ && get_text(in_, t);
    if (good_) v = t;
  }
  void expression(expr::Expression& v) {
    std::string_view t;
    good_ = good_ && get_text(in_, t);
    if (!good_) return;
    auto parsed = expr::Expression::parse(t);
    good_ = parsed.ok();
    if (good_) v = std::move(*parsed);
  }
  template <class T, class F>
  void maybe(std::optional<T>& v, const F& walk) {
    bool there = false;
    flag(there);
    if (!good_ || !there) return;
    if constexpr (std::is_same_v<T, expr::Expression>) {
      v = nothing();
    } else {
      v.emplace();
    }
    walk(*v);
  }
  template <class T, class F>
  void list(std::vector<T>& v, const F& walk) {
    size_t n = 0;
    count(n);
    for (; good_ && n > 0; --n) {
      T item = blank<T>();
      walk(item);
      v.push_back(std::move(item));
    }
  }
  void flags(std::vector<bool>& v) {
    size_t n = 0;
    count(n);
    for (; good_ && n > 0; --n) {
      bool b = false;
      flag(b);
      v.push_back(b);
    }
  }

 private:
  // Each item takes a byte at least.
  void count(size_t& n) {
    whole(n);
    good_ = good_ && n <= kMostItems && n <= in_.size();
  }

  std::string_view in_;
  bool good_ = true;
};

template <class A, class T>
void walk_texts(A& a, T& texts) {
  a.list(texts, [&](auto& text) { a.text(text); });
}
template <class A, class T>
void walk_expression(A& a, T& maybe) {
  a.maybe(maybe, [&](auto& e) { a.expression(e); });
}
template <class A, class T>
void walk_number(A& a, T& maybe) {
  a.maybe(maybe, [&](auto& n) { a.whole(n); });
}
template <class A, class T>
void walk_time(A& a, T& maybe) {
  a.maybe(maybe, [&](auto& t) { a.whole(t.ns); });
}
template <class A, class T>
void walk_columns(A& a, T& columns) {
  a.list(columns, [&](auto& column) {
    a.text(column.name);
    a.expression(column.value);
  });
}

template <class A, class T>
void walk_source(A& a, T& s) {
  a.choice(s.kind, SourceRef::Kind::remote);
  walk_texts(a, s.names);
  a.text(s.format);
  a.text(s.pattern);
  walk_texts(a, s.exclude);
  a.text(s.service);
}

template <class A, class T>
void walk_scan(A& a, T& s) {
  walk_texts(a, s.fields);
  a.list(s.extracts, [&](auto& e) {
    a.choice(e.kind, Extract::Kind::regexp);
    a.text(e.field);
    a.text(e.text);
    walk_texts(a, e.names);
  });
  walk_expression(a, s.where);
  walk_time(a, s.since);
  walk_time(a, s.until);
  a.maybe(s.context, [&](auto& c) {
    a.whole(c.before);
    a.whole(c.after);
    a.text(c.by);
    walk_number(a, c.within_ns);
  });
  walk_number(a, s.shown_fields);
  a.flag(s.needs_time);
  walk_number(a, s.first_rows);
}

template <class A, class T>
void walk_group(A& a, T& s) {
  walk_columns(a, s.keys);
  a.list(s.aggregates, [&](auto& g) {
    a.choice(g.kind, AggregateKind::last);
    a.text(g.name);
    walk_expression(a, g.value);
    walk_expression(a, g.filter);
    a.flag(g.distinct);
    a.whole(g.k);
    a.whole(g.permille);
    a.whole(g.per_ns);
  });
}

template <class A, class T>
void walk_project(A& a, T& s) {
  walk_expression(a, s.filter);
  walk_columns(a, s.columns);
}

template <class A, class T>
void walk_sort(A& a, T& s) {
  a.list(s.keys, [&](auto& key) {
    a.whole(key.column);
    a.flag(key.descending);
    a.maybe(key.nulls_first, [&](auto& first) { a.flag(first); });
  });
  a.flag(s.distinct);
  walk_number(a, s.limit);
  a.whole(s.offset);
  a.whole(s.keep);
}

template <class A, class T>
void walk_head(A& a, T& p) {
  a.choice(p.gives, NodePlan::Gives::rows_by_time);
  a.flags(p.travels);
  a.whole(p.first_file);
  a.flag(p.waits_for_number);
  a.whole(p.max_bytes);
  a.whole(p.left_ns);
  a.whole(p.patience_ns);
  a.whole(p.progress_ns);
  walk_source(a, p.block.source);
  walk_scan(a, p.block.scan);
  walk_texts(a, p.block.columns);
}

enum class StageKind : uint8_t { group, project, sort };

void write_stages(Writer& a, const std::vector<Stage>& stages) {
  a.whole(stages.size());
  for (const Stage& stage : stages) {
    if (const auto* group = std::get_if<GroupStage>(&stage)) {
      a.choice(StageKind::group, StageKind::sort);
      walk_group(a, *group);
    } else if (const auto* project = std::get_if<ProjectStage>(&stage)) {
      a.choice(StageKind::project, StageKind::sort);
      walk_project(a, *project);
    } else {
      const auto* sort = std::get_if<SortStage>(&stage);
      NINES_ASSERT(sort != nullptr);  // others run where answers are merged
      a.choice(StageKind::sort, StageKind::sort);
      walk_sort(a, *sort);
    }
  }
}

template <class S, class F>
void read_stage(std::vector<Stage>& stages, const F& walk) {
  S stage;
  walk(stage);
  stages.emplace_back(std::move(stage));
}

void read_stages(Reader& a, std::vector<Stage>& stages) {
  size_t n = 0;
  a.whole(n);
  if (n > kMostItems) a.refuse();
  for (; a.good() && n > 0; --n) {
    StageKind kind{};
    a.choice(kind, StageKind::sort);
    switch (kind) {
      case StageKind::group:
        read_stage<GroupStage>(stages, [&](GroupStage& s) { walk_group(a, s); });
        break;
      case StageKind::project:
        read_stage<ProjectStage>(stages, [&](ProjectStage& s) { walk_project(a, s); });
        break;
      case StageKind::sort:
        read_stage<SortStage>(stages, [&](SortStage& s) { walk_sort(a, s); });
        break;
    }
  }
}

}  // namespace

Result<std::string> encode_plan(const NodePlan& plan) {
  std::string out;
  put_byte(out, kVersion);
  Writer writer(out);
  walk_head(writer, plan);
  write_stages(writer, plan.block.stages);
  if (out.size() <= kMaxPlanBytes) return out;
  return Error{Errc::exhausted, "the plan of this statement has " + std::to_string(out.size()) +
                                    " bytes; nodes take at most " + std::to_string(kMaxPlanBytes)};
}

Result<NodePlan> decode_plan(std::string_view bytes) {
  if (bytes.size() > kMaxPlanBytes) return Error{Errc::corrupt, "a plan that is too large"};
  uint8_t version = 0;
  if (!get_byte(bytes, version)) return Error{Errc::corrupt, "an empty plan"};
  if (version != kVersion) {
    return Error{Errc::unsupported, "a plan of version " + std::to_string(version) +
                                        "; this node knows " + std::to_string(kVersion)};
  }
  Reader reader(bytes);
  NodePlan plan;
  walk_head(reader, plan);
  read_stages(reader, plan.block.stages);
  if (!reader.done()) return Error{Errc::corrupt, "a plan that cannot be read"};
  NINES_CHECK(check_plan(plan));
  return plan;
}

}  // namespace nines::query
