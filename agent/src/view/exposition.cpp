#include "view/exposition.hpp"

#include "view/text.hpp"

namespace nines::agent::view {
namespace {

void append_label_value(std::string& out, std::string_view value) {
  for (const char c : value) {
    if (c == '\\')
      out += "\\\\";
    else if (c == '"')
      out += "\\\"";
    else if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
}

}  // namespace

double seconds(WallTime t) { return static_cast<double>(t.ns / kNsPerMs) / 1000; }

void Exposition::sample(Labels labels, double value) { append(labels, double_text(value)); }

void Exposition::family(std::string_view name, std::string_view help, std::string_view type) {
  name_ = name;
  out_.append("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ");
  out_.append(name).append(" ").append(type).append("\n");
}
void Exposition::append(Labels labels, std::string_view value) {
  if (value == "null") return;
  out_ += name_;
  char separator = '{';
  for (const auto& [key, text] : labels) {
    if (key == "group" && text.empty()) continue;  // of rows only
    out_ += separator;
    separator = ',';
    out_.append(key).append("=\"");
    append_label_value(out_, text);
    out_ += '"';
  }
  if (labels.size() != 0) out_ += '}';
  out_.append(" ").append(value).append("\n");
}

}  // namespace nines::agent::view
