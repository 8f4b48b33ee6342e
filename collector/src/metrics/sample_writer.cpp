#include "metrics/sample_writer.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>

#include "nines/base/json_writer.hpp"
#include "nines/slo/counter.hpp"

namespace nines::collector {
namespace {

using log::ExpositionLabel;
using log::ExpositionSample;
using log::SampleRole;

constexpr size_t kMaxMembers = 1024;  // buckets of one histogram
constexpr uint64_t kMicroUnits = 1'000'000;
constexpr std::string_view kInfinity = "1e30";  // a bound that every comparison understands

// Labels that would hide a field of ours. Those that already have the prefix get one more, so that
// no two labels ever become one.
bool reserved(std::string_view label) noexcept {
  constexpr std::string_view kPrefix = "label_";
  while (label.starts_with(kPrefix)) label.remove_prefix(kPrefix.size());
  for (const std::string_view own : {"ts", "sample_ts", "metric", "value", "delta", "le", "source",
                                     "node", "line", "raw", "ingest_ts"}) {
    if (label == own) return true;
  }
  return false;
}

bool is_bound(const ExpositionSample& sample, const ExpositionLabel& label) noexcept {
  return sample.role == SampleRole::bucket && label.name == "le";
}

// As JSON knows numbers: no leading '+', zeros or points.
bool json_number(std::string_view text) noexcept {
  const auto digits = [&] {
    size_t n = 0;
    while (n < text.size() && text[n] >= '0' && text[n] <= '9') ++n;
    text.remove_prefix(n);
    return n;
  };
  if (text.starts_with('-')) text.remove_prefix(1);
  const bool zero = text.starts_with('0');
  const size_t whole = digits();
  if (whole == 0 || (zero && whole > 1)) return false;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (digits() == 0) return false;
  }
  if (!text.starts_with('e') && !text.starts_with('E')) return text.empty();
  text.remove_prefix(1);
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  return digits() > 0 && text.empty();
}

void append_number(std::string& out, std::string_view text) {
  const double value = log::parse_metric_number(text).value_or(NAN);
  if (std::isfinite(value) && json_number(text)) {
    out += text;
  } else {
    append_json_double(out, value);
  }
}

void append_count(std::string& out, uint64_t count, bool micro) {
  std::array<char, 24> digits;
  const uint64_t whole = micro ? count / kMicroUnits : count;
  out.append(digits.data(), std::to_chars(digits.data(), digits.data() + 24, whole).ptr);
  uint64_t rest = micro ? count % kMicroUnits : 0;
  if (rest == 0) return;
  out += '.';
  for (uint64_t unit = kMicroUnits / 10; rest != 0; unit /= 10) {
    out += static_cast<char>('0' + rest / unit);
    rest %= unit;
  }
}

void append_bound(std::string& out, double le) {
  if (le == INFINITY) {
    out += kInfinity;
  } else if (le == -INFINITY) {
    (out += '-') += kInfinity;
  } else {
    append_json_double(out, le);
  }
}

}  // namespace

uint64_t group_key(const ExpositionSample& sample) {
  std::array<uint8_t, log::ExpositionReader::kMaxLabels> order;
  size_t n = 0;
  for (size_t i = 0; i < sample.labels.size(); ++i) {
    if (is_bound(sample, sample.labels[i])) continue;
    size_t at = n++;  // insertion: labels come sorted, or nearly so
    for (; at > 0 && sample.labels[i].name < sample.labels[order[at - 1]].name; --at) {
      order[at] = order[at - 1];
    }
    order[at] = static_cast<uint8_t>(i);
  }
  SeriesHash hash;
  hash.add(sample.family);
  for (size_t i = 0; i < n; ++i) {
    hash.add(sample.labels[order[i]].name).add(sample.labels[order[i]].value);
  }
  return hash.value();
}

int64_t start_ms_of(const ExpositionSample& created) {
  constexpr double kYear2200 = 7'258'118'400;
  const double s = log::parse_metric_number(created.value).value_or(NAN);
  if (!(s > 0 && s < kYear2200)) return kNoStart;
  const auto ms = log::parse_metric_count(created.value, 3);
  return ms ? static_cast<int64_t>(ms->value) : kNoStart;
}

void SampleWriter::begin(const Scrape& scrape) {
  scrape_ = scrape;
  prefix_ = "{\"ts\":\"" + format_rfc3339(scrape.ts) + "\",\"metric\":\"";
}

