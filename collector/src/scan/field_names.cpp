#include "scan/field_names.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "scan/part.hpp"

namespace nines::collector {
namespace {

// Given to every record, or by where it stands.
constexpr std::array<std::string_view, 13> kGiven{
    "ts",     "ingest_ts", "node",      "source", "line",      "service",    "raw",
    "_error", "namespace", "container", "pod",    "ctx_group", "ctx_offset",
};

bool is_given(const query::ScanPlan& plan, const std::string& name) {
  if (std::find(kGiven.begin(), kGiven.end(), name) != kGiven.end()) return true;
  return std::any_of(plan.extracts.begin(), plan.extracts.end(), [&](const auto& extract) {
    return std::find(extract.names.begin(), extract.names.end(), name) != extract.names.end();
  });
}

class Names final : public query::RowSink {
 public:
  explicit Names(log::LineParser& parser) : parser_(parser) {}

  bool take(const query::Row& row) override {
    WallTime ts;
    bool has_ts = false;
    parser_.parse_all(row.values[0].text, ts, has_ts, fields_);
    for (const log::LineParser::NamedValue& field : fields_) {
      if (names.size() == kMostNames) return false;
      const bool known = std::find(names.begin(), names.end(), field.name) != names.end();
      if (!known) names.emplace_back(field.name);
    }
    return ++records_ < kMostRecords;
  }

  std::vector<std::string> names;

 private:
  static constexpr size_t kMostRecords = 200, kMostNames = 256;
  log::LineParser& parser_;
  std::vector<log::LineParser::NamedValue> fields_;
  size_t records_ = 0;
};

}  // namespace

std::vector<std::string> named_fields(const query::ScanPlan& plan) {
  constexpr size_t kMost = 64;
  std::vector<std::string> names;
  const auto add = [&](const std::string& name) {
    const bool known = std::find(names.begin(), names.end(), name) != names.end();
    if (!known && names.size() < kMost && !is_given(plan, name)) names.push_back(name);
  };
  for (const std::string& name : plan.fields) {
    if (name != "level" && name != "message") add(name);
  }
  if (plan.where) std::for_each(plan.where->fields().begin(), plan.where->fields().end(), add);
  return names;
}

std::vector<std::string> sample_names(const ScanShape& shape, const ScanOptions& options,
                                      std::unique_ptr<ScanBytes> bytes) {
  constexpr int64_t kBytes = 64 * 1024;
  query::ScanPlan plan;
  plan.fields = {"raw"};
  auto rows = RowMaker::create(shape, plan, options);
  auto parser = log::make_parser(shape.format.format(), {}, {});
  if (!rows.ok() || !parser.ok()) return {};
  Names sample(**parser);
  PartReader reader(shape, plan, std::nullopt, std::move(*rows), std::move(bytes), options,
                    {0, kBytes}, -1);
  while (reader.step(sample) == FileScan::PartScan::Step::more) {
  }
  return std::move(sample.names);
}

}  // namespace nines::collector
