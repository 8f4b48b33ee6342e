// Writing expositions as the format's page says, for tests that read them.
#pragma once

#include <string>
#include <string_view>

#include "nines/log/exposition.hpp"

namespace nines::log::test {

inline std::string escaped_label(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '"') {
      out += "\\\"";
    } else if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

inline std::string exposition_line(const ExpositionSample& sample) {
  std::string out(sample.name);
  out += '{';
  for (const ExpositionLabel& label : sample.labels) {
    out += std::string(label.name) + "=\"" + escaped_label(label.value) + "\",";
  }
  return out + "} " + std::string(sample.value) + "\n";
}

}  // namespace nines::log::test
