// How an answer is written; output.hpp tells what each looks like.
#pragma once

#include <cstdint>

namespace nines::agent::query {

enum class Format : uint8_t { table, json, ndjson, csv, raw };

}  // namespace nines::agent::query
