#include "query/answer.hpp"

#include <cstdio>

#include "nines/base/json_writer.hpp"
#include "nines/base/time.hpp"
#include "view/text.hpp"

namespace nines::agent::query {
namespace {

void write_names(JsonWriter& json, std::string_view key, const std::vector<std::string>& names,
                 const std::vector<std::string>& more = {}) {
  json.key(key).begin_array();
  for (const std::string& name : names) json.value(name);
  for (const std::string& name : more) json.value(name);
  json.end_array();
}

std::string seconds(int64_t ns) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f s",
                static_cast<double>(ns) / static_cast<double>(kNsPerSecond));
  return text;
}

void mention(std::string& out, uint64_t count, std::string_view what) {
  if (count == 0) return;
  out += "; " + std::to_string(count) + " " + std::string(what);
}

}  // namespace

Status whole(const Answer& answer) {
  if (answer.complete) return Ok{};
  std::string why = "the answer is not complete, and the statement refuses partial ones";
  for (const std::string& note : answer.notes) why += "\n  " + note;
  return Error{Errc::unavailable, why};
}

std::string answer_json(const Answer& answer) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.member("complete", answer.complete);
  write_names(json, "nodes_ok", answer.nodes_ok);
  write_names(json, "nodes_failed", answer.nodes_failed);
  json.member("files", answer.files);
  json.member("bytes_scanned", answer.scan.bytes_scanned);
  json.member("bytes_skipped", answer.scan.bytes_skipped);
  json.member("bytes_stored", answer.scan.bytes_stored);
  json.member("rows", answer.rows);
  json.member("malformed", answer.scan.malformed);
  json.member("no_timestamp", answer.scan.no_timestamp);
  json.member("truncated", answer.scan.truncated);
  json.member("evicted", answer.operators.evicted);
  json.member("late", answer.operators.late);
  json.member("pending", answer.operators.pending);
  json.member("approximate", answer.operators.approximate);
  if (answer.network_in + answer.network_out > 0) {
    json.member("network_bytes", answer.network_in + answer.network_out);
  }
  json.member("elapsed_ms", answer.elapsed_ns / kNsPerMs);
  write_names(json, "notes", answer.notes, answer.hints);
  json.end_object();
  return out;
}

std::string answer_text(const Answer& answer) {
  std::string out = std::to_string(answer.rows) + (answer.rows == 1 ? " row" : " rows") + ", " +
                    std::to_string(answer.files) + (answer.files == 1 ? " file, " : " files, ") +
                    view::human_bytes(answer.scan.bytes_scanned) + " read";
  if (answer.scan.bytes_skipped > 0) {
    out += ", " + view::human_bytes(answer.scan.bytes_skipped) + " skipped";
  }
  if (answer.network_in + answer.network_out > 0) {
    out += ", " + view::human_bytes(answer.network_in + answer.network_out) + " over the network";
  }
  out += ", " + seconds(answer.elapsed_ns);
  const size_t nodes = answer.nodes_ok.size() + answer.nodes_failed.size();
  if (nodes > 1) {
    out +=
        "; " + std::to_string(answer.nodes_ok.size()) + " of " + std::to_string(nodes) + " nodes";
  }
  mention(out, answer.scan.malformed, "malformed");
  mention(out, answer.scan.no_timestamp, "without time stamp");
  mention(out, answer.scan.truncated, "cut");
  mention(out, answer.operators.late, "too late");
  mention(out, answer.operators.evicted, "evicted at a limit");
  mention(out, answer.operators.pending, "pending");
  if (answer.operators.approximate) out += "; approximate";
  out += "\n";
  if (!answer.complete) out += "INCOMPLETE:\n";
  for (const std::string& note : answer.notes) out += "  " + note + "\n";
  for (const std::string& hint : answer.hints) out += "  " + hint + "\n";
  return out;
}

}  // namespace nines::agent::query
