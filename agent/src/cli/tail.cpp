// `nines tail SOURCE...`: assembled records, one JSON object a line.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <string>

#include "app/fetcher.hpp"
#include "app/inputs.hpp"
#include "cli/commands.hpp"
#include "nines/base/json_writer.hpp"
#include "nines/collector/input_set.hpp"
#include "nines/collector/record_reader.hpp"
#include "nines/log/format.hpp"
#include "nines/log/multiline.hpp"
#include "nines/store/state_store.hpp"
#include "query/value_json.hpp"

namespace nines::agent {
namespace {

constexpr size_t kBufferBytes = 256 * 1024;
constexpr size_t kFlushBytes = 64 * 1024;

const Value* find(const collector::ReadRecord& record, std::string_view name) {
  for (const auto& field : *record.fields) {
    if (field.name == name) return &field.value;
  }
  return nullptr;
}

// ts, source, level, service, message, fields, raw (DESIGN 4.1).
void write_record(std::string& out, const collector::ReadRecord& record) {
  JsonWriter json(out);
  json.begin_object();
  json.key("ts");
  record.has_ts ? json.value(record.ts) : json.null();
  json.key("source");
  json.value(record.file->path);
  json.key("line");
  json.value(record.line);
  for (const char* name : {"level", "service", "message"}) {
    const Value* value = find(record, name);
    json.key(name);
    query::write_value(json, value != nullptr ? *value : Value::null());
  }
  if (!record.pod.empty()) {
    json.key("namespace");
    json.value(record.ns);
    json.key("pod");
    json.value(record.pod);
    json.key("container");
    json.value(record.container);
  }
  json.key("fields");
  json.begin_object();
  for (const auto& field : *record.fields) {
    if (field.name == "ts" || field.name == "level" || field.name == "service" ||
        field.name == "message")
      continue;
    json.key(field.name);
    query::write_value(json, field.value);
  }
  json.end_object();
  json.key("raw");
  json.value(record.raw);
  if (!record.error.empty()) {
    json.key("_error");
    json.value(record.error);
  }
  if (record.truncated) {
    json.key("_truncated");
    json.value(true);
  }
  json.end_object();
}

class Tail {
 public:
  Tail(const TailOptions& options, const Clock& clock)
      : options_(options),
        clock_(clock),
        reader_(selector(options), kBufferBytes, clock,
                [this](const auto& record) { print(record); }) {
    if (options.explain_format) {
      reader_.on_format([](const collector::LogStream& file, const std::string& why) {
        std::fprintf(stderr, "%s: %s\n", file.path.c_str(), why.c_str());
      });
    }
  }

  int run() {
    const Status opened = open();
    if (!opened.ok()) return refuse(opened.error());
    inputs_->rescan();
    const auto streams = inputs_->list();
    if (options_.once && streams.empty() && !others_) {
      return refuse({Errc::unavailable,
                     "no file matches; check the pattern and that this user may read the files"});
    }
    if (options_.once) {
      for (const collector::StreamRef& at : streams) read_to_end(at);
    } else {
      while (!failed_ && !stop_requested()) {
        inputs_->poll(1000, 4 * kBufferBytes);
        flush();
        keep_position(false);
      }
    }
    flush();
    return keep_position(true) ? kExitOk : kExitUnavailable;
  }

 private:
  static int refuse(const Error& error) {
    std::fprintf(stderr, "nines tail: %s\n", error.message.c_str());
    return kExitUnavailable;
  }

  // How records are read, whatever they come from.
  static slo::SourceSelector selector(const TailOptions& options) {
    slo::SourceSelector out;
    out.format = options.format;
    out.pattern = options.pattern;
    out.multiline = options.multiline;
    return out;
  }

  Status open() {
    std::vector<slo::Position> saved;
    if (!options_.state.empty()) {
      store::StoreOptions store;
      store.directory = options_.state;
      NINES_TRY(store_, store::StateStore::open(store));
      saved = store_->restored().positions;
    }
    NINES_TRY(inputs_, collector::InputSet::create(clock_));
    return add_sources(saved);
  }

