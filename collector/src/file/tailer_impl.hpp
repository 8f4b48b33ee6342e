// The tailer: scan() (scan.cpp, generations.cpp) is the only place that decides which file is
// which; reading (read.cpp) only finds out that it no longer reads what it thought and asks for a
// scan.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "file/entry.hpp"
#include "file/glob.hpp"
#include "file/registry.hpp"
#include "file/watcher.hpp"
#include "nines/collector/tailer.hpp"

namespace nines::collector {

class TailerImpl final : public Tailer {
 public:
  TailerImpl(TailerOptions options, RecordConsumer& consumer, const Clock& clock);

  Status open_wake();
  void restore(std::vector<slo::Position> saved);
  void continue_at_end(Entry& entry);

  void add_source(uint32_t source, FileSource files) override;
  void descriptors(std::vector<pollfd>& out) const override;
  Instant due() const noexcept override;
  bool read(size_t max_bytes) override;
  void list(std::vector<LogStream*>& out) override;
  void describe(std::vector<InputStats>& out) const override;
  bool poll(int timeout_ms, size_t max_bytes) override;
  void wake() noexcept override;
  void rescan() override;
  std::vector<LogStream*> files() override;
  bool read_some(LogStream& file, bool last) override;
  bool caught_up() const noexcept override;
  void take_positions(std::vector<slo::Position>& out) override;
  Stats stats() const noexcept override;

 private:
  struct Globs {
    std::vector<Glob> include, exclude;
  };
  struct Candidate {
    std::vector<uint32_t> matched;
    FileStat st;
  };
  // What one scan knows; views of the file system as it went.
  struct Scan {
    DirCache dirs;
    std::map<std::string, Candidate> candidates;
    std::set<const Entry*> turned;  // changed since the last scan
    std::vector<Entry*> replaced;
    std::map<std::string, std::vector<Entry*>> generations;  // by path, without the live one
  };
  enum class Step : uint8_t { progress, end, declined, waiting, stopped };

  // scan.cpp
  void scan();
  void collect(Scan& scan);
  void add_candidate(Scan& scan, const std::string& path, uint32_t glob);
  void attach_known(Scan& scan);
  static void add_matched(Entry& entry, const std::vector<uint32_t>& globs);
  void attach(Entry& entry, const std::string& path, const FileStat& st);
  void note_stat(Entry& entry, const FileStat& st);
  void follow_displaced(Scan& scan);
  void relocate(Scan& scan, Entry& entry);
  void find_elsewhere(Scan& scan, Entry& entry);
  void verify_changed(Scan& scan);
  void adopt_candidates(Scan& scan);
  Entry* adopt(const std::string& path, const std::vector<uint32_t>& matched, const FileStat& st);
  void finish_scan();
  bool matches(const Globs& globs, std::string_view path) const;
  std::vector<uint32_t> match_all(std::string_view path) const;

  // generations.cpp
  void heal_replaced(Scan& scan);
  void adopt_heir(Entry& entry);
  Entry* adopt_rotated(const Entry& of, const std::string& place, const FileStat& st);
  std::map<std::string_view, const Entry*> restless_paths(const Scan& scan) const;
  bool find_copy(Scan& scan, Entry& entry);
  bool is_copy(const Entry& entry, const std::string& path, const FileStat& st,
               bool consumed) const;
  void rebind(Entry& entry, const std::string& path, const FileStat& st, bool consumed);
  void adopt_generations(Scan& scan);
  void ignore_old_generations(Scan& scan, const Entry& entry);
  void judge_suspects(Scan& scan);
  bool still_suspect(Scan& scan, Entry& suspect);
  void order_generations(Scan& scan);
  std::vector<std::string> generations_of(Scan& scan, const Entry& entry, bool any_suffix);
  std::vector<std::string> beside(Scan& scan, const std::string& path, bool any_suffix);

  // read.cpp
  bool ensure_open(Entry& entry);
  size_t piece_bytes(const Entry& e) const;
  Step read_piece(Entry& entry, Reading how, size_t& read_bytes);
  std::string_view skip_consumed(Entry& entry, std::string_view data);
  Step deliver(Entry& entry, std::string_view data, Reading how, bool at_end);
  void hold(Entry& entry);
  void take_held();
  void requeue(std::vector<Entry*>& declined);
  void park(Entry& e);
  void advance(Entry& entry, size_t bytes);
  void close_quiet();
  bool finish(Entry& entry);
  void retire(Entry& entry);
  void forget(Entry& entry);
  void queue(Entry& entry);
  void announce(Entry& entry);
  void mark_changed(Entry& entry);

  // tailer.cpp
  void wait(int timeout_ms);
  void pause_for_more();
  void take_events();
  bool scan_now() const;
  bool interesting(const std::string& path, bool directory) const;

  TailerOptions options_;
  RecordConsumer& consumer_;
  const Clock& clock_;
  Registry registry_;
  Watcher watcher_;
  Watcher::Handler handler_;
  UniqueFd wake_fd_;
  std::vector<Globs> globs_;
  std::unique_ptr<char[]> buffer_;  // kTailBytes + options_.buffer_bytes
  int64_t buffer_offset_ = 0;       // file offset of buffer_[0] in the piece being read
  std::deque<Entry*> ready_;
  std::vector<Entry*> declined_, waiting_;  // not queued; waiting_: until next_waiting_
  std::vector<Entry*> held_;
  std::vector<Entry*> changed_;
  std::vector<std::string> forgotten_;
  Stats stats_;
  bool scan_due_ = true;     // something changed in a directory
  bool scan_forced_ = true;  // what we read is not what we thought: before anything else is read
  Instant last_scan_{}, next_scan_allowed_{}, next_quiet_{}, next_held_{INT64_MAX}, last_wake_{};
  Instant next_waiting_{INT64_MAX};
  std::set<std::string> lost_;  // keys (dev:ino) of files whose position is not known any more
};

}  // namespace nines::collector
