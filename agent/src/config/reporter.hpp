// Collects diagnostics: a configuration is judged as a whole, so that one run shows every problem.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "config/yaml_tree.hpp"

namespace nines::agent::config {

// Not thread-safe. Keeps the first 1000 diagnostics; beyond them only counts.
class Reporter {
 public:
  explicit Reporter(std::vector<Diagnostic>& out) : out_(out) {}

  void error(const YamlNode& node, std::string message, std::string hint = {});
  void warning(const YamlNode& node, std::string message, std::string hint = {});
  void add(Diagnostic::Severity severity, const std::string& file, Position at, std::string message,
           std::string hint = {});
  size_t errors() const { return errors_; }

 private:
  std::vector<Diagnostic>& out_;
  size_t errors_ = 0;
};

}  // namespace nines::agent::config
