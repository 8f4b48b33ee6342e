// Files in a folder of their own, and the rows of a scan as text.
#pragma once

#include <stdlib.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "nines/collector/scan.hpp"

namespace nines::collector {

class ScanFolder {
 public:
  ScanFolder() {
    char name[] = "/tmp/nines-scan-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    path_ = name;
  }
  ~ScanFolder() { std::filesystem::remove_all(path_); }
  ScanFolder(const ScanFolder&) = delete;
  ScanFolder& operator=(const ScanFolder&) = delete;

  std::string path(std::string_view name) const { return path_ + "/" + std::string(name); }
  std::string write(std::string_view name, std::string_view content) const {
    const std::string file = path(name);
    std::filesystem::create_directories(std::filesystem::path(file).parent_path());
    std::ofstream(file, std::ios::binary) << content;
    return file;
  }
  const std::string& root() const { return path_; }

 private:
  std::string path_;
};

inline std::string show(const Value& value) {
  switch (value.kind) {
    case ValueKind::null: return "NULL";
    case ValueKind::boolean: return value.mantissa != 0 ? "true" : "false";
    case ValueKind::number: {
      std::string out = std::to_string(value.mantissa);
      if (value.exponent != 0) out += "e" + std::to_string(value.exponent);
      return out;
    }
    case ValueKind::real: return std::to_string(value.real);
    case ValueKind::text: return std::string(value.text);
    case ValueKind::time: return format_rfc3339({value.time_ns});
    case ValueKind::level: return std::string(level_name(value.level));
  }
  return "?";
}

// A row as "a|b|c".
class ShownRows final : public query::RowSink {
 public:
  explicit ShownRows(size_t most = SIZE_MAX) : most_(most) {}
  bool take(const query::Row& row) override {
    std::string line;
    for (size_t i = 0; i < row.values.size(); ++i) {
      line += (i > 0 ? "|" : "") + show(row.values[i]);
    }
    if (with_place) {
      line += "@" + std::to_string(row.place.at);
      if (row.has_ts) line += "/" + format_rfc3339(row.ts);
    }
    rows.push_back(line);
    return rows.size() < most_;
  }
  std::vector<std::string> rows;
  bool with_place = false;

 private:
  size_t most_;
};

struct Scanned {
  std::vector<std::string> rows;
  ScanStats stats;
  size_t parts = 0;
  std::string explanation;
  std::string problem;  // of a part that ended early
};

struct ScanRequest {
  std::vector<std::string> fields;
  std::string where;
  std::string format = "auto", pattern;
  ScanOptions options;
  query::ScanPlan plan;  // the rest of it
  bool with_place = false;
};

inline ScanOptions test_options() {
  ScanOptions options;
  options.now = WallTime::from_s(1'795'225'000);  // 2026-11-21
  options.node = "node-1";
  return options;
}

// Pushes the rows into `rows`; those of what is given are empty.
inline Result<Scanned> scan_into(query::RowSink& rows, const ScanFile& file,
                                 const ScanRequest& request) {
  query::ScanPlan plan = request.plan;
  plan.fields = request.fields;
  if (!request.where.empty()) {
    auto where = expr::Expression::parse(request.where);
    if (!where.ok()) return where.error();
    plan.where = std::move(*where);
  }
  query::SourceRef source;
  source.names = {file.path};
  source.format = request.format;
  source.pattern = request.pattern;
  auto opened = FileScan::open(file, source, plan, request.options);
  if (!opened.ok()) return opened.error();
  Scanned out;
  out.explanation = (*opened)->explanation();
  out.stats.add((*opened)->skipped());
  for (const FileScan::Part& part : (*opened)->parts()) {
    auto scan = (*opened)->scan(part);
    if (!scan.ok()) return scan.error();
    while ((*scan)->step(rows) == FileScan::PartScan::Step::more) {
    }
    if ((*scan)->error() != nullptr) out.problem = (*scan)->error()->message;
    out.stats.add((*scan)->stats());
    ++out.parts;
  }
  return out;
}

inline Result<Scanned> try_scan(const ScanFile& file, const ScanRequest& request) {
  ShownRows rows;
  rows.with_place = request.with_place;
  NINES_TRY(Scanned out, scan_into(rows, file, request));
  out.rows = std::move(rows.rows);
  return out;
}

inline Scanned scan(const std::string& path, const ScanRequest& request) {
  auto out = try_scan({path, 0, "svc"}, request);
  INFO((out.ok() ? std::string() : out.error().message));
  REQUIRE(out.ok());
  return *out;
}

inline ScanRequest asking(std::vector<std::string> fields, std::string where = {}) {
  ScanRequest request;
  request.fields = std::move(fields);
  request.where = std::move(where);
  request.options = test_options();
  return request;
}

using Rows = std::vector<std::string>;

}  // namespace nines::collector
