// SLO specs of Prometheus tools -> SloSpecs that count what the same metrics say when they are
// scraped: Sloth (prometheus/v1 and its Kubernetes resource) and Pyrra (ServiceLevelObjective).
//
// A query becomes an expression over scraped samples (collector/metrics_inputs.hpp) with the same
// meaning, or an error with its place, the query and what to write instead. What Prometheus adds to
// a sample (job, instance, target_labels) is not in what an endpoint exposes: matchers on it are
// left out with a warning. Pyrra's `for` has no counterpart, the short window does its work.
#pragma once

#include <string>
#include <vector>

#include "config/config.hpp"
#include "config/promql.hpp"
#include "config/reader.hpp"

namespace nines::agent {

struct ImportOptions {
  slo::SourceSelector source;              // where the metrics are exposed
  std::vector<std::string> target_labels;  // beside job and instance
  int64_t sloth_window_s = 30 * 86400;     // Sloth has it on its command line
};

struct Imported {
  std::vector<slo::SloSpec> slos;
  std::vector<Diagnostic> diagnostics;
  bool ok() const;  // no error among them
};

Imported import_slos(const std::vector<std::string>& files, const ImportOptions& options);

namespace config {

// One query or selector as it stands in a document.
struct Query {
  const YamlNode* node = nullptr;
  std::string what;  // "error_query of SLO 'x'"
};

// Translates the queries of one SLO.
class Translator {
 public:
  Translator(const ImportOptions& options, Reporter& report) : options_(options), report_(report) {}

  // errors / total of events.
  std::optional<slo::IndicatorSpec> ratio(const Query& errors, const Query& total);
  // A ready-made ratio of errors, as a quotient of sums or 1 - one.
  std::optional<slo::IndicatorSpec> raw(const Query& errors);
  // Selectors alone, as Pyrra has them.
  std::optional<slo::IndicatorSpec> selectors(const Query& part, const Query& total,
                                              bool part_is_bad);
  // 1 is good, every scrape an event.
  std::optional<slo::IndicatorSpec> gauge(const Query& metric);

 private:
  struct Term;
  struct Terms;
  struct Sums;

  std::unique_ptr<promql::Node> parse(const Query& query);
  std::unique_ptr<promql::Selector> parse_selector(const Query& query);
  void refuse(const Query& query, size_t offset, const std::string& message,
              const std::string& hint);
  bool collect(const Query& query, const promql::Node& node, bool minus, Sums& out);
  std::optional<Term> term_of(const Query& query, const promql::Selector& selector);
  std::optional<std::string> condition(const Query& query, const promql::Matcher& matcher);
  std::optional<slo::IndicatorSpec> build(const Query& at, Terms part, Terms total,
                                          bool part_is_bad);
  std::optional<slo::IndicatorSpec> from_sums(const Query& at, Sums errors, Sums total);

  const ImportOptions& options_;
  Reporter& report_;
};

// Whether the document is one of that tool.
bool is_sloth(const YamlNode& document);
bool is_pyrra(const YamlNode& document);
void import_sloth(const YamlNode& document, const ImportOptions& options, Reporter& report,
                  std::vector<slo::SloSpec>& out);
void import_pyrra(const YamlNode& document, const ImportOptions& options, Reporter& report,
                  std::vector<slo::SloSpec>& out);

// Drops the rules that no error rate can trip at this target, with a warning.
void drop_unreachable(slo::SloSpec& spec, const YamlNode& at, Reporter& report);
// "99.9" -> 0.999; nullopt after reporting.
std::optional<Decimal> read_percent(const YamlNode& node, const std::string& what,
                                    Reporter& report);

}  // namespace config
}  // namespace nines::agent