void SampleWriter::add(const ExpositionSample& sample) {
  if (sample.role == SampleRole::created) return;
  const uint64_t key = group_key(sample);
  const bool distribution = sample.role == SampleRole::bucket || sample.role == SampleRole::count ||
                            sample.role == SampleRole::sum;
  if (!group_open_ || key != group_ || !distribution) {
    close_group();
    open_group(sample, key);
  }
  if (members_.size() == kMaxMembers) {
    ++stats_.series_refused;
    return;
  }
  group_counts_ = group_counts_ || sample.role != SampleRole::gauge;
  members_.push_back({sample.name, sample.value, sample.role, sample.le, sample.ts});
  if (!distribution) close_group();
}

void SampleWriter::add_own(std::string_view metric, int64_t value) {
  close_group();
  out_ += prefix_;
  out_ += metric;
  out_ += "\",\"value\":";
  out_ += std::to_string(value);
  out_ += "}\n";
}

void SampleWriter::open_group(const ExpositionSample& sample, uint64_t key) {
  group_open_ = true;
  group_counts_ = false;
  group_ = key;
  labels_.clear();
  for (const ExpositionLabel& label : sample.labels) {
    if (is_bound(sample, label)) continue;
    labels_ += ",\"";
    if (reserved(label.name)) labels_ += "label_";
    labels_ += label.name;
    labels_ += "\":";
    append_json_string(labels_, label.value);
  }
}

void SampleWriter::close_group() {
  if (!group_open_) return;
  group_open_ = false;
  bool reset = false;
  if (group_counts_) {
    measure_group();
    reset = group_was_reset();
    if (reset) {
      ++stats_.resets;
      note_bases();
    }
  }
  for (const Member& member : members_) write_line(member, increase_of(member, reset));
  members_.clear();
}

uint64_t SampleWriter::series_key(std::string_view name, const Member* bucket) const {
  SeriesHash hash;
  hash.add(name).add(group_);
  if (bucket != nullptr) hash.add(std::bit_cast<uint64_t>(bucket->le + 0.0));  // -0 is 0
  return hash.value();
}

uint32_t SampleWriter::take_series(uint64_t key) {
  uint32_t index = table_.find(key);
  if (index != SeriesTable::kNone && table_.at(index).scrape == scrape_.number) {
    ++stats_.series_duplicate;
    return SeriesTable::kNone;
  }
  if (index == SeriesTable::kNone) index = table_.insert(key);
  if (index == SeriesTable::kNone) {
    ++stats_.series_refused;
    return index;
  }
  table_.at(index).scrape = scrape_.number;
  return index;
}

// Whole numbers stay whole until the first fraction; from then on the series is kept in millionths.
bool SampleWriter::measure(Member& member) const {
  const auto whole = log::parse_metric_count(member.value, 0);
  if (!whole) return false;
  member.count = whole->value;
  const uint32_t known =
      table_.find(series_key(member.name, member.role == SampleRole::bucket ? &member : nullptr));
  member.micro = !whole->exact || (known != SeriesTable::kNone && table_.at(known).micro);
  if (member.role == SampleRole::bucket) member.micro = false;
  if (!member.micro) return true;
  const auto fine = log::parse_metric_count(member.value, kMicro);
  member.micro = fine.has_value();
  if (fine) member.count = fine->value;
  return true;
}

// Gives every counting line of the group its series and its count; buckets come in order of their
// bounds and are made not cumulative.
void SampleWriter::measure_group() {
  std::stable_sort(members_.begin(), members_.end(), [](const Member& a, const Member& b) {
    const bool a_bucket = a.role == SampleRole::bucket, b_bucket = b.role == SampleRole::bucket;
    if (a_bucket != b_bucket) return a_bucket;
    return a_bucket && a.le < b.le;
  });
  uint64_t below = 0;
  for (Member& member : members_) {
    if (member.role == SampleRole::gauge || !measure(member)) continue;
    const bool bucket = member.role == SampleRole::bucket;
    member.series = take_series(series_key(member.name, bucket ? &member : nullptr));
    if (!bucket || member.series == SeriesTable::kNone) continue;
    // Read while it was written, a bucket can be short of the one below it: for a moment nothing.
    const uint64_t cumulative = std::max(member.count, below);
    member.count = cumulative - below;
    below = cumulative;
  }
}

