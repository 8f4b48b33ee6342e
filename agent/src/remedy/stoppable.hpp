// The kill switch within an act: an execution that sends no step any more once all is stopped. The
// step that changes something is the last one of every execution (execution.hpp), so what ends here
// was not done. What was sent is heard out: its answer is the truth.
#pragma once

#include <functional>
#include <memory>

#include "remedy/execution.hpp"

namespace nines::agent::remedy {

// Of Mode::act; what only looks goes on.
std::unique_ptr<Execution> stoppable(std::unique_ptr<Execution> of, std::function<bool()> stopped);

}  // namespace nines::agent::remedy
