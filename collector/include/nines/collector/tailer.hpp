// Tailer: finds log files by glob, follows them through rotation, truncation and restarts, and
// hands their bytes to a consumer exactly once, in order per file. Bounded memory: one pooled
// buffer; a line that is not complete yet is not kept but read again (pread) when it is.
//
// Identity of a file is device + inode + fingerprint of its first bytes (up to 1 KiB, growing while
// the file is shorter) + the last 64 bytes before the position, so that a reused inode, a
// truncated file that grew past the old position, and a copy made by copytruncate are all told
// apart.
//
// Rotated generations whose names no longer match a glob (app.log.1, app-20260101.log,
// 0.log.2026...) are looked for beside the live file and drained. What is read is only ever decided
// by (device, inode, fingerprints), never by name alone. Compressed generations are ignored.
//
// An unterminated last line is consumed when its file is finished (rotated away, at its end and
// quiet, or read_some(file, true)); should it be completed later, the rest up to the newline is
// skipped.
//
// Pointers to LogStream stay valid until the next read(), poll() or rescan() after closed(file).
// Used by one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/result.hpp"
#include "nines/base/time.hpp"
#include "nines/collector/input.hpp"
#include "nines/slo/batch.hpp"

namespace nines::collector {

// A saved position may have been damaged while the counts it stood for are kept. With this as its
// state the file is continued at its present end: from its start its lines would count twice.
inline constexpr const char* kPositionLost = "lost";

struct TailerOptions {
  size_t buffer_bytes = 256 * 1024;  // also the longest line that is delivered whole
  size_t max_files = 16384;          // open or remembered; beyond: not read, counted
  size_t max_watches = 2048;
  int64_t poll_ms = 1000;           // without inotify
  int64_t rescan_ms = 10'000;       // safety net beside inotify
  int64_t coalesce_ms = 50;         // wake-ups are batched
  int64_t quiet_close_ms = 30'000;  // a rotated-away or deleted file is closed at EOF after this
  int64_t forget_ms = 3'600'000;    // the position of a vanished file is forgotten after this
  size_t max_open = 256;            // descriptors kept; idle live files beyond it are closed
  int64_t hold_ms = 1000;  // a record that may go on is taken after this long without more
  bool use_inotify = true;
};

struct GlobSpec {
  std::vector<std::string> include, exclude;
};

// What one source wants read.
struct FileSource {
  GlobSpec globs;
};

class Tailer : public Input {
 public:
  struct Stats {
    uint64_t files_open = 0, files_known = 0, files_refused /* at the last rescan */ = 0,
             rotations = 0, truncations = 0, copies_recognised = 0, read_errors = 0, bytes_read = 0,
             lines_cut = 0, overflows = 0, rescans = 0;
    uint64_t compressed_ignored = 0;  // .gz .zst .xz .bz2 .lz4 names at the last rescan (gauge)
    uint64_t positions_lost = 0;      // files continued at their end (see kPositionLost)
    uint64_t states_malformed = 0;    // saved positions that could not be read
    uint64_t bytes_lost = 0;          // unread bytes of files that vanished, as far as known
    uint64_t hole_bytes = 0;          // leading NUL bytes left by writers without O_APPEND
    uint64_t wakeups = 0;             // returns from waiting for the kernel
    uint64_t watches = 0;
    bool polling = false;   // inotify is not available or exhausted
    int64_t lag_bytes = 0;  // sum of size - offset
  };

  static Result<std::unique_ptr<Tailer>> create(TailerOptions options, RecordConsumer& consumer,
                                                std::vector<slo::Position> saved,
                                                const Clock& clock);

  // `source`: its index, as used in LogStream::matched. May be called at any time.
  virtual void add_source(uint32_t source, FileSource files) = 0;

  // Waits at most timeout_ms for something to read (returns early on wake()), then reads like
  // read(): fairly, a bounded piece from every ready file in turn. For one who has no other input.
  virtual bool poll(int timeout_ms, size_t max_bytes) = 0;
  virtual void wake() noexcept = 0;  // thread-safe, async-signal-safe

  virtual std::vector<LogStream*> files() = 0;
  virtual Stats stats() const noexcept = 0;
};

}  // namespace nines::collector
