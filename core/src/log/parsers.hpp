// The parsers behind make_parser, and what those with a fixed list of fields share.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "log/field_map.hpp"
#include "nines/log/format.hpp"

namespace nines::log {

using Wanted = std::span<const std::string>;

std::unique_ptr<LineParser> make_combined(Wanted wanted, const TimeContext& time);
std::unique_ptr<LineParser> make_json(Wanted wanted, const TimeContext& time);
std::unique_ptr<LineParser> make_logfmt(Wanted wanted, const TimeContext& time);
std::unique_ptr<LineParser> make_syslog(Wanted wanted, const TimeContext& time);
std::unique_ptr<LineParser> make_plain(Wanted wanted, const TimeContext& time);
Result<std::unique_ptr<LineParser>> make_regex(const FormatSpec& format, Wanted wanted,
                                               const TimeContext& time);
Result<std::unique_ptr<LineParser>> make_csv(const FormatSpec& format, Wanted wanted,
                                             const TimeContext& time);
std::unique_ptr<LineParser> make_journal(Wanted wanted, const TimeContext& time);

// parse_all() of a format with a fixed list of fields: a second parser that wants all of them,
// made at the first call, so that both ways agree by construction.
class AllFields {
 public:
  using Factory = std::unique_ptr<LineParser> (*)(Wanted, const TimeContext&);
  AllFields(Factory factory, std::span<const FieldName> names) : factory_(factory) {
    for (const FieldName& field : names) {
      if (field.id >= static_cast<int>(names_.size())) names_.emplace_back(field.name);
    }
  }
  ParseOutcome parse(std::string_view line, const TimeContext& time, WallTime& ts, bool& has_ts,
                     std::vector<LineParser::NamedValue>& out) {
    if (!parser_) parser_ = factory_(names_, time);
    parser_->set_reference(time.reference);
    values_.resize(names_.size());
    ParsedRecord record{{}, false, values_};
    const ParseOutcome outcome = parser_->parse(line, record);
    ts = record.ts;
    has_ts = record.has_ts;
    out.clear();
    for (size_t i = 0; i < names_.size(); ++i) {
      if (!values_[i].is_null()) out.push_back({names_[i], values_[i]});
    }
    return outcome;
  }

 private:
  Factory factory_;
  std::vector<std::string> names_;
  std::vector<Value> values_;
  std::unique_ptr<LineParser> parser_;
};

}  // namespace nines::log
