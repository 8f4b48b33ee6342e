// Inputs that bytes flow to: the systemd journal, standard input, syslog senders, the kernel's log.
// Each is an Input with one stream or several; none blocks, none drops what it could keep.
#pragma once

#include <cstddef>
#include <cstdint>
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

}  // namespace nines::collector
