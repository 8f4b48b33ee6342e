#include <algorithm>

#include "program.hpp"

namespace nines::expr {
namespace {

bool is_literal(const Node& n) { return n.kind == NodeKind::literal; }
bool is_constant_pattern(const Node& n) { return is_literal(n) && n.value.kind == ValueKind::text; }

class Compiler {
 public:
  explicit Compiler(const std::vector<std::string>& fields) { program_->fields = fields; }

  std::shared_ptr<const Program> run(const Node& root) {
    compile(root);
    emit(Op::done, 0);
    return program_;
  }

 private:
  // `change`: values that the instruction adds to the stack.
  Instruction& emit(Op op, int change) {
    depth_ += change;
    program_->max_stack = std::max(program_->max_stack, static_cast<size_t>(std::max(depth_, 0)));
    program_->code.emplace_back();
    program_->code.back().op = op;
    return program_->code.back();
  }
  uint32_t here() const { return static_cast<uint32_t>(program_->code.size()); }
  void land(const std::vector<uint32_t>& jumps) {
    for (const uint32_t j : jumps) program_->code[j].a = here();
  }

  uint32_t field_index(const std::string& name) const {
    const auto& fields = program_->fields;
    return static_cast<uint32_t>(std::find(fields.begin(), fields.end(), name) - fields.begin());
  }
  Value kept(const Value& v) {
    if (v.kind != ValueKind::text) return v;
    Value copy = v;
    copy.text = program_->texts.emplace_back(v.text);
    return copy;
  }
  uint32_t constant(const Value& v) {
    program_->constants.push_back(Operand::of(kept(v)));
    return static_cast<uint32_t>(program_->constants.size() - 1);
  }

  void compile(const Node& n) {
    switch (n.kind) {
      case NodeKind::literal: emit(Op::constant, 1).a = constant(n.value); break;
      case NodeKind::field: emit(Op::field, 1).a = field_index(n.text); break;
      case NodeKind::logical_and: chain(n, Op::and_first, Op::and_next); break;
      case NodeKind::logical_or: chain(n, Op::or_first, Op::or_next); break;
      case NodeKind::compare: comparison(n); break;
      case NodeKind::like:
      case NodeKind::glob:
      case NodeKind::regexp: pattern_test(n); break;
      case NodeKind::in: in(n); break;
      case NodeKind::between: between(n); break;
      case NodeKind::case_when: case_when(n); break;
      case NodeKind::case_of: case_of(n); break;
      case NodeKind::call: call(n); break;
      default: plain(n); break;
    }
  }

  // Kids in order, then one instruction that makes one value of them.
  Instruction& plain(const Node& n) {
    for (const NodePtr& kid : n.kids) compile(*kid);
    Instruction& i = emit(plain_op(n.kind), 1 - static_cast<int>(n.kids.size()));
    i.flag =
        n.kind == NodeKind::arithmetic || n.kind == NodeKind::compare || n.kind == NodeKind::cast
            ? n.detail
            : n.negated;
    i.n = n.kind == NodeKind::is_truth ? n.detail : static_cast<uint16_t>(n.escape + 1);
    return i;
  }

  Op plain_op(NodeKind kind) {
    switch (kind) {
      case NodeKind::negate: return Op::negate;
      case NodeKind::logical_not: return Op::logical_not;
      case NodeKind::compare: return Op::compare;
      case NodeKind::same: return Op::same;
      case NodeKind::is_truth: return Op::is_truth;
      case NodeKind::is_null: return Op::is_null;
      case NodeKind::like: return scratch(Op::like);
      case NodeKind::glob: return scratch(Op::glob);
      case NodeKind::between: return Op::between;
      case NodeKind::arithmetic: return Op::arithmetic;
      case NodeKind::concat: return scratch(Op::concat);
      case NodeKind::cast: return scratch(Op::cast);
      default: break;
    }
    contract_failed("a plain operation", __FILE__, __LINE__);
    return Op::done;
  }
  Op scratch(Op op) {
    program_->needs_scratch = true;
    return op;
  }

  void chain(const Node& n, Op first, Op next) {
    std::vector<uint32_t> jumps;
    for (size_t i = 0; i < n.kids.size(); ++i) {
      compile(*n.kids[i]);
      jumps.push_back(here());
      emit(i == 0 ? first : next, i == 0 ? 0 : -1);
    }
    land(jumps);
  }

  // The order of levels is their rank: a text that is no level is neither above nor below one.
  static Value ordered(const std::string& name, const Value& literal, uint8_t mask) {
    Level level{};
    const bool asks_equal = mask == kEqual || mask == (kLess | kGreater);
    if (name != "level" || asks_equal || literal.kind != ValueKind::text ||
        !parse_level(literal.text, level)) {
      return literal;
    }
    return Value::of_level(level, {});
  }
  void compare_field(const std::string& name, const Value& literal, uint8_t mask) {
    const uint32_t b = constant(ordered(name, literal, mask));
    Instruction& i = emit(Op::compare_field, 1);
    i.a = field_index(name);
    i.b = b;
    i.flag = mask;
  }

