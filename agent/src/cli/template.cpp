// `nines slo template`: ready SLO documents.
#include <algorithm>
#include <cstdio>

#include "cli/commands.hpp"
#include "config/templates.hpp"

namespace nines::agent {
namespace {

void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void list() {
  for (const config::Template& t : config::templates()) {
    std::printf("%-24.*s%.*s\n", static_cast<int>(t.name.size()), t.name.data(),
                static_cast<int>(t.summary.size()), t.summary.data());
  }
}

void show_keys(const config::Template& chosen) {
  print("# " + std::string(chosen.summary) + "\n");
  for (const config::TemplateKey& key : chosen.keys) {
    print("#   --set " + std::string(key.name) + "=\"" + std::string(key.usual) + "\"  " +
          std::string(key.meaning) + "\n");
  }
}

}  // namespace

int run_slo_template(const SloOptions& options) {
  if (options.name.empty()) {
    list();
    return kExitOk;
  }
  const auto rendered = config::render_template(options.name, options.settings);
  if (!rendered.ok()) {
    std::fprintf(stderr, "nines slo template: %s\n", rendered.error().message.c_str());
    return kExitUsage;
  }
  bool bad = false;
  for (const Diagnostic& d : rendered->diagnostics) {
    std::fprintf(stderr, "%s\n", to_string(d).c_str());
    bad = bad || d.severity == Diagnostic::Severity::error;
  }
  const auto& all = config::templates();
  show_keys(
      *std::find_if(all.begin(), all.end(), [&](const auto& t) { return t.name == options.name; }));
  print(rendered->text);
  return bad ? kExitUsage : kExitOk;
}

}  // namespace nines::agent
