// SampleWriter: from samples to JSON lines with their increase. Pure: what each line would change
// is noted beside it and changes nothing until the line was consumed (commit()), so that counts and
// series always tell the same.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "metrics/series.hpp"
#include "nines/base/time.hpp"
#include "nines/collector/metrics_inputs.hpp"
#include "nines/log/exposition.hpp"

namespace nines::collector {

// Start times of an exposition (ms since 1970) by group_key().
using StartTimes = std::unordered_map<uint64_t, int64_t>;
// Hash of family and labels (without `le`).
uint64_t group_key(const log::ExpositionSample& sample);
// kNoStart: no time that could be one.
int64_t start_ms_of(const log::ExpositionSample& created);

class SampleWriter {
 public:
  // What holds for one scrape.
  struct Scrape {
    WallTime ts{};
    uint32_t number = 0;
    bool from_zero = false;  // series that are new began since the scrape before
    WallTime watching_since{};
    const StartTimes* starts = nullptr;
  };
  // What commit() changed.
  struct Changes {
    bool values = false, layout = false;
  };

  SampleWriter(SeriesTable& table, ScrapeStats& stats) : table_(table), stats_(stats) {}

  void begin(const Scrape& scrape);
  void add(const log::ExpositionSample& sample);
  void add_own(std::string_view metric, int64_t value);
  void finish() { close_group(); }  // the last group is then written

  std::string_view pending() const noexcept { return std::string_view(out_).substr(taken_); }
  // The first `bytes` of pending() were consumed.
  Changes commit(size_t bytes);

 private:
  struct Update {
    size_t end;  // of the line in out_
    uint32_t series;
    uint64_t last;
    int64_t start_ms;
    bool micro;
  };
  // A line of the open group: names and values point into the body.
  struct Member {
    std::string_view name, value;
    log::SampleRole role;
    double le;
    std::optional<WallTime> ts;
    // Found out when the group is closed:
    uint32_t series = SeriesTable::kNone;
    uint64_t count = 0;  // of a bucket: not cumulative
    bool micro = false;
  };
  struct Increase {
    uint64_t by = 0;
    bool micro = false, told = false;
  };

  void open_group(const log::ExpositionSample& sample, uint64_t key);
  void close_group();
  void measure_group();
  bool group_was_reset() const;
  void note_bases();
  uint64_t series_key(std::string_view name, const Member* bucket) const;
  // kNone: refused, or a second line of the same series.
  uint32_t take_series(uint64_t key);
  bool measure(Member& member) const;
  Increase increase_of(const Member& member, bool reset);
  uint64_t last_in_scale(const Series& series, bool micro) const;
  void write_line(const Member& member, const Increase& increase);
  int64_t start_ms() const;

  SeriesTable& table_;
  ScrapeStats& stats_;
  Scrape scrape_;
  std::string prefix_;  // of every line of this scrape
  std::string out_;
  size_t taken_ = 0;
  std::deque<Update> updates_;
  bool group_open_ = false, group_counts_ = false;
  uint64_t group_ = 0;
  std::string labels_;  // of the group, as JSON members
  std::vector<Member> members_;
};

}  // namespace nines::collector