  static uint8_t mirrored(uint8_t mask) {
    return static_cast<uint8_t>((mask & kEqual) | (mask & kLess ? kGreater : 0) |
                                (mask & kGreater ? kLess : 0));
  }
  void comparison(const Node& n) {
    const Node& a = *n.kids[0];
    const Node& b = *n.kids[1];
    if (a.kind == NodeKind::field && is_literal(b)) {
      compare_field(a.text, b.value, n.detail);
    } else if (is_literal(a) && b.kind == NodeKind::field) {
      compare_field(b.text, a.value, mirrored(n.detail));
    } else {
      plain(n);
    }
  }

  void pattern_test(const Node& n) {
    const Node& subject = *n.kids[0];
    const Node& pattern = *n.kids[1];
    if (!is_constant_pattern(pattern)) {
      plain(n);
      return;
    }
    program_->needs_scratch = true;
    const auto b = static_cast<uint32_t>(program_->matchers.size());
    program_->matchers.push_back(matcher(n, pattern.text));
    const bool field = subject.kind == NodeKind::field;
    if (!field) compile(subject);
    Instruction& i = emit(field ? Op::match_field : Op::match, field ? 1 : 0);
    i.flag = n.negated;
    i.b = b;
    if (field) i.a = field_index(subject.text);
  }
  static Matcher matcher(const Node& n, const std::string& pattern) {
    if (n.kind == NodeKind::like) return Matcher::of_like(pattern, n.escape);
    if (n.kind == NodeKind::glob) return Matcher::of_glob(pattern);
    return Matcher::of_regexp(compiled(pattern));
  }
  static Regexp compiled(const std::string& pattern) {
    auto regexp = Regexp::compile(pattern);
    return std::move(*regexp);  // the parser has checked it
  }

  void in(const Node& n) {
    const bool literals = std::all_of(n.kids.begin() + 1, n.kids.end(),
                                      [](const NodePtr& kid) { return is_literal(*kid); });
    if (!literals) {
      for (const NodePtr& kid : n.kids) compile(*kid);
      Instruction& i = emit(Op::in_list, 1 - static_cast<int>(n.kids.size()));
      i.n = static_cast<uint16_t>(n.kids.size() - 1);
      i.flag = n.negated;
      return;
    }
    compile(*n.kids[0]);
    const auto b = static_cast<uint32_t>(program_->sets.size());
    program_->sets.push_back(literal_set(n));
    Instruction& i = emit(Op::in_set, 0);
    i.b = b;
    i.flag = n.negated;
  }
  LiteralSet literal_set(const Node& n) {
    LiteralSet set;
    set.only_texts = true;
    for (size_t i = 1; i < n.kids.size(); ++i) {
      const Value v = kept(n.kids[i]->value);
      if (v.is_null()) {
        set.has_null = true;
        continue;
      }
      set.all.push_back(Operand::of(v));
      if (v.kind == ValueKind::text) {
        set.texts.push_back(v.text);
      } else {
        set.only_texts = false;
      }
    }
    std::sort(set.texts.begin(), set.texts.end());
    return set;
  }

  // A field between literals is two fast comparisons.
  void between(const Node& n) {
    const Node& subject = *n.kids[0];
    if (n.negated || subject.kind != NodeKind::field || !is_literal(*n.kids[1]) ||
        !is_literal(*n.kids[2])) {
      plain(n);
      return;
    }
    compare_field(subject.text, n.kids[1]->value, kGreater | kEqual);
    const uint32_t first = here();
    emit(Op::and_first, 0);
    compare_field(subject.text, n.kids[2]->value, kLess | kEqual);
    const uint32_t second = here();
    emit(Op::and_next, -1);
    land({first, second});
  }

  void case_when(const Node& n) {
    std::vector<uint32_t> ends;
    size_t i = 0;
    for (; i + 1 < n.kids.size(); i += 2) {
      compile(*n.kids[i]);
      branch(*n.kids[i + 1], ends, false);
    }
    compile(*n.kids[i]);
    land(ends);
  }

  void case_of(const Node& n) {
    std::vector<uint32_t> ends;
    compile(*n.kids[0]);
    size_t i = 1;
    for (; i + 1 < n.kids.size(); i += 2) {
      emit(Op::duplicate, 1);
      compile(*n.kids[i]);
      emit(Op::compare, -1).flag = kEqual;
      branch(*n.kids[i + 1], ends, true);
    }
    emit(Op::drop, -1);
    compile(*n.kids[i]);
    land(ends);
  }

  // THEN: the condition is on top, below it the operand when `drops`.
  void branch(const Node& then, std::vector<uint32_t>& ends, bool drops) {
    const uint32_t skip = here();
    emit(Op::jump_unless, -1);
    const int depth = depth_;
    if (drops) emit(Op::drop, -1);
    compile(then);
    ends.push_back(here());
    emit(Op::jump, 0);
    depth_ = depth;
    land({skip});
  }

