// The tailer: scan() (scan.cpp, generations.cpp) is the only place that decides which file is
// which; reading (read.cpp) only finds out that it no longer reads what it thought and asks for a
// scan.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "file/entry.hpp"
#include "file/glob.hpp"
#include "file/rate.hpp"
#include "file/registry.hpp"
#include "file/roots.hpp"
#include "file/rotation_name.hpp"
#include "file/watcher.hpp"
#include "nines/collector/tailer.hpp"

namespace nines::collector {

class TailerImpl final : public Tailer {
 public:
  TailerImpl(TailerOptions options, RecordConsumer& consumer, const Clock& clock);

  Status open_wake();
  void restrict_links(std::vector<std::string> also) { link_roots_ = std::move(also); }
  void restore(std::vector<slo::Position> saved);
  static void rewind(Entry& e);

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
    std::optional<LinkRoots> roots;  // none: links lead anywhere
    FileSource wanted;
    TokenBucket bytes, lines;
    std::string mark;     // key under which it is remembered that this source was looked at once
    bool looked = false;  // not for the first time now
  };
  struct Candidate {
    std::vector<uint32_t> matched;
    FileStat st;
    std::string real;  // what a link in its path leads to; empty: there is none
  };
  // What one scan knows; views of the file system as it went.
  struct Scan {
    DirCache dirs;
    std::map<std::string, Candidate> candidates;
    std::set<const Entry*> turned;  // changed since the last scan
    std::vector<Entry*> replaced;
    std::map<std::string, std::vector<Entry*>> generations;  // by path, without the live one
    std::map<std::string, std::vector<Entry*>> logs;         // see index_logs()
    bool logs_known = false;
    std::vector<Entry*> unheard;  // grown, and no event said so
  };
  // How a file relates to an entry whose bytes are no longer where they were.
  enum class Match : uint8_t {
    no,
    reaches,  // contains all up to the position
    exact,    // ends exactly there
    before,   // ends before it: all of it was consumed
  };
  struct Probe {
    UniqueFd fd;
    std::unique_ptr<Packed> packed;
    Source source() const noexcept { return {fd.get(), packed ? packed->decoder.get() : nullptr}; }
  };
  enum class Step : uint8_t { progress, end, declined, waiting, stopped };

  // scan.cpp
  void scan();
  void collect(Scan& scan);
  void add_candidate(Scan& scan, const std::string& path, uint32_t glob);
  void attach_known(Scan& scan);
  static void add_matched(Entry& entry, const std::vector<uint32_t>& globs);
  void attach(Entry& entry, const std::string& path, const Candidate& candidate);
  void note_stat(Entry& entry, const FileStat& st);
  void follow_displaced(Scan& scan);
  void relocate(Scan& scan, Entry& entry);
  void find_elsewhere(Scan& scan, Entry& entry);
  void verify_changed(Scan& scan);
  void adopt_candidates(Scan& scan);
  Entry* adopt(const std::string& path, const std::string& place,
               const std::vector<uint32_t>& matched, const FileStat& st);
  bool passed_over(const Entry& entry) const;
  void place_at_end(Entry& entry);
  void note_first_look();
  void finish_scan();
  bool matches(const Globs& globs, std::string_view path) const;
  std::vector<uint32_t> match_all(std::string_view path) const;

  // links.cpp
  void resolve_roots();
  bool may_lead(uint32_t source, const std::string& real) const;
  bool may_lead(const std::vector<uint32_t>& sources, const std::string& real) const;
  void refuse_link(const std::string& path, const std::string& real);
  std::optional<FileStat> stat_of(const Entry& entry, const std::string& path) const;
  UniqueFd open_of(const Entry& entry, const std::string& path) const;

