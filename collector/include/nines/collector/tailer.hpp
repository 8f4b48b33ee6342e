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
// by (device, inode, fingerprints), never by name alone.
//
// Compressed generations (.gz, .zst) are the same files: identity and position are those of the
// decompressed content, so that what was read from app.log.1 is not read again from app.log.1.gz,
// and what was not is. While both are there the plain one is read. A damaged one is read as far as
// it goes, counted and told. One that a glob matches and that belongs to no known file is read
// once. .xz .bz2 .lz4 are left alone and counted.
//
// What cannot be known: a file truncated and written again, between two looks, with the same first
// 1 KiB and the same 64 bytes before the position, is taken for unchanged up to there (a job that
// prints exactly the same each time). A size seen to be less than the position always counts as a
// truncation, whatever follows. Of a file cut to a part of itself it is not known where the kept
// part ends and what was written since begins, nor can it be told from a shorter one written anew
// with the same banner: it is read from its start. That repeats lines of the kept part, where
// going on at its end would lose lines of all who write anew, which is the common case.
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
  size_t max_files = 16'384;         // open or remembered; beyond: not read, counted
  size_t max_watches = 2048;
  int64_t poll_ms = 500;            // what inotify does not tell of; rarer if that costs over 1 %
  int64_t rescan_ms = 10'000;       // safety net beside inotify
  int64_t coalesce_ms = 50;         // wake-ups are batched
  int64_t quiet_close_ms = 30'000;  // a rotated-away or deleted file is closed at EOF after this
  int64_t forget_ms = 3'600'000;    // the position of a vanished file is forgotten after this
  size_t max_open = 256;            // descriptors kept; idle live files beyond it are closed
  size_t max_decoder_bytes =
      12 * 1024 * 1024;    // of all files being decompressed (one may exceed it)
  int64_t hold_ms = 1000;  // a record that may go on is taken after this long without more
  bool use_inotify = true;
  // Reads again what the saved positions say was read, from the start of each file that is still
  // there up to its position, and nothing else: for what shall be counted afterwards. Generations
  // that were there before the first look are read too. Positions must not be taken from it.
  bool reread = false;
};

struct GlobSpec {
  std::vector<std::string> include, exclude;
};

// What one source wants read.
struct FileSource {
  GlobSpec globs;
  // Files that were there before the first look ever are not read, but what is appended to them.
  bool from_end = false;
  // Likewise files that, when first seen, were last written before this, or longer ago than that.
  WallTime not_before{INT64_MIN};
  int64_t ignore_older_s = 0;
  bool newest_first = false;  // the live file before its older generations, younger files first
  // Reading faster than this waits (not in read_some()). Of a file of several sources the most
  // generous rules. 0: no limit.
  int64_t max_bytes_per_s = 0, max_lines_per_s = 0;
};

class Tailer : public Input {
 public:
  struct Stats {
    uint64_t files_open = 0, files_known = 0, files_refused /* at the last rescan */ = 0,
             rotations = 0, truncations = 0, copies_recognised = 0, read_errors = 0, bytes_read = 0,
             lines_cut = 0, overflows = 0, rescans = 0;
    uint64_t compressed_ignored = 0;  // .xz .bz2 .lz4 names at the last rescan (gauge)
    uint64_t compressed_damaged = 0;  // compressed files that are cut, corrupt or want > 8 MiB
    uint64_t files_passed_over = 0;   // from_end, not_before, ignore_older_s
    uint64_t throttled = 0;           // times that a file had to wait for the rate of its source
    uint64_t positions_lost = 0;      // files continued at their end (see kPositionLost)
    uint64_t states_malformed = 0;    // saved positions that could not be read
    uint64_t bytes_lost = 0;          // unread bytes of files that vanished, as far as known
    uint64_t hole_bytes = 0;          // leading NUL bytes left by writers without O_APPEND
    uint64_t wakeups = 0;             // returns from waiting for the kernel
    uint64_t watches = 0;
    bool polling = false;   // some directories (or all) are polled; describe() says why
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
