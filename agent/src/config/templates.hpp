// Templates of SLO documents (packaging/examples/templates), built into the program.
//
//   #: one line that says what it is
//   #= KEY DEFAULT | what the key means
//   a document, with ${KEY} where the value goes
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"

namespace nines::agent::config {

struct TemplateKey {
  std::string_view name, usual, meaning;
};
struct Template {
  std::string_view name, summary, body;
  std::vector<TemplateKey> keys;
};

// By name.
const std::vector<Template>& templates();

// The document with `settings` ("KEY=VALUE") in their places, and what is wrong with it as a
// configuration. Values stand in quotes: a " in them is escaped. invalid_argument: there is no such
// template, or no such key.
struct Rendered {
  std::string text;
  std::vector<Diagnostic> diagnostics;
  std::vector<slo::SloSpec> slos;
};
Result<Rendered> render_template(std::string_view name, std::span<const std::string> settings);

}  // namespace nines::agent::config