  // generations.cpp
  void heal_replaced(Scan& scan);
  void look_at_copies(Scan& scan, const Entry& entry);
  void adopt_heir(Entry& entry);
  Entry* adopt_rotated(const Entry& of, const std::string& place, const FileStat& st);
  std::map<std::string_view, const Entry*> restless_paths(const Scan& scan) const;
  void note_numbering(Scan& scan);
  bool is_weak_generation(const Scan& scan, const std::string& path, const FileStat& st) const;
  bool find_copy(Scan& scan, Entry& entry, bool packed_too);
  Match match_copy(const Entry& entry, const std::string& path, const FileStat& st);
  void rebind(Entry& entry, const std::string& path, const FileStat& st, Match match);
  void resume_from_probe(Entry& entry, const FileStat& st, Match match);
  void adopt_generations(Scan& scan);
  void ignore_old_generations(Scan& scan, const Entry& entry);
  void ignore_old(const Entry& of, const std::string& place, const FileStat& st);
  void judge_suspects(Scan& scan);
  bool still_suspect(Scan& scan, Entry& suspect);
  bool is_intact(Entry& original);
  void index_logs(Scan& scan) const;
  static void index_logs_of(Scan& scan, Entry& entry);
  std::vector<Entry*> originals_of(Scan& scan, const Entry& suspect) const;
  bool was_copy(Scan& scan, const Entry& suspect) const;
  bool prefers_newest(const Entry& entry) const;
  void order_ready();
  static std::string log_of(const std::string& path);
  void order_generations();
  std::vector<std::string> generations_of(Scan& scan, const Entry& entry, Nomination least);
  std::vector<std::string> beside(Scan& scan, const std::string& path, Nomination least);

  // packed.cpp
  bool prepare(Entry& entry);
  Match match_packed(const Entry& entry, const FileStat& st);
  bool packed_suspect(Entry& suspect, const std::vector<Entry*>& originals);
  bool settled(const Entry& entry) const;
  void examine(Entry& entry);
  bool continues_gone(const std::vector<Entry*>& originals, const Entry& suspect);
  void settle_packed(Entry& entry);
  void tell_damaged(Entry& entry);
  bool room_to_decode(const Entry& entry) const;
  void make_room_to_decode(const Entry& entry);

  // read.cpp
  bool ensure_open(Entry& entry);
  size_t piece_bytes(const Entry& e);
  bool check_head_of_piece(Entry& entry, size_t bytes);
  static bool is_of_one_piece(const Entry& entry);
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
  void let_go_of_held(Entry& entry);
  void queue(Entry& entry);
  void announce(Entry& entry);
  void mark_changed(Entry& entry);

  // throttle.cpp
  bool over_rate(const Entry& entry);
  int64_t bytes_allowed(const Entry& entry);
  int64_t lines_allowed(const Entry& entry);
  std::string_view within_rate(const Entry& entry, std::string_view data);
  void charge(const Entry& entry, std::string_view taken);
  void throttle(Entry& entry);
  void release_throttled();
  Instant ready_at(const Entry& entry) const;

  // polling.cpp
  void note_unheard(Scan& scan);
  void list_polled();
  void poll_unwatched();
  int64_t scan_every_ns() const;

  // tailer.cpp
  bool blocked(const Entry& entry) const;
  void wait(int timeout_ms);
  void pause_for_more();
  void take_events();
  bool scan_now() const;
  bool interesting(const std::string& path, bool directory) const;

  TailerOptions options_;
  std::optional<std::vector<std::string>> link_roots_;  // none: links lead anywhere
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
  std::vector<Entry*> throttled_;
  bool pacing_ = false;  // rates apply to what is read now
  Probe probe_;          // the file that match_copy() looked at last
  std::vector<Entry*> changed_;
  std::vector<std::string> forgotten_;
  Stats stats_;
  bool scan_due_ = true;     // something changed in a directory
  bool scan_forced_ = true;  // what we read is not what we thought: before anything else is read
  Instant last_scan_{}, next_scan_allowed_{}, next_quiet_{}, next_held_{INT64_MAX}, last_wake_{};
  int64_t scan_cost_ns_ = 0;
  Instant next_throttle_{INT64_MAX}, next_poll_{INT64_MAX}, next_waiting_{INT64_MAX};
  Instant next_settle_{INT64_MAX};              // when an archive that may be a copy is judged
  std::set<std::string> numbering_;             // paths whose generations are called like app-2.log
  std::map<std::string, int64_t> polled_dirs_;  // and when they last changed
  std::vector<Entry*> polled_files_;
  std::map<std::string, int> silences_;  // directory -> changes of which no event told
  std::set<std::string> looked_;         // marks of sources that were looked at before
  std::vector<std::string> marks_;       // to be saved
  std::string refused_link_;             // the first of the last rescan, and where it leads
  uint64_t links_refused_ = 0;           // at the last rescan
  uint64_t links_refused_total_ = 0;     // by how many there were more than at the one before
  std::string damaged_;                  // the last damaged compressed file
  std::set<std::string> lost_;  // keys (dev:ino) of files whose position is not known any more
};

}  // namespace nines::collector
