// OpenSLO SLI and DataSource -> IndicatorSpec.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>

#include "config/documents.hpp"
#include "config/selector.hpp"

namespace nines::agent::config {

// Reads each SLI and DataSource once however often it is referred to, so that its problems are
// told once.
class Indicators {
 public:
  Indicators(const Documents& documents, std::span<const SourceConfig> sources, Reporter& report)
      : documents_(documents), sources_(sources), report_(report) {}

  // Reads every DataSource and SLI document, used or not.
  void read_all();
  // `spec` is the spec of an SLI (or of an inline indicator); nullopt after reporting.
  std::optional<slo::IndicatorSpec> read(const YamlNode& spec, const std::string& title);
  std::optional<slo::IndicatorSpec> by_ref(const YamlNode& ref, const std::string& title);

 private:
  struct Metric;
  struct DataSource {
    bool usable = false;  // of type nines.log and without errors
    std::string type;
    slo::SourceSelector selector;
  };

  DataSource read_data_source(const Document& document);
  std::optional<slo::IndicatorSpec> read_ratio(const YamlNode& node, const std::string& title);
  std::optional<slo::IndicatorSpec> read_threshold(const YamlNode& node, const std::string& title);
  bool read_metric(const YamlNode& holder, const std::string& title, bool threshold, Metric& out);
  bool start_from_ref(const YamlNode& ref, Metric& out);
  void read_spec(const YamlNode& spec, const std::string& title, bool threshold, Metric& out);
  void read_group(const YamlNode& node, const std::string& title, Metric& out);
  void read_slice_wishes(MapReader& reader, const std::string& title, Metric& out);
  void check_join(const YamlNode& spec, const std::string& title, Metric& out);
  void read_join(const YamlNode& value, const std::string& title, Metric& out);
  bool read_join_side(const YamlNode& node, const std::string& title, slo::MetricSpec& out,
                      std::string& key);
  void read_join_limits(MapReader& reader, const std::string& title, slo::JoinSpec& out);
  void report_no_source(const YamlNode& at, const std::string& title);

  const Documents& documents_;
  std::span<const SourceConfig> sources_;
  Reporter& report_;
  std::map<std::string, DataSource> data_sources_;
  std::map<std::string, std::optional<slo::IndicatorSpec>> slis_;
};

}  // namespace nines::agent::config
