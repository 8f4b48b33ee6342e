#include "nines/collector/discover.hpp"

#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <vector>

#include "nines/collector/framing.hpp"
#include "nines/collector/pipeline.hpp"
#include "pipeline/file_format.hpp"

namespace nines::collector {
namespace {

struct Candidate {
  std::string path;
  int64_t mtime = 0;
};

// Where services log, and how their files are found again. %r is the root.
struct Place {
  const char* glob;
  const char* service;   // empty: from the path
  const char* selector;  // glob of the SLO's source; empty: the file itself
};
constexpr Place kPlaces[] = {
    {"/pods/*/*/*.log", "", ""},
    {"/nginx/*access*.log", "nginx", "/nginx/*access*.log"},
    {"/apache2/*access*.log", "apache", "/apache2/*access*.log"},
    {"/httpd/*access*log", "apache", "/httpd/*access*log"},
    {"/syslog", "syslog", ""},
    {"/messages", "syslog", ""},
    {"/*.log", "", ""},
    {"/*/*.log", "", ""},
};

std::vector<Candidate> expand(const std::string& pattern) {
  std::vector<Candidate> out;
  glob_t found{};
  if (::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found) == 0) {
    for (size_t i = 0; i < found.gl_pathc; ++i) {
      struct stat info {};
      if (::stat(found.gl_pathv[i], &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0) {
        out.push_back({found.gl_pathv[i], info.st_mtim.tv_sec});
      }
    }
  }
  ::globfree(&found);
  std::sort(out.begin(), out.end(), [](const Candidate& a, const Candidate& b) {
    return a.mtime != b.mtime ? a.mtime > b.mtime : a.path < b.path;
  });
  return out;
}

// The end of a file from its first whole line on. False: unreadable.
bool read_tail(const std::string& path, size_t max_bytes, std::string& out) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return false;
  struct stat info {};
  bool ok = ::fstat(fd, &info) == 0;
  const int64_t from = std::max<int64_t>(0, info.st_size - static_cast<int64_t>(max_bytes));
  out.resize(max_bytes);
  const ssize_t n = ok ? ::pread(fd, out.data(), max_bytes, from) : -1;
  ::close(fd);
  out.resize(n > 0 ? static_cast<size_t>(n) : 0);
  if (from > 0) {
    const size_t nl = out.find('\n');
    out.erase(0, nl == std::string::npos ? out.size() : nl + 1);
  }
  return n >= 0;
}

std::string base_name(const std::string& path) {
  std::string name = path.substr(path.rfind('/') + 1);
  for (const char* tail : {".log", ".access", "_access", "-access"}) {
    const size_t at = name.rfind(tail);
    if (at != std::string::npos && at > 0 &&
        at + std::char_traits<char>::length(tail) == name.size())
      name.resize(at);
  }
  return name;
}

// The service that wrote `path`, and the glob under which its logs are found again.
struct Owner {
  std::string service, glob;
};
Owner owner_of(const Place& place, const std::string& root, const std::string& path) {
  if (const auto names = parse_container_path(path)) {
    const std::string ns(names->ns), container(names->container);
    return {container, root + "/pods/" + ns + "_*_*/" + container + "/*.log"};
  }
  if (*place.selector != '\0') return {place.service, root + place.selector};
  return {*place.service != '\0' ? place.service : base_name(path), path};
}

bool is_status(const Value& v) {
  return v.kind == ValueKind::number && v.exponent == 0 && v.mantissa >= 100 && v.mantissa <= 599;
}

bool is_number(const Value& v) { return v.kind == ValueKind::number || v.kind == ValueKind::real; }

void sample(const std::string& text, WallTime now, slo::LogSignals& signals) {
  FileFormat format(64 * 1024);
  LogStream stream;
  if (!format.detect(stream, text, Reading::last, signals.selector) || !format.matched()) return;
  std::vector<std::string> wanted = {"status", "level"};
  wanted.insert(wanted.end(), slo::duration_fields().begin(), slo::duration_fields().end());
  log::TimeContext time;
  time.reference = now;
  auto parser = log::make_parser(format.format(), wanted, time);
  if (!parser.ok()) return;
  signals.format = format.name();
  std::vector<Value> values(wanted.size());
  FrameScratch scratch;
  FrameInput in = format.input(stream, text, Reading::last, scratch);
  in.rule = format.join_rule(signals.selector, **parser, nullptr);
  format.framer().frame(in, [&](const FramedRecord& record) {
    log::ParsedRecord parsed;
    parsed.fields = values;
    const log::ParseOutcome outcome = (*parser)->parse(record.content, parsed);
    if (outcome == log::ParseOutcome::no_match || outcome == log::ParseOutcome::empty)
      return FrameStep::next;
    ++signals.lines;
    if (is_status(values[0])) ++signals.with_status;
    if (values[1].kind == ValueKind::level) ++signals.with_level;
    for (size_t i = 2; i < values.size(); ++i) {
      if (!is_number(values[i])) continue;
      if (signals.duration_field.empty()) signals.duration_field = wanted[i];
      if (signals.duration_field == wanted[i]) ++signals.with_duration;
      break;
    }
    return FrameStep::next;
  });
}

}  // namespace

slo::LogSignals sample_logs(const std::string& service, const slo::SourceSelector& selector,
                            const DiscoverOptions& options, WallTime now) {
  slo::LogSignals signals;
  signals.service = service;
  signals.selector = selector;
  std::string text;
  for (const std::string& pattern : globs_of(selector).include) {
    size_t sampled = 0;
    for (const Candidate& file : expand(pattern)) {
      if (sampled == options.files_per_service) break;
      if (read_tail(file.path, options.sample_bytes, text)) sample(text, now, signals);
      ++sampled;
    }
  }
  return signals;
}

Discovered discover_logs(const DiscoverOptions& options, WallTime now) {
  Discovered out;
  std::map<std::string, slo::LogSignals> services;  // by glob
  std::map<std::string, size_t> sampled;
  std::map<std::string, bool> seen;
  std::string text;
  for (const Place& place : kPlaces) {
    for (const Candidate& file : expand(options.root + place.glob)) {
      if (out.files_seen >= options.max_files || seen[file.path]) continue;
      seen[file.path] = true;
      ++out.files_seen;
      const Owner owner = owner_of(place, options.root, file.path);
      if (sampled[owner.glob] >= options.files_per_service) continue;
      if (!read_tail(file.path, options.sample_bytes, text)) {
        if (errno == EACCES || errno == EPERM) out.unreadable.push_back(file.path);
        continue;
      }
      ++sampled[owner.glob];
      slo::LogSignals& signals = services[owner.glob];
      signals.service = owner.service;
      signals.selector.paths = {owner.glob};
      sample(text, now, signals);
    }
  }
  for (auto& [glob, signals] : services) {
    if (signals.lines > 0) out.services.push_back(std::move(signals));
  }
  return out;
}

}  // namespace nines::collector