  void call(const Node& n) {
    switch (n.function->form) {
      case CallForm::coalesce: coalesce(n); break;
      case CallForm::iif: iif(n); break;
      case CallForm::extract: extract(n); break;
      case CallForm::bucket: bucket(n); break;
      case CallForm::plain: plain_call(n); break;
    }
  }
  void plain_call(const Node& n) {
    program_->needs_scratch = true;
    for (const NodePtr& kid : n.kids) compile(*kid);
    Instruction& i = emit(Op::call, 1 - static_cast<int>(n.kids.size()));
    i.a = static_cast<uint32_t>(program_->functions.size());
    i.n = static_cast<uint16_t>(n.kids.size());
    program_->functions.push_back(n.function);
  }
  void coalesce(const Node& n) {
    std::vector<uint32_t> ends;
    for (size_t i = 0; i + 1 < n.kids.size(); ++i) {
      compile(*n.kids[i]);
      ends.push_back(here());
      emit(Op::jump_present, -1);
    }
    compile(*n.kids.back());
    land(ends);
  }
  void iif(const Node& n) {
    std::vector<uint32_t> ends;
    compile(*n.kids[0]);
    branch(*n.kids[1], ends, false);
    if (n.kids.size() > 2) {
      compile(*n.kids[2]);
    } else {
      emit(Op::constant, 1).a = constant(Value::null());
    }
    land(ends);
  }
  void extract(const Node& n) {
    program_->needs_scratch = true;
    compile(*n.kids[0]);
    const auto b = static_cast<uint32_t>(program_->regexps.size());
    program_->regexps.push_back(compiled(n.kids[1]->text));
    // Without a group: the first one, or the whole match when there is none.
    const int groups = program_->regexps.back().groups();
    const int64_t group = n.kids.size() > 2 ? n.kids[2]->value.mantissa : std::min(groups, 1);
    Instruction& i = emit(Op::extract, 0);
    i.b = b;
    i.n = static_cast<uint16_t>(group);
  }

  void bucket(const Node& n) {
    compile(*n.kids[0]);
    const uint32_t b = constant(Value::of_int(*parse_duration_ns(n.kids[1]->text)));
    emit(Op::bucket, 0).b = b;
  }

  std::shared_ptr<Program> program_ = std::make_shared<Program>();
  int depth_ = 0;
};

// Code of the shape: test, (first), test, next, test, next, ..., done.
void find_chain(Program& program) {
  const std::vector<Instruction>& code = program.code;
  std::vector<Instruction> tests;
  Op link = Op::and_first;
  for (size_t i = 0; i + 1 < code.size(); ++i) {
    if (code[i].op != Op::compare_field && code[i].op != Op::match_field) return;
    tests.push_back(code[i++]);
    if (code[i].op == Op::done) break;
    if (tests.size() == 1) {
      if (code[i].op != Op::and_first && code[i].op != Op::or_first) return;
      link = code[i].op;
    } else if (code[i].op != (link == Op::and_first ? Op::and_next : Op::or_next)) {
      return;
    }
  }
  program.chain = std::move(tests);
  program.chain_stops_at = link == Op::and_first ? Truth::no : Truth::yes;
}

// Replaces a constant part by its value. One scratch memory serves the whole tree.
class Folder {
 public:
  void fold(Node& n) {
    if (is_literal(n) || n.kind == NodeKind::field) return;
    bool constant = true;
    for (const NodePtr& kid : n.kids) {
      fold(*kid);
      constant &= is_literal(*kid);
    }
    if (constant) replace(n);
  }

 private:
  void replace(Node& n) {
    const auto program = Compiler({}).run(n);
    if (memory_.empty()) memory_.resize(kScratchBytes);
    std::vector<Value> stack(program->max_stack);
    Scratch scratch(memory_.data(), memory_.size());
    const Value v = run(*program, nullptr, nullptr, stack.data(), scratch);
    // A level keeps its text elsewhere; too long texts fail anew each record, and are counted.
    if (scratch.overflows() != 0 || v.kind == ValueKind::level) return;
    std::string text(v.kind == ValueKind::text ? v.text : std::string_view());
    n.kids.clear();
    n.kind = NodeKind::literal;
    n.text = std::move(text);
    n.value = v;
    if (v.kind == ValueKind::text) n.value.text = n.text;
  }

  std::vector<char> memory_;
};

}  // namespace

std::shared_ptr<const Program> compile(Node& root) {
  const std::string canonical = print_tree(root);
  const std::vector<std::string> fields = fields_of(root);
  Folder().fold(root);
  auto program = std::const_pointer_cast<Program>(Compiler(fields).run(root));
  program->canonical = canonical;
  find_chain(*program);
  return program;
}

}  // namespace nines::expr
