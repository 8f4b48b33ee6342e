#include "otlp_codec.hpp"

#include <zlib.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "nines/base/contract.hpp"
#include "nines/base/json_writer.hpp"

namespace nines::upstream {
namespace {

constexpr int kCumulative = 2;  // AGGREGATION_TEMPORALITY_CUMULATIVE

std::string_view resource_name(std::string_view label) {
  if (label == "job") return "service.name";
  if (label == "instance") return "service.instance.id";
  return label == "node" ? "host.name" : "";
}

std::string_view name_of(const TimeSeries& series) {
  for (const Label& label : series.labels) {
    if (label.name == "__name__") return label.value;
  }
  return {};
}

void attribute(JsonWriter& json, std::string_view key, std::string_view value) {
  json.begin_object().member("key", key).key("value").begin_object();
  json.member("stringValue", value).end_object().end_object();
}

void points_of(JsonWriter& json, const TimeSeries& series) {
  for (const Sample& sample : series.samples) {
    json.begin_object().key("attributes").begin_array();
    for (const Label& label : series.labels) {
      if (label.name != "__name__" && resource_name(label.name).empty()) {
        attribute(json, label.name, label.value);
      }
    }
    json.end_array();
    json.member("timeUnixNano", std::to_string(sample.at_ms) + "000000");
    json.member("asDouble", sample.value).end_object();
  }
}

// All series of one name; `left` loses them.
void metric(JsonWriter& json, std::vector<const TimeSeries*>& left) {
  const std::string_view name = name_of(*left.front());
  const bool sum = name.ends_with("_total");
  json.begin_object().member("name", name).key(sum ? "sum" : "gauge").begin_object();
  if (sum) json.member("aggregationTemporality", kCumulative).member("isMonotonic", true);
  json.key("dataPoints").begin_array();
  std::erase_if(left, [&](const TimeSeries* series) {
    if (name_of(*series) != name) return false;
    points_of(json, *series);
    return true;
  });
  json.end_array().end_object().end_object();
}

// The text behind "key": in `json`, without quotes; enough for two fields of a flat answer.
std::string_view value_behind(std::string_view json, std::string_view key) {
  const std::string quoted = "\"" + std::string(key) + "\"";
  const size_t at = json.find(quoted);
  if (at == std::string_view::npos) return {};
  std::string_view rest = json.substr(at + quoted.size());
  const size_t start = rest.find_first_not_of(" \t\r\n:");
  if (start == std::string_view::npos) return {};
  rest.remove_prefix(start);
  if (rest.front() != '"') return rest.substr(0, rest.find_first_of(",} \t\r\n"));
  rest.remove_prefix(1);
  return rest.substr(0, rest.find('"'));
}

}  // namespace

std::string encode_otlp(std::span<const TimeSeries> series) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("resourceMetrics").begin_array();
  if (!series.empty()) {
    json.begin_object().key("resource").begin_object().key("attributes").begin_array();
    for (const Label& label : series.front().labels) {
      if (const auto name = resource_name(label.name); !name.empty()) {
        attribute(json, name, label.value);
      }
    }
    json.end_array().end_object().key("scopeMetrics").begin_array().begin_object();
    json.key("scope").begin_object().member("name", "nines").end_object();
    json.key("metrics").begin_array();
    std::vector<const TimeSeries*> left;
    for (const TimeSeries& s : series) left.push_back(&s);
    while (!left.empty()) metric(json, left);
    json.end_array().end_object().end_array().end_object();
  }
  json.end_array().end_object();
  return out;
}

std::string gzip(const std::string& plain) {
  constexpr int kGzip = 15 + 16, kMemory = 8;
  z_stream stream{};
  NINES_ASSERT(deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzip, kMemory,
                            Z_DEFAULT_STRATEGY) == Z_OK);
  std::string in = plain, out(deflateBound(&stream, plain.size()), '\0');
  stream.next_in = reinterpret_cast<unsigned char*>(in.data());
  stream.avail_in = static_cast<unsigned>(in.size());
  stream.next_out = reinterpret_cast<unsigned char*>(out.data());
  stream.avail_out = static_cast<unsigned>(out.size());
  NINES_ASSERT(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::optional<OtlpRejected> otlp_rejected(std::string_view answer) {
  const std::string_view points = value_behind(answer, "rejectedDataPoints");
  OtlpRejected out;
  const auto read = std::from_chars(points.data(), points.data() + points.size(), out.points);
  if (points.empty() || read.ec != std::errc{} || out.points == 0) return std::nullopt;
  out.message = value_behind(answer, "errorMessage");
  return out;
}

}  // namespace nines::upstream
