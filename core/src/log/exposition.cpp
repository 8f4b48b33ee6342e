// Grammar: prometheus.io/docs/instrumenting/exposition_formats (0.0.4) and the ABNF of OpenMetrics
// 1.0. Looser than both where writers are: blanks around tokens, a missing group order.
#include "nines/log/exposition.hpp"

#include <cmath>
#include <cstring>
#include <limits>

#include "log/scan.hpp"

namespace nines::log {
namespace {

bool name_start(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

size_t name_length(std::string_view text, bool colons) noexcept {
  size_t n = 0;
  while (n < text.size() && (name_start(text[n]) || (colons && text[n] == ':') ||
                             (n > 0 && text[n] >= '0' && text[n] <= '9'))) {
    ++n;
  }
  return n;
}

void skip_space(std::string_view& text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
}

std::string_view take_token(std::string_view& text) noexcept {
  skip_space(text);
  size_t n = 0;
  while (n < text.size() && text[n] != ' ' && text[n] != '\t') ++n;
  const std::string_view token = text.substr(0, n);
  text.remove_prefix(n);
  return token;
}

MetricType type_of(std::string_view word) noexcept {
  if (word == "counter") return MetricType::counter;
  if (word == "gauge") return MetricType::gauge;
  if (word == "histogram") return MetricType::histogram;
  if (word == "gaugehistogram") return MetricType::gauge_histogram;
  if (word == "summary") return MetricType::summary;
  if (word == "info") return MetricType::info;
  if (word == "stateset") return MetricType::state_set;
  return MetricType::unknown;
}

bool ends_with_eof(std::string_view body) noexcept {
  while (!body.empty() && (body.back() == '\n' || body.back() == '\r')) body.remove_suffix(1);
  constexpr std::string_view kEof = "# EOF";
  if (!body.ends_with(kEof)) return false;
  return body.size() == kEof.size() || body[body.size() - kEof.size() - 1] == '\n';
}

}  // namespace

ExpositionReader::ExpositionReader(std::string_view body)
    : body_(body), scratch_(new char[kMaxScratch]) {
  open_metrics_ = ends_with_eof(body);
  complete_ = body.empty() || body.back() == '\n' || open_metrics_;
}

bool ExpositionReader::next(ExpositionSample& out) noexcept {
  while (!ended_ && at_ < body_.size()) {
    const void* found = std::memchr(body_.data() + at_, '\n', body_.size() - at_);
    const size_t stop = found == nullptr
                            ? body_.size()
                            : static_cast<size_t>(static_cast<const char*>(found) - body_.data());
    std::string_view line = body_.substr(at_, stop - at_);
    at_ = found == nullptr ? stop : stop + 1;
    if (line.ends_with('\r')) line.remove_suffix(1);
    switch (read_line(line, out)) {
      case Line::sample: ++counts_.samples; return true;
      case Line::malformed: ++counts_.malformed; break;
      case Line::native: ++counts_.native_histograms; break;
      case Line::none: break;
    }
  }
  return false;
}

ExpositionReader::Line ExpositionReader::read_line(std::string_view line,
                                                   ExpositionSample& out) noexcept {
  skip_space(line);
  if (line.empty()) return Line::none;
  if (line.front() == '#') {
    read_comment(line);
    return Line::none;
  }
  label_count_ = 0;
  scratch_used_ = 0;
  const size_t n = name_length(line, true);
  if (n == 0) return Line::malformed;
  out.name = line.substr(0, n);
  line.remove_prefix(n);
  const bool blank = line.starts_with(' ') || line.starts_with('\t');
  skip_space(line);
  if (line.starts_with('{')) {
    // "name {count:12,sum:3.5,...}" is a native histogram, "name {label="x"}" a loose writer.
    const size_t word = line.find_first_of(":=}\"");
    if (blank && word != std::string_view::npos && line[word] == ':') return Line::native;
    if (!read_labels(line)) return Line::malformed;
    skip_space(line);
    if (line.starts_with('{')) return Line::native;
  } else if (!blank) {
    return Line::malformed;
  }
  out.value = take_token(line);
  if (!parse_metric_number(out.value)) return Line::malformed;
  skip_space(line);
  out.ts.reset();
  if (!line.empty() && line.front() != '#') {
    if (!read_time(take_token(line), out.ts)) return Line::malformed;
    skip_space(line);
  }
  if (line.starts_with('#')) {
    ++counts_.exemplars;
  } else if (!line.empty()) {
    return Line::malformed;
  }
  out.labels = {labels_.data(), label_count_};
  return classify(out) ? Line::sample : Line::malformed;
}

void ExpositionReader::read_comment(std::string_view line) noexcept {
  line.remove_prefix(1);
  const std::string_view word = take_token(line);
  if (word == "EOF" && open_metrics_) {
    ended_ = true;
  } else if (word == "TYPE") {
    family_ = take_token(line);
    type_ = type_of(take_token(line));
  }
}

// `rest` starts at '{' and is left behind '}'.
bool ExpositionReader::read_labels(std::string_view& rest) noexcept {
  rest.remove_prefix(1);
  for (;;) {
    skip_space(rest);
    if (rest.starts_with('}')) break;
    const size_t n = name_length(rest, false);
    if (n == 0 || label_count_ == kMaxLabels) return false;
    ExpositionLabel label{rest.substr(0, n), {}};
    rest.remove_prefix(n);
    skip_space(rest);
    if (!rest.starts_with('=')) return false;
    rest.remove_prefix(1);
    skip_space(rest);
    if (!rest.starts_with('"')) return false;
    rest.remove_prefix(1);
    if (!read_label_value(rest, label.value)) return false;
    for (size_t i = 0; i < label_count_; ++i) {
      if (labels_[i].name == label.name) return false;
    }
    labels_[label_count_++] = label;
    skip_space(rest);
    if (rest.starts_with('}')) break;
    if (!rest.starts_with(',')) return false;
    rest.remove_prefix(1);
  }
  rest.remove_prefix(1);
  return true;
}

// `rest` starts behind the opening quote and is left behind the closing one.
bool ExpositionReader::read_label_value(std::string_view& rest, std::string_view& out) noexcept {
  size_t n = 0;
  while (n < rest.size() && rest[n] != '"' && rest[n] != '\\') ++n;
  if (n < rest.size() && rest[n] == '"') {
    out = rest.substr(0, n);
    rest.remove_prefix(n + 1);
    return true;
  }
  char* const begin = scratch_.get() + scratch_used_;
  size_t used = 0;
  const size_t room = kMaxScratch - scratch_used_;
  for (size_t i = 0; i < rest.size() && used < room; ++i) {
    char c = rest[i];
    if (c == '"') {
      out = {begin, used};
      scratch_used_ += used;
      rest.remove_prefix(i + 1);
      return true;
    }
    if (c == '\\' && i + 1 < rest.size()) {
      const char escaped = rest[i + 1];
      if (escaped == 'n' || escaped == '"' || escaped == '\\') {
        c = escaped == 'n' ? '\n' : escaped;
        ++i;
      }  // any other escape stays as it is, as Prometheus reads it
    }
    begin[used++] = c;
  }
  return false;
}

// Which role a suffix has in a family of this type; gauge when the whole name is the family's.
std::optional<SampleRole> ExpositionReader::role_of(std::string_view suffix) const noexcept {
  const bool distribution = type_ == MetricType::histogram || type_ == MetricType::summary;
  if (type_ == MetricType::counter && (suffix.empty() || suffix == "_total")) {
    return SampleRole::counter;
  }
  if (suffix.empty()) return SampleRole::gauge;
  if (suffix == "_created" && (distribution || type_ == MetricType::counter)) {
    return SampleRole::created;
  }
  if (suffix == "_count" && distribution) return SampleRole::count;
  if (suffix == "_sum" && distribution) return SampleRole::sum;
  if (suffix == "_bucket" && type_ == MetricType::histogram) return SampleRole::bucket;
  const bool current = type_ == MetricType::gauge_histogram &&
                       (suffix == "_bucket" || suffix == "_gcount" || suffix == "_gsum");
  if (current || (suffix == "_info" && type_ == MetricType::info)) return SampleRole::gauge;
  return std::nullopt;
}

bool ExpositionReader::classify(ExpositionSample& out) const noexcept {
  std::optional<SampleRole> role;
  if (!family_.empty() && out.name.starts_with(family_)) {
    role = role_of(out.name.substr(family_.size()));
  }
  out.type = role ? type_ : MetricType::unknown;
  out.family = role ? family_ : out.name;
  out.role = role.value_or(SampleRole::gauge);
  constexpr std::string_view kTotal = "_total", kCreated = "_created";
  if (out.type == MetricType::unknown && out.name.ends_with(kTotal)) out.role = SampleRole::counter;
  if (out.role == SampleRole::gauge && type_ == MetricType::gauge && out.name == family_ &&
      out.name.ends_with(kCreated)) {
    // Python's client in 0.0.4: start times as a gauge of their own behind the family.
    out.role = SampleRole::created;
    out.family.remove_suffix(kCreated.size());
  }
  if (out.family.ends_with(kTotal)) out.family.remove_suffix(kTotal.size());
  return out.role != SampleRole::bucket || read_bound(out);
}

bool ExpositionReader::read_bound(ExpositionSample& out) noexcept {
  for (const ExpositionLabel& label : out.labels) {
    if (label.name != "le") continue;
    const auto le = parse_metric_number(label.value);
    out.le = le.value_or(0);
    return le && !std::isnan(*le);
  }
  return false;
}

bool ExpositionReader::read_time(std::string_view text,
                                 std::optional<WallTime>& out) const noexcept {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const auto scaled = parse_metric_count(text, open_metrics_ ? 9 : 6);
  if (!scaled || scaled->value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
    return false;
  }
  const auto ns = static_cast<int64_t>(scaled->value);
  out = WallTime{negative ? -ns : ns};
  return true;
}

}  // namespace nines::log
