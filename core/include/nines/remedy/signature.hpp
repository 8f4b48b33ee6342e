// Signature: what makes incidents repeats of one another for learning, from coarse to fine in one
// string: kind and service of the first condition, then how fast a budget burns, then the template
// of the error line that stood out: "burn_rate jobs | fast | line 8c21f09e44d1a7b3". What is not
// known is left out, so that an incident without log lines has a coarser one. Pure functions.
#pragma once

#include <string>
#include <string_view>

namespace nines::incident {
struct Incident;
}

namespace nines::remedy {

inline constexpr std::string_view kFiner = " | ";

// The finest that is known of it. It becomes finer, and not another one, while more is learned.
std::string signature_of(const incident::Incident& incident);

// One level up; empty: there is none.
std::string_view coarser(std::string_view signature) noexcept;
// What is said of `signature` is said of `one`, too: they are the same, or it is a coarser one.
bool covers(std::string_view signature, std::string_view one) noexcept;

}  // namespace nines::remedy
