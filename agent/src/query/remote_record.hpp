// What the answers of all systems have in common.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "http/client.hpp"
#include "nines/base/result.hpp"
#include "nines/base/time.hpp"

namespace nines::agent::query {

using Json = nlohmann::json;

// Of an answer that is 200: its JSON, at most 64 deep (what is deeper would cost stack elsewhere).
Result<Json> parse_answer(std::string_view body);
Result<Json> parse_ok_answer(const http::ClientResponse& answer);
// "answers 429 (too many requests; it asks to wait 30 s): ..." with the system's own words.
Error refusal(const http::ClientResponse& answer);

// One record, as DESIGN 4.5 names its fields; a line of `out`. `ts` of the record wins over what
// else in it may be a time.
void append_record(std::string& out, Json&& record);

// Text at a path, or nothing.
const Json* child(const Json& json, std::string_view key);
std::string_view text_of(const Json& json, std::string_view key);

// "1763694000.000000001"
std::string epoch_seconds(WallTime time);

// Pages that are asked for from the time of the last record on: those of that time come again.
class Overlap {
 public:
  explicit Overlap(WallTime since) : from_(since) {}
  WallTime from() const noexcept { return from_; }
  // Whether a record is new; its time must not be below that of the one before.
  bool is_new(WallTime time, std::string identity);
  // After a page. False: it held nothing new, although it was full: the time stands still.
  bool moves() const noexcept { return fresh_; }
  void begin_page() noexcept { fresh_ = false; }

 private:
  WallTime from_;
  std::set<std::string> seen_;  // of that time
  bool fresh_ = false;
};

}  // namespace nines::agent::query
