#include "query/followed.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "app/inputs.hpp"
#include "nines/collector/link_rule.hpp"
#include "query/feed.hpp"

namespace nines::agent::query {
namespace {

namespace nq = nines::query;

constexpr int64_t kStepNs = kNsPerSecond;          // of catching up in the order of time
constexpr int64_t kMaxSkewNs = 60 * kNsPerSecond;  // a time stamp further ahead is not believed

std::vector<std::string> globs_of_names(const std::vector<std::string>& names) {
  std::vector<std::string> globs;
  for (const std::string& name : names) {
    struct stat info {};
    const bool folder = ::stat(name.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
    globs.push_back(folder ? name + "/*" : name);
  }
  return globs;
}

std::string identity_of(const nq::SourceRef& source) {
  std::string out;
  for (const std::string& name : source.names) out += name + '\n';
  for (const std::string& name : source.exclude) out += '!' + name + '\n';
  return out;
}

}  // namespace

Result<std::unique_ptr<Followed>> Followed::open(const nq::Block& block,
                                                 const Environment& environment,
                                                 FollowedOptions options, nq::RowSink& out) {
  std::unique_ptr<Followed> made(new Followed(block, environment, std::move(options)));
  NINES_TRY(made->inputs_, collector::InputSet::create(environment.clock));
  if (block.source.kind == nq::SourceRef::Kind::remote) {
    return Error{Errc::unsupported,
                 "a remote is asked and cannot be followed; ask it again with "
                 "SINCE, or follow the logs themselves"};
  }
  std::vector<nq::SourceRef> sources{block.source};
  if (block.source.kind != nq::SourceRef::Kind::files) {
    NINES_TRY(sources, environment.resolve(block.source));
  }
  for (const nq::SourceRef& source : sources) NINES_CHECK(made->add(source, out));
  made->rescan();
  return made;
}

Status Followed::add(const nq::SourceRef& source, nq::RowSink& out) {
  nq::ScanPlan plan = block_.scan;
  plan.needs_time = plan.needs_time || options_.by_time;
  readers_.push_back(std::make_unique<collector::RowReader>(
      source, std::move(plan), scan_options(environment_), environment_.clock, out));
  collector::RowReader& reader = *readers_.back();
  std::vector<std::string> names = source.names;
  if (std::erase(names, "-") > 0) {
    NINES_TRY(auto input,
              make_input(1, selector_of_argument("-"), {}, {}, reader, environment_.clock));
    inputs_->add(std::move(input));
  }
  if (names.empty()) return Ok{};
  const std::string identity = identity_of(source);
  NINES_TRY(auto tailer, collector::Tailer::create(options_.tailer, reader, take_saved(identity),
                                                   environment_.clock));
  if (options_.restrict_links) {
    collector::restrict_links(*tailer, collector::container_log_folders());
  }
  collector::FileSource files;
  files.globs = {globs_of_names(names), source.exclude};
  files.from_end = options_.from_end;
  tailer->add_source(0, files);
  places_.push_back({identity, &inputs_->add(std::move(tailer))});
  return Ok{};
}

std::vector<slo::Position> Followed::take_saved(const std::string& source) {
  for (SourcePositions& saved : options_.saved) {
    if (saved.source == source) return std::exchange(saved.positions, {});
  }
  return {};
}

bool Followed::refused() const {
  return std::any_of(readers_.begin(), readers_.end(),
                     [](const auto& reader) { return reader->refused(); });
}

bool Followed::going() const { return !environment_.stopped() && !refused(); }

Status Followed::problem() const {
  for (const auto& reader : readers_) {
    if (reader->error() != nullptr) return *reader->error();
  }
  return Ok{};
}

void Followed::tell(Answer& answer) const {
  for (const auto& reader : readers_) {
    answer.scan.add(reader->stats());
    answer.files += reader->streams();
  }
}

void Followed::tick(const Tick& tick) const {
  std::optional<WallTime> newest;
  for (const auto& reader : readers_) {
    if (const auto time = reader->newest()) newest = std::max(newest.value_or(*time), *time);
  }
  if (!newest) return;
  const int64_t most = environment_.clock.wall().ns + kMaxSkewNs;
  tick({std::min(newest->ns, most)});
}

// Several files, whose rows are wanted in the order of time: a second of all of them, and then the
// next.
void Followed::catch_up(const Tick& told) {
  const auto streams = inputs_->list();
  if (!options_.by_time || streams.size() < 2) return;
  read_all(streams, {INT64_MIN});
  while (going()) {
    std::optional<WallTime> next;
    for (const collector::StreamRef& at : streams) {
      const auto time = collector::RowReader::next_time(*at.stream);
      if (time) next = next ? std::min(*next, *time) : *time;
    }
    if (!next || next->ns > INT64_MAX - kStepNs) break;
    read_all(streams, {next->ns + kStepNs});
    tick(told);
    if (!step()) break;
  }
  for (const auto& reader : readers_) reader->set_limit({INT64_MAX});
}

void Followed::read_to_end() { read_all(inputs_->list(), {INT64_MAX}); }

void Followed::read_all(const std::vector<collector::StreamRef>& streams, WallTime limit) {
  for (const auto& reader : readers_) reader->set_limit(limit);
  for (const collector::StreamRef& at : streams) {
    const auto waits = collector::RowReader::next_time(*at.stream);
    if (waits && *waits > limit) continue;
    for (int64_t before = at.stream->offset; going() && at.input->read_some(*at.stream, false);) {
      if (options_.did_read) {
        options_.did_read(static_cast<size_t>(std::max<int64_t>(at.stream->offset - before, 0)));
      }
      before = at.stream->offset;
      if (collector::RowReader::next_time(*at.stream)) break;
    }
  }
}

void Followed::wait_and_read(int timeout_ms, size_t max_bytes, const Tick& told) {
  inputs_->poll(timeout_ms, max_bytes);
  tick(told);
}

bool Followed::holds_back() {
  const auto streams = inputs_->list();
  return std::any_of(streams.begin(), streams.end(),
                     [](const collector::StreamRef& at) { return at.stream->holds; });
}

int64_t Followed::lag_bytes() {
  int64_t sum = 0;
  for (const collector::StreamRef& at : inputs_->list()) {
    sum += std::max<int64_t>(at.stream->size - at.stream->offset, 0);
  }
  return sum;
}

std::vector<SourcePositions> Followed::take_positions() {
  std::vector<SourcePositions> out;
  for (const Place& place : places_) {
    out.push_back({place.source, {}});
    place.input->take_positions(out.back().positions);
  }
  return out;
}

}  // namespace nines::agent::query
