// Values and rows as JSON.
#pragma once

#include <string>
#include <vector>

#include "nines/base/json_writer.hpp"
#include "nines/query/row.hpp"

namespace nines::agent::query {

inline void write_value(JsonWriter& json, const Value& v) {
  switch (v.kind) {
    case ValueKind::null: json.null(); break;
    case ValueKind::boolean: json.value(v.mantissa != 0); break;
    case ValueKind::number: json.value(Decimal{v.mantissa, v.exponent}); break;
    case ValueKind::real: json.value(v.real); break;
    case ValueKind::text: json.value(v.text); break;
    case ValueKind::time: json.value(WallTime{v.time_ns}); break;
    case ValueKind::level: json.value(level_name(v.level)); break;
  }
}

inline void append_row_json(std::string& out, const std::vector<std::string>& columns,
                            const nines::query::Row& row) {
  JsonWriter json(out);
  json.begin_object();
  for (size_t i = 0; i < columns.size(); ++i) {
    json.key(columns[i]);
    write_value(json, row.values[i]);
  }
  json.end_object();
}

}  // namespace nines::agent::query
