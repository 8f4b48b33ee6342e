#include "scalars.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <span>

#include "nines/base/decimal.hpp"
#include "nines/expr/expression.hpp"
#include "nines/expr/signatures.hpp"
#include "values.hpp"

namespace nines::sql {
namespace {

constexpr size_t kMaxArguments = 100;
constexpr size_t kMaxCompiled = 64;  // of one function: patterns that change from row to row

void append_quoted(std::string& out, std::string_view text) {
  out += '\'';
  for (const char c : text) {
    if (c == '\'') out += c;
    out += c;
  }
  out += '\'';
}

void append_literal(std::string& out, const Value& v) {
  switch (v.kind) {
    case ValueKind::null: out += "NULL"; break;
    case ValueKind::number: out += Decimal{v.mantissa, v.exponent}.to_string(); break;
    case ValueKind::time: {
      char buffer[kTimeSize];
      write_time(v.time_ns, buffer);
      append_quoted(out, {buffer, kTimeSize});
      break;
    }
    default: append_quoted(out, v.text); break;
  }
}

std::string field_of(size_t i) { return "a" + std::to_string(i); }

struct Compiled {
  static Result<Compiled> make(const std::string& text, size_t arguments);
  expr::Evaluator evaluator;
};

Result<Compiled> Compiled::make(const std::string& text, size_t arguments) {
  NINES_TRY(const auto expression, expr::Expression::parse(text));
  std::vector<size_t> slots;
  for (const std::string& field : expression.fields()) {
    size_t slot = 0;
    while (slot < arguments && field != field_of(slot)) ++slot;
    if (slot == arguments) {
      return Error{Errc::invalid_argument, "unknown field '" + field + "' in " + text +
                                               ": its fields are the arguments a0, a1, ..."};
    }
    slots.push_back(slot);
  }
  return Compiled{expr::Evaluator(expression, slots)};
}

// One function of SQLite: builds the text of an expression from its arguments (those that must be
// literals are part of it) and evaluates it over the others.
class Adapter {
 public:
  enum class Form : uint8_t { call, regexp, eval };
  Adapter(Form form, std::string name, uint32_t literals)
      : form_(form), name_(std::move(name)), literals_(literals) {}

  void run(sqlite3_context* context, std::span<sqlite3_value*> arguments);

 private:
  Result<Compiled*> compiled(std::span<const Value> values);
  void write_text(std::span<const Value> values);

  Form form_;
  std::string name_;
  uint32_t literals_;
  std::map<std::string, Compiled, std::less<>> known_;
  std::vector<Value> values_;
  std::string text_, last_text_;
  Compiled* last_ = nullptr;
  size_t last_count_ = 0;
};

void Adapter::write_text(std::span<const Value> values) {
  text_.clear();
  if (form_ == Form::eval) {
    text_ = values[0].text;
    return;
  }
  if (form_ == Form::regexp) {  // regexp(pattern, x)
    text_ = "a1 REGEXP ";
    append_literal(text_, Value::of_text(values[0].text));
    return;
  }
  text_ = name_ + "(";
  for (size_t i = 0; i < values.size(); ++i) {
    if (i > 0) text_ += ',';
    if (i < 32 && (literals_ >> i & 1) != 0) {
      append_literal(text_, values[i]);
    } else {
      text_ += field_of(i);
    }
  }
  text_ += ')';
}

Result<Compiled*> Adapter::compiled(std::span<const Value> values) {
  const bool same = form_ == Form::call && literals_ == 0 && last_ != nullptr;
  if (same && last_count_ == values.size()) return last_;
  write_text(values);
  last_count_ = values.size();
  if (last_ != nullptr && text_ == last_text_) return last_;
  auto found = known_.find(text_);
  if (found == known_.end()) {
    const size_t fields = form_ == Form::eval ? values.size() - 1 : values.size();
    NINES_TRY(Compiled made, Compiled::make(text_, fields));
    if (known_.size() == kMaxCompiled) known_.clear();
    found = known_.emplace(text_, std::move(made)).first;
  }
  last_text_ = text_;
  last_ = &found->second;
  return last_;
}

void Adapter::run(sqlite3_context* context, std::span<sqlite3_value*> arguments) {
  values_.clear();
  for (sqlite3_value* const v : arguments) values_.push_back(value_of(v));
  const std::span<const Value> all = values_;
  if (form_ != Form::call) {  // the first one is a text to compile, whatever it looks like
    if (all.empty() || all[0].is_null()) return sqlite3_result_null(context);
    const auto* const text = reinterpret_cast<const char*>(sqlite3_value_text(arguments[0]));
    const auto size = static_cast<size_t>(sqlite3_value_bytes(arguments[0]));
    values_[0] = Value::of_text({text, size});
  }
  auto found = compiled(all);
  if (!found.ok()) {
    last_ = nullptr;
    const std::string& message = found.error().message;
    return sqlite3_result_error(context, message.data(), static_cast<int>(message.size()));
  }
  const auto fields = form_ == Form::eval ? all.subspan(1) : all;
  give_result(context, (*found)->evaluator.eval(fields), false);
}

void call(sqlite3_context* context, int argc, sqlite3_value** argv) {
  auto& adapter = *static_cast<Adapter*>(sqlite3_user_data(context));
  adapter.run(context, {argv, static_cast<size_t>(argc)});
}

Status add(sqlite3* db, const std::string& name, int arguments, std::unique_ptr<Adapter> adapter) {
  const int rc = sqlite3_create_function_v2(
      db, name.c_str(), arguments, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS,
      adapter.release(), call, nullptr, nullptr, [](void* p) { delete static_cast<Adapter*>(p); });
  if (rc == SQLITE_OK) return Ok{};
  return Error{Errc::io, "function " + name + ": " + sqlite3_errstr(rc)};
}

// Where SQLite has a function of that name that means the same.
bool is_left_to_sqlite(std::string_view name) {
  constexpr std::string_view kSame[] = {"abs",     "coalesce", "ifnull", "iif",  "instr",
                                        "length",  "lower",    "max",    "min",  "nullif",
                                        "replace", "substr",   "typeof", "upper"};
  return std::find(std::begin(kSame), std::end(kSame), name) != std::end(kSame);
}

Status add_signature(sqlite3* db, const expr::Signature& s, const std::string& name) {
  const int most = std::min(s.max_args, static_cast<int>(kMaxArguments));
  const bool any_count = s.max_args > 3;
  for (int n = any_count ? -1 : s.min_args; n <= (any_count ? -1 : most); ++n) {
    NINES_CHECK(
        add(db, name, n,
            std::make_unique<Adapter>(Adapter::Form::call, std::string(s.name), s.literal_args)));
  }
  return Ok{};
}

}  // namespace

Status add_scalars(sqlite3* db) {
  for (const expr::Signature& s : expr::function_signatures()) {
    const std::string name(s.name);
    NINES_CHECK(add_signature(db, s, "nines_" + name));
    if (!is_left_to_sqlite(s.name)) NINES_CHECK(add_signature(db, s, name));
  }
  NINES_CHECK(add(db, "regexp", 2, std::make_unique<Adapter>(Adapter::Form::regexp, "regexp", 1)));
  return add(db, "nines_eval", -1, std::make_unique<Adapter>(Adapter::Form::eval, "nines_eval", 1));
}

std::vector<std::string> scalar_names() {
  std::vector<std::string> names;
  for (const expr::Signature& s : expr::function_signatures()) names.emplace_back(s.name);
  return names;
}

}  // namespace nines::sql
