// The option table of nines.yaml: every key once, with its type, default, range and text. The
// parser, the defaults and the commented sample file all come from it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "config/reader.hpp"
#include "config/remedy_target_config.hpp"

namespace nines::agent::config {

enum class OptionType : uint8_t {
  text,
  texts,   // a text or a list of texts
  choice,  // one of `choices`
  integer,
  duration,  // value and range in milliseconds
  size,      // value and range in bytes
  offset,    // UTC offset in seconds
  map,
  maps,  // a list of maps
  flag,  // true or false, as number 1 or 0
};

struct OptionValue {
  std::string text;
  std::vector<std::string> texts;
  int64_t number = 0;
};

// Where values go. Items of a list are written to the last element.
struct Draft {
  NodeConfig node;
  RemedyTargets remedies;
  std::string token_file;                    // of the last webhook
  std::vector<std::string> upstream_labels;  // of the last one
  std::vector<std::string> header_files;     // of the last webhook of remediation
};

struct Option {
  std::string_view path;  // "limits.files", "sources[].name"
  OptionType type;
  std::string_view fallback;  // default as text; empty: none
  int64_t min, max;           // integer, duration (ms), size (bytes)
  std::string_view choices;   // "a b c"; alternatives after '=' are taken for the first: "a=x=y b"
  std::string_view doc;
  std::string_view sample;  // value in the sample file; empty: the default
  void (*assign)(Draft&, OptionValue&&);
};

std::span<const Option> option_table();
std::span<const Option> remediation_options();  // a part of it

// Reads the options directly below `prefix` ("", "sources[].", "limits.") from `reader`; maps are
// entered, lists of maps are left to the caller. `skip` names keys that do not apply here.
void read_options(MapReader& reader, std::string_view prefix, Draft& draft, Reporter& report,
                  std::span<const std::string_view> skip = {});
// Sets every default below `prefix`.
void apply_defaults(std::string_view prefix, Draft& draft);

// packaging/examples/nines.yaml: every key, commented out, with its text, default and range.
std::string sample_config();

}  // namespace nines::agent::config
