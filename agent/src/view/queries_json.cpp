#include "view/queries_json.hpp"

#include "nines/base/json_writer.hpp"
#include "nines/base/time.hpp"

namespace nines::agent::view {

std::string queries_json(const std::vector<QueryStatus>& queries) {
  std::string body;
  JsonWriter out(body, 2);
  out.begin_array();
  for (const QueryStatus& q : queries) {
    out.begin_object();
    out.member("name", q.name).member("sql", q.sql);
    out.member("every", format_duration_s(q.every_s)).member("severity", q.severity);
    out.key("notify").begin_array();
    for (const std::string& name : q.notify) out.value(name);
    out.end_array();
    out.member("last_run", q.last_run).member("last_rows", q.last_rows);
    out.member("last_duration_ms", q.last_duration_ns / kNsPerMs);
    out.key("error");
    q.error.empty() ? out.null() : out.value(q.error);
    out.member("runs", q.runs).member("errors", q.errors).member("records", q.records);
    out.member("rows", q.rows).member("omitted", q.omitted).member("evicted", q.evicted);
    out.member("not_kept", q.not_kept).member("lag_bytes", q.lag_bytes);
    out.end_object();
  }
  out.end_array();
  return body += '\n';
}

}  // namespace nines::agent::view