  // All files are one source; whatever else is named is one of its own.
  Status add_sources(const std::vector<slo::Position>& saved) {
    slo::SourceSelector files;
    files.exclude = options_.exclude;
    files.start = options_.start;
    uint32_t next = 1;
    for (const std::string& argument : options_.sources) {
      const slo::SourceSelector selector = selector_of_argument(argument);
      if (selector.input == slo::InputKind::files) {
        files.paths.push_back(argument);
        continue;
      }
      NINES_TRY(auto input, make_input(next++, selector, environment(), saved, reader_, clock_));
      inputs_->add(std::move(input));
      others_ = true;
    }
    if (files.paths.empty()) return Ok{};
    collector::TailerOptions options;
    options.buffer_bytes = kBufferBytes;
    NINES_TRY(auto tailer, collector::Tailer::create(options, reader_, saved, clock_));
    tailer->add_source(0, file_source(files, {files.paths, files.exclude}));
    inputs_->add(std::move(tailer));
    return Ok{};
  }

  InputEnvironment environment() {
    return {options_.once ? blocking_fetch() : fetcher_.fetch(), options_.state, options_.once};
  }

  void read_to_end(const collector::StreamRef& at) {
    while (!failed_ && !stop_requested() && at.input->read_some(*at.stream, true)) {
      keep_position(false);
    }
  }

  void print(const collector::ReadRecord& record) {
    if (options_.raw) {
      out_.append(record.raw);
    } else {
      write_record(out_, record);
    }
    out_ += '\n';
    if (out_.size() >= kFlushBytes) flush();
  }

  void flush() {
    if (out_.empty()) return;
    failed_ =
        std::fwrite(out_.data(), 1, out_.size(), stdout) != out_.size() || std::fflush(stdout) != 0;
    out_.clear();
  }

  // Printed first, remembered afterwards: a kill in between prints a record again, never none.
  bool keep_position(bool now) {
    if (!store_ || failed_) return true;
    const Instant at = clock_.mono();
    if (!now && at.ns - kept_at_.ns < kNsPerSecond) return true;
    kept_at_ = at;
    flush();
    store::StateStore::Commit commit;
    inputs_->take_positions(commit.batch.positions);
    commit.now = clock_.wall();
    if (commit.batch.positions.empty()) return true;
    const Status done = store_->commit(commit);
    if (!done.ok()) std::fprintf(stderr, "nines tail: %s\n", done.error().message.c_str());
    return done.ok();
  }

  const TailOptions& options_;
  const Clock& clock_;
  collector::RecordReader reader_;
  std::unique_ptr<store::StateStore> store_;
  Fetcher fetcher_;
  std::unique_ptr<collector::InputSet> inputs_;
  std::string out_;
  Instant kept_at_{};
  bool others_ = false;  // inputs that are not files
  bool failed_ = false;  // nobody reads our output any more
};

}  // namespace

int run_tail(const TailOptions& options, const Clock& clock) {
  if (options.format != "auto") {
    const auto format = log::format_from_name(options.format, options.pattern);
    if (!format.ok()) {
      std::fprintf(stderr, "nines tail: --format: %s\n", format.error().message.c_str());
      return kExitUsage;
    }
    if (const auto parser = log::make_parser(*format, {}, {});
        !parser.ok() && !log::wants_header(*format)) {
      std::fprintf(stderr, "nines tail: --pattern: %s\n", parser.error().message.c_str());
      return kExitUsage;
    }
  }
  if (options.multiline != "auto" && options.multiline != "none") {
    if (const auto start = log::StartPattern::compile(options.multiline); !start.ok()) {
      std::fprintf(stderr, "nines tail: --multiline: %s\n", start.error().message.c_str());
      return kExitUsage;
    }
  }
  return Tail(options, clock).run();
}

}  // namespace nines::agent
