// Texts as YAML writes them.
#pragma once

#include <string>
#include <string_view>

namespace nines::agent::config {

// Always quoted: no text can be mistaken for a number, a null or YAML syntax.
std::string quoted(std::string_view text);

}  // namespace nines::agent::config
