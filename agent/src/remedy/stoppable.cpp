#include "remedy/stoppable.hpp"

#include <utility>

namespace nines::agent::remedy {
namespace {

class Stoppable final : public Execution {
 public:
  Stoppable(std::unique_ptr<Execution> of, std::function<bool()> stopped)
      : of_(std::move(of)), stopped_(std::move(stopped)) {}

  Turn begin() override { return unless_stopped(of_->begin()); }
  Turn answered(const Answer& answer) override { return unless_stopped(of_->answered(answer)); }
  int64_t program_ms() const override { return of_->program_ms(); }

 private:
  Turn unless_stopped(Turn turn) const {
    if (std::holds_alternative<Outcome>(turn) || !stopped_()) return turn;
    return Outcome{Became::refused, "everything was stopped before it was done", {}, {}};
  }

  const std::unique_ptr<Execution> of_;
  const std::function<bool()> stopped_;
};

}  // namespace

std::unique_ptr<Execution> stoppable(std::unique_ptr<Execution> of, std::function<bool()> stopped) {
  return std::make_unique<Stoppable>(std::move(of), std::move(stopped));
}

}  // namespace nines::agent::remedy