int64_t SampleWriter::start_ms() const {
  if (scrape_.starts == nullptr) return kNoStart;
  const auto found = scrape_.starts->find(group_);
  return found == scrape_.starts->end() ? kNoStart : found->second;
}

uint64_t SampleWriter::last_in_scale(const Series& series, bool micro) const {
  if (series.micro == micro) return series.last;
  if (!micro) return series.last / kMicroUnits;
  return series.last > UINT64_MAX / kMicroUnits ? UINT64_MAX : series.last * kMicroUnits;
}

// A later start, fewer events at or below any bound, or in all. The sum is no witness: observations
// may be negative.
bool SampleWriter::group_was_reset() const {
  const int64_t start = start_ms();
  uint64_t now = 0, before = 0;
  for (const Member& member : members_) {
    if (member.series == SeriesTable::kNone) continue;
    const Series& series = table_.at(member.series);
    if (!series.known) continue;
    if (start != kNoStart && series.start_ms != kNoStart && start > series.start_ms) return true;
    if (member.role == SampleRole::bucket) {
      now += member.count;
      before += series.last;
      if (now < before) return true;
    } else if (member.role != SampleRole::sum) {
      if (member.count < last_in_scale(series, member.micro)) return true;
    }
  }
  return false;
}

// The first line of a group that was reset takes all of it back to 0: should the consumer stop
// within the group and we die there, the rest is still known to have begun anew.
void SampleWriter::note_bases() {
  for (const Member& member : members_) {
    if (member.series == SeriesTable::kNone || !table_.at(member.series).known) continue;
    updates_.push_back({out_.size() + 1, member.series, 0, start_ms(), member.micro});
  }
}

SampleWriter::Increase SampleWriter::increase_of(const Member& member, bool reset) {
  if (member.series == SeriesTable::kNone) return {};
  const Series& series = table_.at(member.series);
  const int64_t start = start_ms();
  slo::CounterSeries counter;
  if (series.known) {
    counter.last = reset ? 0 : last_in_scale(series, member.micro);
    if (series.start_ms != kNoStart) counter.start = WallTime{series.start_ms * kNsPerMs};
    if (reset) counter.start.reset();
  } else if (scrape_.from_zero && start == kNoStart) {
    counter.last = 0;
  }
  Increase out{0, member.micro, true};
  uint64_t count = member.count;
  if (counter.last && count < *counter.last) {
    // Not a reset of the group: a bucket read while it was written, or a negative observation.
    if (member.role == SampleRole::sum) out.told = false;
    if (member.role == SampleRole::bucket) count = *counter.last;
    if (member.role == SampleRole::sum) counter.last = count;
  }
  std::optional<WallTime> start_time;
  if (start != kNoStart) start_time = WallTime{start * kNsPerMs};
  out.by = counter.observe(count, start_time, scrape_.watching_since);
  const int64_t kept_start = start != kNoStart ? start : series.start_ms;
  // Where the line will end is not known yet: write_line() sets it.
  updates_.push_back({0, member.series, count, kept_start, member.micro});
  return out;
}

void SampleWriter::write_line(const Member& member, const Increase& increase) {
  out_ += prefix_;
  out_ += member.name;
  out_ += '"';
  if (member.role == SampleRole::bucket) {
    out_ += ",\"le\":";
    append_bound(out_, member.le);
  }
  out_ += labels_;
  if (member.ts) {
    out_ += ",\"sample_ts\":\"";
    out_ += format_rfc3339(*member.ts);
    out_ += '"';
  }
  out_ += ",\"value\":";
  append_number(out_, member.value);
  if (increase.told) {
    out_ += ",\"delta\":";
    append_count(out_, increase.by, increase.micro);
  }
  out_ += "}\n";
  if (member.series != SeriesTable::kNone) updates_.back().end = out_.size();
}

SampleWriter::Changes SampleWriter::commit(size_t bytes) {
  Changes changes;
  taken_ += bytes;
  while (!updates_.empty() && updates_.front().end <= taken_) {
    const Update& update = updates_.front();
    Series& series = table_.at(update.series);
    changes.values = changes.values || series.last != update.last;
    changes.layout = changes.layout || !series.known || series.start_ms != update.start_ms ||
                     series.micro != update.micro;
    series.last = update.last;
    series.start_ms = update.start_ms;
    series.micro = update.micro;
    series.known = true;
    updates_.pop_front();
  }
  if (taken_ == out_.size()) {
    out_.clear();
    taken_ = 0;
  }
  return changes;
}

}  // namespace nines::collector
