// Failure facts: what findings mean for the class of a failure (failure_class.hpp).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nines/incident/failure_class.hpp"
#include "nines/incident/suspect_text.hpp"
#include "nines/incident/template_watch.hpp"

namespace nines::incident {

// What is used more of, by the name of the number that told: "memory_bytes" or "cpu_percent".
// nullopt: the name says neither.
std::optional<FactKind> usage_kind(std::string_view gauge) noexcept;

// Of the first `most` suspects: those behind them suffer from what they do. `used` says what
// a service uses more of (its gauge); null: it is not known.
using GaugeOf = std::function<std::string(const std::string& service)>;
std::vector<FailureFact> failure_facts(const std::vector<Suspect>& suspects,
                                       const SuspectNames& names, size_t most,
                                       const GaugeOf& gauge_of);
// What a count that is not as usual means; nullopt: nothing.
std::optional<FailureFact> failure_fact(const CountFinding& finding, const std::string& text);

}  // namespace nines::incident
