#include "nines/log/cri.hpp"

#include "nines/log/format.hpp"
#include "nines/log/timestamp.hpp"

namespace nines::log {

bool parse_cri(std::string_view line, CriLine& out) noexcept {
  static const TimeContext kUtc{};
  if (line.size() < 27 || line[10] != 'T') return false;
  const auto time = parse_iso_time(line, kUtc);
  if (!time || line.size() < time->length + 7) return false;
  const char last = line[time->length - 1];
  if (last != 'Z' && line.find_last_of("+-", time->length) <= 10) return false;
  const std::string_view stream = line.substr(time->length, 7);
  if (stream == " stdout") {
    out.stream = OutputStream::out;
  } else if (stream == " stderr") {
    out.stream = OutputStream::err;
  } else {
    return false;
  }
  std::string_view rest = line.substr(time->length + 7);
  if (!rest.empty() && rest.front() != ' ') return false;
  if (!rest.empty()) rest.remove_prefix(1);
  out.ts = time->ts;
  out.partial = false;
  // Tags are "F" or "P", more may follow behind colons: "P:x".
  const bool tagged = !rest.empty() && (rest[0] == 'F' || rest[0] == 'P') &&
                      (rest.size() == 1 || rest[1] == ' ' || rest[1] == ':');
  if (tagged) {
    out.partial = rest[0] == 'P';
    const size_t space = rest.find(' ');
    rest = space == std::string_view::npos ? std::string_view() : rest.substr(space + 1);
  }
  out.content = rest;
  return true;
}

}  // namespace nines::log
