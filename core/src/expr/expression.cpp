#include "nines/expr/expression.hpp"

#include <algorithm>

#include "program.hpp"

namespace nines::expr {

Expression::Expression(std::shared_ptr<const Program> program) : program_(std::move(program)) {}

Result<Expression> Expression::parse(std::string_view text) {
  NINES_TRY(NodePtr root, parse_tree(text));
  return Expression(compile(*root));
}

Expression make_expression(Node& root) { return Expression(compile(root)); }

const std::vector<std::string>& Expression::fields() const noexcept { return program_->fields; }

std::string Expression::to_string() const { return program_->canonical; }

bool Expression::depends_only_on(std::string_view field) const noexcept {
  return std::all_of(fields().begin(), fields().end(),
                     [&](const std::string& name) { return name == field; });
}

struct Evaluator::State {
  State(std::shared_ptr<const Program> p, std::span<const size_t> s)
      : program(std::move(p)),
        slots(s.begin(), s.end()),
        stack(program->max_stack),
        memory(program->needs_scratch ? std::make_unique_for_overwrite<char[]>(kScratchBytes)
                                      : nullptr),
        scratch(memory.get(), memory ? kScratchBytes : 0) {}

  std::shared_ptr<const Program> program;
  std::vector<size_t> slots;
  std::vector<Value> stack;
  std::unique_ptr<char[]> memory;
  Scratch scratch;
};

Evaluator::Evaluator(const Expression& expression, std::span<const size_t> slots)
    : state_(std::make_unique<State>(expression.program_, slots)) {
  NINES_ASSERT(slots.size() == expression.fields().size());
}
Evaluator::~Evaluator() = default;
Evaluator::Evaluator(Evaluator&&) noexcept = default;
Evaluator& Evaluator::operator=(Evaluator&&) noexcept = default;

Value Evaluator::eval(std::span<const Value> values) noexcept {
  State& s = *state_;
  s.scratch.reset();
  return run(*s.program, values.data(), s.slots.data(), s.stack.data(), s.scratch);
}

Truth Evaluator::test(std::span<const Value> values) noexcept {
  State& s = *state_;
  if (s.program->chain.empty()) return truth_of(eval(values));
  s.scratch.reset();
  return run_chain(*s.program, values.data(), s.slots.data(), s.scratch);
}

uint64_t Evaluator::overflows() const noexcept { return state_->scratch.overflows(); }

}  // namespace nines::expr
