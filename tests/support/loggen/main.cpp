// nines-loggen: writes realistic logs to a file or stdout; the same options give the same bytes.
//
//   nines-loggen --format nginx|json|cri|logfmt|syslog|syslog5424 [--out FILE] [--seed N]
//                [--bytes N[k|M|G]] [--lines N] [--days D]      what comes first ends it
//                [--start 2026-11-20T00:00:00Z] [--rate R] [--swing 0..0.95] [--service NAME]
//                [--outages HOUR:MINUTES:SHARE,...] [--malformed SHARE]
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "lines.hpp"
#include "traffic.hpp"

namespace {

using namespace nines::demo;

struct Options {
  LineFormat format = LineFormat::nginx;
  std::string out, service = "shop";
  double bytes = std::numeric_limits<double>::infinity();
  double lines = std::numeric_limits<double>::infinity();
  double days = std::numeric_limits<double>::infinity();
  double malformed = 0;
  TrafficOptions traffic;
};

[[noreturn]] void usage(const std::string& problem) {
  std::fprintf(stderr, "nines-loggen: %s\n  see the head of tests/support/loggen/main.cpp\n",
               problem.c_str());
  std::exit(2);
}

double number(const std::string& text) {
  char* end = nullptr;
  double value = std::strtod(text.c_str(), &end);
  const std::string_view unit = end;
  if (unit == "k") value *= 1e3;
  if (unit == "M") value *= 1e6;
  if (unit == "G") value *= 1e9;
  if (end == text.c_str() || unit.size() > 1 || value < 0) usage("not a number: " + text);
  return value;
}

int64_t start_time(const std::string& text) {
  int y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0;
  if (std::sscanf(text.c_str(), "%d-%d-%dT%d:%d:%dZ", &y, &mo, &d, &h, &mi, &s) != 6) {
    usage("--start must look like 2026-11-20T00:00:00Z");
  }
  y -= mo <= 2;
  const int64_t era = y / 400, yoe = y - era * 400;
  const int64_t doy = (153 * (mo > 2 ? mo - 3 : mo + 9) + 2) / 5 + d - 1;
  const int64_t days = era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
  return ((days * 24 + h) * 60 + mi) * 60 + s;
}

void parse_outages(const std::string& text, TrafficOptions& traffic) {
  size_t at = 0;
  while (at < text.size()) {
    double hour = 0, minutes = 0, share = 0;
    int used = 0;
    if (std::sscanf(text.c_str() + at, "%lf:%lf:%lf%n", &hour, &minutes, &share, &used) != 3) {
      usage("--outages must look like 14.5:20:0.3,20:5:0.8");
    }
    Outage outage;
    outage.start_ns = traffic.start_ns + static_cast<int64_t>(hour * 3600) * kNsPerSecond;
    outage.end_ns = outage.start_ns + static_cast<int64_t>(minutes * 60) * kNsPerSecond;
    outage.error_share = share;
    traffic.outages.push_back(outage);
    at += static_cast<size_t>(used) + 1;
  }
}

Options parse(int argc, char** argv) {
  std::map<std::string, std::string> given;
  for (int i = 1; i + 1 < argc; i += 2) given[argv[i]] = argv[i + 1];
  if (argc % 2 == 0) usage("every option takes a value");
  Options o;
  o.traffic.start_ns = start_time("2026-11-20T00:00:00Z") * kNsPerSecond;
  const auto take = [&](const char* name) -> std::optional<std::string> {
    const auto it = given.find(name);
    if (it == given.end()) return std::nullopt;
    auto value = it->second;
    given.erase(it);
    return value;
  };
  if (auto v = take("--format"); v && !line_format_from_name(*v, o.format)) {
    usage("unknown format " + *v);
  }
  if (auto v = take("--out")) o.out = *v;
  if (auto v = take("--service")) o.service = *v;
  if (auto v = take("--bytes")) o.bytes = number(*v);
  if (auto v = take("--lines")) o.lines = number(*v);
  if (auto v = take("--days")) o.days = number(*v);
  if (auto v = take("--seed")) o.traffic.seed = static_cast<uint64_t>(number(*v));
  if (auto v = take("--rate")) o.traffic.rate = number(*v);
  if (auto v = take("--swing")) o.traffic.swing = number(*v);
  if (auto v = take("--malformed")) o.malformed = number(*v);
  if (auto v = take("--start")) o.traffic.start_ns = start_time(*v) * kNsPerSecond;
  if (auto v = take("--outages")) parse_outages(*v, o.traffic);
  if (!given.empty()) usage("unknown option " + given.begin()->first);
  if (std::isinf(o.bytes) && std::isinf(o.lines) && std::isinf(o.days)) {
    usage("say when to stop: --bytes, --lines or --days");
  }
  return o;
}

int generate(const Options& o, std::FILE* file) {
  Traffic traffic(o.traffic);
  LineWriter writer(o.format, o.service);
  Random spoil(o.traffic.seed + 1);
  const double end_ns = static_cast<double>(o.traffic.start_ns) + o.days * 86400e9;
  double written = 0;
  std::string buffer;
  Request request;
  for (double line = 0; line < o.lines; ++line) {
    traffic.next(request);
    if (static_cast<double>(request.ts_ns) >= end_ns) break;
    if (written + static_cast<double>(buffer.size()) >= o.bytes) break;
    if (o.malformed > 0 && spoil.chance(o.malformed)) {
      writer.append_malformed(request, buffer);
    } else {
      writer.append(request, buffer);
    }
    if (buffer.size() >= 1 << 20) {
      if (std::fwrite(buffer.data(), 1, buffer.size(), file) != buffer.size()) return 1;
      written += static_cast<double>(buffer.size());
      buffer.clear();
    }
  }
  const bool ok = std::fwrite(buffer.data(), 1, buffer.size(), file) == buffer.size();
  return ok && std::fflush(file) == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  std::FILE* file = options.out.empty() ? stdout : std::fopen(options.out.c_str(), "wb");
  if (file == nullptr) usage("cannot write " + options.out);
  const int result = generate(options, file);
  if (result != 0) std::perror("nines-loggen");
  return std::fclose(file) == 0 ? result : 1;
}
