#include "remedy/local.hpp"

#include <algorithm>
#include <charconv>
#include <functional>

#include "remedy/arguments.hpp"

namespace nines::agent::remedy {
namespace {

using nines::remedy::Verb;

class LocalExecution : public Execution {
 public:
  Turn answered(const Answer& answer) final { return std::exchange(next_, nullptr)(answer); }

 protected:
  explicit LocalExecution(Order order) : order_(std::move(order)) {}

  Turn run(notify::Program program, std::function<Turn(const Answer&)> next) {
    next_ = std::move(next);
    return Step(std::move(program));
  }
  Outcome outcome(Became became, const std::string& text) const {
    return {became, order_.action.key() + ' ' + order_.target.name + ": " + text, {}, {}};
  }
  // Exit code of the answer; nullopt: it did not end by itself.
  static std::optional<int> code_of(const Answer& answer) {
    if (answer.status < kExited) return std::nullopt;
    return answer.status - kExited;
  }
  static std::string said(const Answer& answer) {
    if (answer.status < kExited) return answer.failure;
    const std::string code = "exit code " + std::to_string(answer.status - kExited);
    return answer.text.empty() ? code : code + ": " + answer.text;
  }
  // A program that was killed or did not start is not one that failed.
  Turn ran(const Answer& answer) const {
    const auto code = code_of(answer);
    if (!code) return outcome(answer.not_begun ? Became::failed : Became::unknown, said(answer));
    return outcome(*code == 0 ? Became::done : Became::failed, said(answer));
  }

  const Order order_;

 private:
  std::function<Turn(const Answer&)> next_;
};

class Unit final : public LocalExecution {
 public:
  Unit(const LocalAllowed& allowed, Order order)
      : LocalExecution(std::move(order)), allowed_(allowed) {}

  Turn begin() override {
    const std::string& unit = order_.target.name;
    const auto& units = allowed_.units;
    if (!is_plain_name(unit) || std::find(units.begin(), units.end(), unit) == units.end()) {
      return outcome(Became::refused, "the unit is not among remediation.units");
    }
    return run(systemctl("is-active"), [this](const Answer& answer) { return look(answer); });
  }

 private:
  notify::Program systemctl(const char* verb) const {
    return {allowed_.systemctl,
            {verb, "--quiet", "--no-ask-password", "--", order_.target.name},
            {"LC_ALL=C"},
            {}};
  }

  // systemctl(1): 0 active, 3 not; others: no such unit, no systemd.
  Turn look(const Answer& answer) {
    constexpr int kActive = 0, kInactive = 3;
    const auto code = code_of(answer);
    const bool recheck = order_.mode == Mode::recheck;
    if (code != kActive && code != kInactive) {
      return outcome(recheck ? Became::unknown : Became::failed, "its state: " + said(answer));
    }
    const bool active = code == kActive;
    const char* const state = active ? "it is active" : "it is not active";
    const Verb verb = order_.action.verb;
    const std::string before = active ? "active" : "inactive";
    if (verb != Verb::unit_restart && active == (verb == Verb::unit_start)) {
      return outcome(recheck ? Became::done : Became::idle, state);
    }
    // Whether an active unit was started anew can't be told from its state.
    if (recheck) {
      return outcome(verb == Verb::unit_restart && active ? Became::unknown : Became::failed,
                     state);
    }
    if (!order_.restore.empty() && order_.restore == before) {
      return outcome(Became::refused, "it was " + before + " before as well");
    }
    if (order_.mode == Mode::try_out) {
      Outcome out = outcome(Became::would, state);
      out.before = before;
      return out;
    }
    return run(systemctl(command()), [this, before](const Answer& done) {
      Turn turn = ran(done);
      std::get<Outcome>(turn).before = before;
      return turn;
    });
  }

  const char* command() const {
    switch (order_.action.verb) {
      case Verb::unit_start: return "start";
      case Verb::unit_stop: return "stop";
      default: return "restart";
    }
  }

  const LocalAllowed& allowed_;
};

class Run final : public LocalExecution {
 public:
  Run(const LocalAllowed& allowed, Order order)
      : LocalExecution(std::move(order)), allowed_(allowed) {}

  Turn begin() override {
    const auto found = allowed_.programs.find(order_.action.parameter);
    if (found == allowed_.programs.end()) {
      return outcome(Became::refused, "there is no such program in remediation.programs");
    }
    const AllowedProgram& program = found->second;
    program_ms_ = program.timeout_ms;
    for (const std::string* name : {&order_.target.name, &order_.target.ns, &order_.incident}) {
      if (!name->empty() && !is_plain_name(*name)) {
        return outcome(Became::refused, "that is no name of an object");
      }
    }
    switch (order_.mode) {
      case Mode::try_out: return try_out(program);
      case Mode::recheck: return check(program);
      case Mode::act: break;
    }
    std::vector<std::string> command{program.path};
    command.insert(command.end(), program.arguments.begin(), program.arguments.end());
    return call(command, [this](const Answer& answer) { return ran(answer); });
  }

  int64_t program_ms() const override { return program_ms_; }

 private:
  // What cannot be filled in is not run.
  Turn call(const std::vector<std::string>& command, std::function<Turn(const Answer&)> next) {
    auto arguments = filled({command.begin() + 1, command.end()}, order_, allowed_.node);
    if (!arguments.ok()) return outcome(Became::refused, arguments.error().message);
    return run({command.front(),
                std::move(*arguments),
                {"NINES_KEY=" + order_.key, "NINES_TARGET=" + order_.target.name,
                 "NINES_NAMESPACE=" + order_.target.ns, "NINES_INCIDENT=" + order_.incident,
                 "PATH=/usr/sbin:/usr/bin:/sbin:/bin"},
                {}},
               std::move(next));
  }

  Turn try_out(const AllowedProgram& program) {
    if (program.dry_run.empty()) {
      auto arguments = filled(program.arguments, order_, allowed_.node);
      return arguments.ok() ? outcome(Became::would, program.path + " would be run")
                            : outcome(Became::refused, arguments.error().message);
    }
    return call(program.dry_run, [this](const Answer& answer) -> Turn {
      const Became became = code_of(answer) == 0 ? Became::would : Became::failed;
      return outcome(became, "its dry run: " + said(answer));
    });
  }

  Turn check(const AllowedProgram& program) {
    if (program.check.empty()) return outcome(Became::unknown, "nothing tells whether it was run");
    return call(program.check, [this](const Answer& answer) -> Turn {
      constexpr int kDone = 0, kNotDone = 1;
      const auto code = code_of(answer);
      const Became became = code == kDone      ? Became::done
                            : code == kNotDone ? Became::failed
                                               : Became::unknown;
      return outcome(became, "its check: " + said(answer));
    });
  }

  const LocalAllowed& allowed_;
  int64_t program_ms_ = 0;
};

}  // namespace

std::unique_ptr<Execution> run_unit(const LocalAllowed& allowed, Order order) {
  return std::make_unique<Unit>(allowed, std::move(order));
}
std::unique_ptr<Execution> run_program(const LocalAllowed& allowed, Order order) {
  return std::make_unique<Run>(allowed, std::move(order));
}

}  // namespace nines::agent::remedy
