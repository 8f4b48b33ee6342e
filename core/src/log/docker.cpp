#include "nines/log/docker.hpp"

#include "log/json_scan.hpp"
#include "nines/log/format.hpp"
#include "nines/log/timestamp.hpp"

namespace nines::log {
namespace {

bool read_stream(std::string_view text, CriStream& out) noexcept {
  out = text == "stderr" ? CriStream::err : CriStream::out;
  return text == "stdout" || text == "stderr";
}

bool read_time(std::string_view text, WallTime& out) noexcept {
  const auto time = parse_iso_time(text, TimeContext{});
  if (time) out = time->ts;
  return time && time->length == text.size();
}

// Takes the escape "\<c>" off the end of `text`. A backslash that is itself escaped is none.
bool drop_escape(std::string_view& text, char c) noexcept {
  if (text.size() < 2 || text.back() != c) return false;
  size_t slashes = 0;
  while (slashes + 1 < text.size() && text[text.size() - 2 - slashes] == '\\') ++slashes;
  if (slashes % 2 == 0) return false;
  text.remove_suffix(2);
  return true;
}

enum Member : unsigned { kLog = 1, kStream = 2, kTime = 4, kAttrs = 8 };
constexpr unsigned kNeeded = kLog | kStream | kTime;

unsigned member(std::string_view name) noexcept {
  if (name == "log") return kLog;
  if (name == "stream") return kStream;
  if (name == "time") return kTime;
  if (name == "attrs") return kAttrs;
  return 0;
}

bool take(unsigned which, const RawValue& value, DockerLine& out) noexcept {
  if (which == kAttrs) return true;
  if (value.kind != RawValue::Kind::string) return false;
  if (which == kStream) return read_stream(value.text, out.stream);
  if (which == kTime) return read_time(value.text, out.ts);
  out.text = value.text;
  out.escaped = value.escaped;
  return true;
}

}  // namespace

bool parse_docker(std::string_view line, DockerLine& out) noexcept {
  line = trim_right(line);
  if (line.size() < 2 || line.front() != '{' || line.back() != '}') return false;
  out = DockerLine{};
  const char* p = skip_blanks(line.data() + 1, line.data() + line.size());
  const char* const end = line.data() + line.size();
  unsigned seen = 0;
  for (;;) {
    RawValue name;
    RawValue value;
    if (p == end || *p != '"' || (p = scan_value(p, end, name)) == nullptr) return false;
    p = skip_blanks(p, end);
    if (p == end || *p != ':') return false;
    p = scan_value(skip_blanks(p + 1, end), end, value);
    const unsigned which = member(name.text);
    if (p == nullptr || which == 0 || (seen & which) != 0 || !take(which, value, out)) return false;
    seen |= which;
    p = skip_blanks(p, end);
    if (p == end || (*p != ',' && *p != '}')) return false;
    if (*p++ == '}') break;
    p = skip_blanks(p, end);
  }
  if (p != end || (seen & kNeeded) != kNeeded) return false;
  out.partial = !drop_escape(out.text, 'n');
  if (!out.partial) drop_escape(out.text, 'r');
  out.escaped = out.escaped && out.text.find('\\') != std::string_view::npos;
  return true;
}

std::string_view docker_content(const DockerLine& line, std::string& scratch) {
  if (!line.escaped) return line.text;
  scratch.resize(line.text.size());
  scratch.resize(unescape_json(line.text, scratch.data(), scratch.size()));
  return scratch;
}

}  // namespace nines::log
