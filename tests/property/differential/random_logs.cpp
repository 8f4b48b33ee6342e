#include "random_logs.hpp"

#include "nines/base/time.hpp"

namespace nines::test {
namespace {

constexpr int64_t kStart = 1'772'323'200'000;  // 2026-03-01T00:00:00Z in ms

struct Record {
  std::string ts, level, service, message, tag, method, path;
  std::string n, x, ok, user, status;  // empty: missing
};

// No text is spelled as a level is in SQL: there it would be one (sync/src/sql/values.hpp).
Record random_record(Chance& chance, int64_t ms) {
  Record r;
  r.ts = format_rfc3339({(kStart + ms) * kNsPerMs});
  r.level = chance.of<std::string>({"info", "INFO", "warn", "error", "ERROR", "debug", "", "loud"});
  r.service = chance.of<std::string>({"api", "auth", "web", ""});
  r.message = chance.of<std::string>({"started", "timeout after 15 ms", "timeout after 200 ms",
                                      "connection refused", "user it's", "took 1.5ms", "GET /a",
                                      "50% done", "under_score", "Error", "Grüße", "a|b,c"});
  r.tag = chance.of<std::string>({"", "a", "b", "a", "7", "1e3", "0x1f", "Error", "x y"});
  r.method = chance.of<std::string>({"GET", "POST", "PUT"});
  r.path = chance.of<std::string>({"/a", "/b?x=1", "/a/b", "/"});
  r.n = chance.of<std::string>({"", "0", "1", "2", "3", "-5", "1000000", "9007199254740993", "7"});
  r.x = chance.of<std::string>(
      {"", "0.5", "1.25", "-0.1", "2", "2.0", "1e-3", "0.1", "0.2", "100.01"});
  r.ok = chance.of<std::string>({"", "true", "false"});
  r.user = chance.of<std::string>({"", "u1", "u2", "u3"});
  r.status = chance.of<std::string>({"200", "200", "404", "500", "503"});
  return r;
}

void add_json(std::string& out, const char* name, const std::string& value, bool bare) {
  if (value.empty()) return;
  out.append(out.size() > 1 ? "," : "").append("\"").append(name).append("\":");
  out.append(bare ? value : "\"" + value + "\"");
}

std::string json_line(Chance& chance, const Record& r) {
  std::string out = "{";
  if (!chance.one_in(12)) add_json(out, "ts", r.ts, false);
  add_json(out, "level", r.level, false);
  add_json(out, "service", r.service, false);
  add_json(out, "message", r.message, false);
  add_json(out, "tag", r.tag, r.tag == "7" || r.tag == "1e3");
  add_json(out, "n", r.n, !chance.one_in(8));  // sometimes a text
  add_json(out, "x", r.x, true);
  add_json(out, "ok", r.ok, true);
  add_json(out, "status", r.status, true);
  add_json(out, "method", r.method, false);
  if (!r.user.empty())
    out += std::string(out.size() > 1 ? "," : "") + R"("user":{"id":")" + r.user + "\"}";
  return out + "}";
}

std::string logfmt_line(Chance& chance, const Record& r) {
  std::string out = chance.one_in(12) ? "" : "ts=" + r.ts + " ";
  const auto add = [&](const char* name, const std::string& value) {
    if (value.empty()) return;
    const bool quotes = value.find_first_of(" \"=") != std::string::npos;
    out.append(name).append("=").append(quotes ? "\"" + value + "\"" : value).append(" ");
  };
  add("level", r.level);
  add("service", r.service);
  add("msg", r.message);
  add("tag", r.tag);
  add("n", r.n);
  add("x", r.x);
  add("ok", r.ok);
  add("status", r.status);
  add("method", r.method);
  if (!out.empty()) out.pop_back();
  return out;
}

std::string access_line(Chance& chance, const Record& r, int64_t ms) {
  const int64_t s = ms / 1000;
  char time[40];
  std::snprintf(time, sizeof time, "01/Mar/2026:%02d:%02d:%02d +0000", static_cast<int>(s / 3600),
                static_cast<int>(s / 60 % 60), static_cast<int>(s % 60));
  return "10.0.0." + std::to_string(chance.below(3)) + " - - [" + time + "] \"" + r.method + " " +
         r.path + " HTTP/1.1\" " + r.status + " " + (r.n.empty() || r.n[0] == '-' ? "-" : r.n) +
         " \"-\" \"curl/7\"";
}

std::string broken(Chance& chance, std::string line) {
  switch (chance.below(3)) {
    case 0: return line.substr(0, chance.below(line.size() + 1));
    case 1: return "?? " + line;
    default: return "garbage";
  }
}

}  // namespace

LogFile random_log(Chance& chance) {
  LogFile log;
  const size_t format = chance.below(4);
  log.name = format == 0 ? "access.log" : format == 1 ? "app.logfmt" : "app.json";
  const size_t lines = chance.one_in(10) ? chance.below(3) : 5 + chance.below(60);
  int64_t ms = 0;
  for (size_t i = 0; i < lines; ++i) {
    ms += chance.one_in(6) ? 0 : static_cast<int64_t>(chance.below(20'000));
    const int64_t late = chance.one_in(10) ? static_cast<int64_t>(chance.below(1500)) : 0;
    const int64_t at = ms > late ? ms - late : ms;
    const Record record = random_record(chance, at);
    std::string line = format == 0   ? access_line(chance, record, at)
                       : format == 1 ? logfmt_line(chance, record)
                                     : json_line(chance, record);
    // The first lines decide which format it is.
    log.lines.push_back(i > 4 && chance.one_in(15) ? broken(chance, line) : std::move(line));
  }
  return log;
}

}  // namespace nines::test
