#include "log/layout_program.hpp"

#include "log/scan.hpp"

namespace nines::log {

void ProgramBuilder::literal(std::string_view text) {
  (program_.steps.empty() ? program_.head : program_.steps.back().literal).append(text);
}

Step& ProgramBuilder::field(Step step, size_t column) {
  step.column = column;
  if (step.name.empty() && !step.claim.empty()) step.name = step.claim;
  program_.steps.push_back(std::move(step));
  return program_.steps.back();
}

Result<Program> ProgramBuilder::finish() {
  drop_end();
  if (program_.steps.empty()) {
    return Error{Errc::invalid_argument, "the pattern has no field; give at least one"};
  }
  NINES_CHECK(check_bounds());
  settle_claims();
  return std::move(program_);
}

// Lines come without their end, and blanks there mean nothing.
void ProgramBuilder::drop_end() {
  std::string& tail = program_.steps.empty() ? program_.head : program_.steps.back().literal;
  tail.resize(trim_right(tail).size());
  // A header line: its end begins the message.
  for (size_t i = 0; i + 1 < program_.steps.size(); ++i) {
    std::string& literal = program_.steps[i].literal;
    const bool message = program_.steps[i + 1].take == Take::rest;
    if (message && literal.size() > 1 && literal.ends_with('\n')) literal.pop_back();
  }
}

Status ProgramBuilder::check_bounds() {
  std::vector<Step>& steps = program_.steps;
  for (size_t i = 0; i + 1 < steps.size(); ++i) {
    Step& step = steps[i];
    const Step& next = steps[i + 1];
    if (step.take == Take::rest) step.take = Take::last;  // something follows the message
    const bool bounded = step.take == Take::fixed || step.take == Take::time;
    if (!step.literal.empty() || bounded) continue;
    if (next.lead != '\0') {
      step.literal = next.lead;
      step.keep_literal = true;
      if (step.take == Take::clf) step.take = Take::until;
      continue;
    }
    return pattern_error(next.column, "two fields without a literal between them",
                         "put a space or another character between them");
  }
  return Ok{};
}

void ProgramBuilder::settle_claims() {
  for (Step& step : program_.steps) {
    if (step.claim.empty()) continue;
    bool best = true;
    for (const Step& other : program_.steps) {
      if (other.claim != step.claim || &other == &step) continue;
      best = best && (other.claim_rank > step.claim_rank ||
                      (other.claim_rank == step.claim_rank && &other > &step));
    }
    if (!best) continue;
    // The own name goes on where it means the same.
    if (step.name != step.claim && step.conv == step.claim_conv) step.alias = step.name;
    step.name = step.claim;
    step.conv = step.claim_conv;
  }
}

}  // namespace nines::log
