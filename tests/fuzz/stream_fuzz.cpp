// What arrives at sockets: the first byte chooses. 0, 1 (mod 3): a syslog connection in random
// pieces (the second byte seeds them), which must make no difference. 2: records of the kernel.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "../../collector/src/stream/syslog_framing.hpp"
#include "nines/log/kmsg.hpp"

namespace {

using namespace nines;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

struct Decoded {
  std::string lines;
  uint64_t messages, trimmed, bad_headers;
  bool operator==(const Decoded&) const = default;
};

Decoded decode(std::string_view wire, size_t max_message, uint32_t seed) {
  using collector::SyslogFramer;
  SyslogFramer framer(max_message);
  Decoded out{};
  while (!wire.empty()) {
    seed = seed * 1664525u + 1013904223u;
    const size_t size = std::min<size_t>(wire.size(), seed == 0 ? wire.size() : 1 + seed % 61);
    std::string room(size + SyslogFramer::kSlack, '?');
    const size_t got = framer.decode(wire.substr(0, size), room.data());
    require(got <= room.size(), "no more than there is room for");
    out.lines.append(room, 0, got);
    wire.remove_prefix(size);
  }
  char end[SyslogFramer::kSlack];
  out.lines.append(end, framer.finish(end));
  out.messages = framer.messages();
  out.trimmed = framer.trimmed();
  out.bad_headers = framer.bad_headers();
  return out;
}

void connection(std::string_view wire) {
  if (wire.empty()) return;
  const auto seed = static_cast<unsigned char>(wire[0]);
  wire.remove_prefix(1);
  const size_t max_message = 16 + seed;
  const Decoded one = decode(wire, max_message, seed);
  require(one == decode(wire, max_message, seed * 7919u + 1), "pieces make no difference");
  size_t length = 0;
  uint64_t lines = 0;
  for (const char c : one.lines) {
    length = c == '\n' ? 0 : length + 1;
    lines += c == '\n';
    require(length <= max_message, "no message beyond the limit");
  }
  require(one.messages == lines + (length > 0), "a message is a line");
}

void kernel(std::string_view block) {
  log::KmsgRecord record;
  if (!log::parse_kmsg(block, record)) return;
  require(record.message.size() <= block.size(), "unescaping never makes longer");
  const log::KmsgEvent event = log::classify_kmsg(record.message);
  if (!event.victim.empty()) {
    require(record.message.find(event.victim) != std::string::npos, "a victim is in the message");
  }
  std::string line;
  log::append_kmsg_json(record, WallTime::from_s(1'795'000'000), line);
  require(line.ends_with("}\n") && line.find('\n') == line.size() - 1, "one line of JSON");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(static_cast<const char*>(static_cast<const void*>(data)) + 1,
                              size - 1);
  if (data[0] % 3 == 2) {
    kernel(text);
  } else {
    connection(text);
  }
  return 0;
}
