#include "query/analyze.hpp"

#include <algorithm>
#include <string_view>
#include <variant>
#include <vector>

#include "nines/base/json_writer.hpp"
#include "query/execute.hpp"
#include "query/output.hpp"
#include "view/text.hpp"

namespace nines::agent::query {
namespace {

namespace nq = nines::query;

class Discard final : public AnswerSink {
 public:
  void begin(const std::vector<std::string>&) override {}
  bool take(const nq::Row&) override { return true; }
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

std::string milliseconds(int64_t ns) { return std::to_string(ns / kNsPerMs) + " ms"; }

std::string counted(uint64_t n, const char* one, const char* many) {
  return std::to_string(n) + " " + (n == 1 ? one : many);
}

std::string text_of(const Answer& did) {
  std::string out = "  = " + counted(did.scan.records, "record", "records") + " in, " +
                    counted(did.rows, "row", "rows") + " out; " +
                    view::human_bytes(did.scan.bytes_scanned) + " read, " +
                    view::human_bytes(did.scan.bytes_skipped) + " skipped, " +
                    counted(did.files, "file", "files") + ", " + milliseconds(did.elapsed_ns) +
                    ", " + std::to_string(did.operators.evicted) + " evicted";
  if (did.operators.peak_bytes > 0) {
    out += ", " + view::human_bytes(did.operators.peak_bytes) + " of state";
  }
  return out;
}

void write_input(JsonWriter& json, const nq::Input& input, const Answer& did) {
  json.begin_object();
  json.member("table", input.table);
  json.member("native", std::holds_alternative<nq::Block>(input.what));
  json.member("records", did.scan.records);
  json.member("rows", did.rows);
  json.member("bytes_scanned", did.scan.bytes_scanned);
  json.member("bytes_skipped", did.scan.bytes_skipped);
  json.member("bytes_stored", did.scan.bytes_stored);
  json.member("files", did.files);
  json.member("elapsed_ms", did.elapsed_ns / kNsPerMs);
  json.member("evicted", did.operators.evicted);
  json.member("late", did.operators.late);
  json.member("state_bytes", static_cast<uint64_t>(did.operators.peak_bytes));
  json.end_object();
}

void write_plan(JsonWriter& json, const nq::Statement& statement) {
  json.key("plan").begin_array();
  for (const std::string& line : lines_of(nq::explain(statement))) json.value(line);
  json.end_array();
}

bool is_json(Format format) { return format == Format::json || format == Format::ndjson; }

// For whom only tables will do.
std::string csv_of(const std::string& text) {
  std::string out;
  const auto writer = make_writer({Format::csv}, [&out](std::string_view bytes) {
    out.append(bytes);
    return true;
  });
  writer->begin({"plan"});
  for (const std::string& line : lines_of(text)) {
    const Value value = Value::of_text(line);
    nq::Row row;
    row.values = {&value, 1};
    writer->take(row);
  }
  writer->end({});
  return out;
}

std::string json_of(const nq::Statement& statement, const Answer& answer) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  write_plan(json, statement);
  json.key("inputs").begin_array();
  for (size_t i = 0; i < answer.inputs.size(); ++i) {
    write_input(json, statement.inputs[i], answer.inputs[i]);
  }
  json.end_array();
  json.key("answer").raw(answer_json(answer));
  json.end_object();
  return out + "\n";
}

// The plan has an unindented line where each input begins.
std::string text_of(const nq::Statement& statement, const Answer& answer) {
  std::string out;
  size_t inputs = 0;
  const auto tell = [&] {
    if (inputs > 0 && inputs <= answer.inputs.size()) {
      out += text_of(answer.inputs[inputs - 1]) + "\n";
    }
  };
  for (const std::string& line : lines_of(nq::explain(statement))) {
    if (!line.starts_with(' ')) {
      tell();
      ++inputs;
    }
    out += line + "\n";
  }
  if (inputs <= answer.inputs.size()) tell();
  return out + answer_text(answer);
}

}  // namespace

std::string plan_text(const nq::Statement& statement, Format format) {
  if (format == Format::csv) return csv_of(nq::explain(statement));
  if (!is_json(format)) return nq::explain(statement);
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  write_plan(json, statement);
  json.end_object();
  return out + "\n";
}

Result<std::string> analyze(const nq::Statement& statement, const Environment& environment,
                            Format format, Answer& answer) {
  Discard nowhere;
  NINES_CHECK(run_statement(statement, environment, nowhere, answer));
  if (is_json(format)) return json_of(statement, answer);
  const std::string text = text_of(statement, answer);
  return format == Format::csv ? csv_of(text) : text;
}

}  // namespace nines::agent::query
