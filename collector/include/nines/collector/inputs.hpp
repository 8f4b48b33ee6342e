// Inputs that bytes flow to: the systemd journal, standard input, syslog senders, the kernel's log.
// Each is an Input with one stream or several; none blocks, none drops what it could keep.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "nines/base/result.hpp"
#include "nines/base/time.hpp"
#include "nines/collector/input.hpp"

namespace nines::collector {

// The journal, volatile and persistent, read by journalctl as a supervised child (its export
// format). Exactly once: the cursor of the last entry taken is the position, committed with the
// counts. When the journal no longer has that entry, reading goes on with the nearest later one.
struct JournalOptions {
  std::vector<uint32_t> sources;    // LogStream::matched
  std::vector<std::string> units;   // -u; empty: all
  std::string directory;            // --directory; empty: the system's journals
  std::string start = "beginning";  // without a position: beginning, end, or RFC 3339
  std::string journalctl = "journalctl";
  size_t buffer_bytes = 512 * 1024;  // also the largest entry that is taken whole
  int64_t max_backoff_ms = 60'000;   // between restarts of a child that ends by itself
  bool once = false;                 // ends where the journal presently ends
};
Result<std::unique_ptr<Input>> make_journal_input(JournalOptions options, RecordConsumer& consumer,
                                                  const std::vector<slo::Position>& saved,
                                                  const Clock& clock);

// What is written to this process. Not resumable.
struct StdinOptions {
  std::vector<uint32_t> sources;
  int fd = 0;  // not closed by the input
  size_t buffer_bytes = 256 * 1024;
};
Result<std::unique_ptr<Input>> make_stdin_input(StdinOptions options, RecordConsumer& consumer,
                                                const Clock& clock);

// Syslog senders. Not resumable: what is sent while nobody listens is lost, and UDP may lose more;
// what the kernel knows to have dropped is in InputStats::lost.
//
//   udp://HOST:PORT    tcp://HOST:PORT    unix:///PATH (datagrams)    unix-stream:///PATH
//
// HOST is an address ([::1] for IPv6), localhost, or empty or * for any. Port 0 lets the kernel
// choose; InputStats::name tells which. A datagram is one record. On connections every message may
// be octet-counted (RFC 6587: "123 <34>...": a count, a blank and '<' at its beginning) or end with
// a line end; line ends within a counted message become blanks. A sender that is faster than we
// are waits (back-pressure), UDP's datagrams wait in the socket's buffer.
//
// A socket file that nobody listens on is replaced; ours are 0660, and removed at the end.
struct SyslogOptions {
  std::vector<uint32_t> sources;  // LogStream::matched
  std::vector<std::string> listen;
  size_t max_connections = 64;    // of all URIs together; more are closed and counted as refused
  int64_t idle_ms = 10 * 60'000;  // a connection that is silent for so long is closed
  size_t max_message_bytes = 64 * 1024;  // the rest is cut off and counted as refused
  size_t rcvbuf_bytes = 1024 * 1024;     // of datagram sockets; the kernel may allow less
};
Result<std::unique_ptr<Input>> make_syslog_input(SyslogOptions options, RecordConsumer& consumer,
                                                 const Clock& clock);

// The kernel's log as JSON lines (see nines/log/kmsg.hpp). Exactly once within a boot: the position
// "kmsg" holds the boot and the number of the last record taken. What the kernel overwrote before
// we came is known by the gap in the numbers and counted as lost.
//
// ts = now - time since boot + the kernel's stamp. The kernel stamps with its local clock, which
// drifts from CLOCK_MONOTONIC (NTP slews only the latter): up to some seconds in months of uptime.
//
// Without the right to read it the input is unhealthy, says why, and tries again each minute.
struct KmsgOptions {
  std::vector<uint32_t> sources;
  std::string path = "/dev/kmsg";
  std::string boot_id_path = "/proc/sys/kernel/random/boot_id";
  std::string start = "beginning";  // without a position: beginning or end
  bool once = false;
  // Opens `path` for reading without blocking; -1: errno says why. One read() gives one record.
  std::function<int(const std::string& path)> open;
};
Result<std::unique_ptr<Input>> make_kmsg_input(KmsgOptions options, RecordConsumer& consumer,
                                               const std::vector<slo::Position>& saved,
                                               const Clock& clock);

}  // namespace nines::collector
