#include "config/reporter.hpp"

#include <utility>

namespace nines::agent {

std::string to_string(const Diagnostic& d) {
  std::string out = d.file.empty() ? "configuration" : d.file;
  if (d.line > 0) out += ":" + std::to_string(d.line) + ":" + std::to_string(d.column);
  out += d.severity == Diagnostic::Severity::error ? ": error: " : ": warning: ";
  out += d.message;
  if (!d.hint.empty()) out += "\n  hint: " + d.hint;
  return out;
}

namespace config {
namespace {
constexpr size_t kMaxDiagnostics = 1000;
}

void Reporter::add(Diagnostic::Severity severity, const std::string& file, Position at,
                   std::string message, std::string hint) {
  if (severity == Diagnostic::Severity::error) {
    ++errors_;
    if (hint.empty()) hint = "right documents with every key lie in packaging/examples";
  }
  if (out_.size() > kMaxDiagnostics) return;
  if (out_.size() == kMaxDiagnostics) {
    // An error, so that a file whose first 1000 problems are warnings is not taken for good.
    out_.push_back({Diagnostic::Severity::error,
                    file,
                    0,
                    0,
                    "more than 1000 problems: the rest is not shown",
                    {}});
    return;
  }
  out_.push_back({severity, file, at.line, at.column, std::move(message), std::move(hint)});
}

void Reporter::error(const YamlNode& node, std::string message, std::string hint) {
  add(Diagnostic::Severity::error, node.file != nullptr ? node.file->path : std::string(), node.at,
      std::move(message), std::move(hint));
}

void Reporter::warning(const YamlNode& node, std::string message, std::string hint) {
  add(Diagnostic::Severity::warning, node.file != nullptr ? node.file->path : std::string(),
      node.at, std::move(message), std::move(hint));
}

}  // namespace config
}  // namespace nines::agent
