// Arguments of programs: what the configuration says, with places for what is known of the act. A
// place has a type, and what does not fit it is not passed on: nothing that came out of a log line
// becomes an option, a path or a second argument.
//
//   {service}    plain name: letters, digits, "-._@:", no leading "-" or ".", no "..", 253 bytes
//   {namespace}  plain name
//   {node}       plain name
//   {incident}   plain name
//   {key}        of the act, the same for each of its calls: as a plain name, and "/"
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "nines/base/result.hpp"
#include "remedy/execution.hpp"

namespace nines::agent::remedy {

// Names of the places of a text, "{a}" and "{b}", known or not. Braces around anything else than
// small letters are no place.
std::vector<std::string_view> places_in(std::string_view text);
const std::vector<std::string_view>& known_places();

// The error names the place whose value is not there or does not fit.
Result<std::vector<std::string>> filled(const std::vector<std::string>& arguments,
                                        const Order& order, const std::string& node);

}  // namespace nines::agent::remedy
