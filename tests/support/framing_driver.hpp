// Reads a text as an input would, in any pieces and with restarts in between, and keeps what
// comes out of it.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "manual_clock.hpp"
#include "nines/collector/lines.hpp"
#include "nines/collector/record_reader.hpp"

namespace nines::collector::testing {

struct GotRecord {
  int64_t line = 0;
  std::string raw, error;
  bool truncated = false;
  bool operator==(const GotRecord&) const = default;
};

class FramingDriver {
 public:
  slo::SourceSelector selector;
  Framing framing = Framing::lines;
  size_t buffer = 256 * 1024, max_record = 256 * 1024;
  std::vector<GotRecord> got;
  Taken last;  // of the last call

  // The stream has `text` so far: reads all of it that can be read.
  void grow(std::string_view text, Reading how = Reading::more) {
    while (true) {
      const auto at = static_cast<size_t>(stream().offset);
      std::string_view data = text.substr(at, buffer);
      const bool at_end = at + data.size() == text.size();
      if (skip_line_) {
        const size_t next = next_line(data, stream().encoding, stream().offset);
        skip_line_ = next == std::string_view::npos;
        stream_->offset += static_cast<int64_t>(std::min(next, data.size()));
        if (!at_end || !skip_line_) continue;
        data = {};
      }
      Reading now = at_end ? how : Reading::more;
      if (now == Reading::more && data.size() == buffer) now = Reading::full;
      if (data.empty() && now == Reading::more) return;
      const int64_t before = stream_->offset;
      last = reader_->consume(*stream_, data, now);
      if (last.bytes > data.size()) return fail("more taken than given");
      if (now == Reading::full && last.bytes == 0) return fail("nothing taken of a full buffer");
      stream_->offset += static_cast<int64_t>(last.bytes);
      skip_line_ = last.mid_line;
      if (at_end && (stream_->offset == before || skip_line_ ||
                     static_cast<size_t>(stream_->offset) == text.size())) {
        return;
      }
    }
  }
  // One call of an input that delivers whole records.
  Taken deliver(std::string_view data, Reading how = Reading::more) {
    last = (void(stream()), reader_->consume(*stream_, data, how));
    stream_->offset += static_cast<int64_t>(last.bytes);
    return last;
  }
  // As by another process: only position and saved state are left.
  void restart() {
    auto old = std::move(stream_);
    reader_.reset();
    if (!old) return;
    open(old->offset, old->extra);
  }
  void open(int64_t offset, const std::string& extra) {
    reader_ = std::make_unique<RecordReader>(
        selector, max_record, clock_, [this](const ReadRecord& record) {
          got.push_back(
              {record.line, std::string(record.raw), std::string(record.error), record.truncated});
        });
    stream_ = std::make_unique<LogStream>();
    stream_->path = path;
    stream_->matched = {0};
    stream_->offset = offset;
    stream_->extra = extra;
    stream_->framing = framing;
    reader_->opened(*stream_);
  }
  LogStream& stream() {
    if (!stream_) open(0, {});
    return *stream_;
  }

  std::vector<std::string> raws() const {
    std::vector<std::string> out;
    for (const GotRecord& record : got) out.push_back(record.raw);
    return out;
  }
  std::string path = "/logs/a.log";
  std::string failure;

 private:
  void fail(const char* why) {
    if (failure.empty()) failure = why;
  }
  test::ManualClock clock_{WallTime::from_s(1'790'000'000)};
  std::unique_ptr<RecordReader> reader_;
  std::unique_ptr<LogStream> stream_;
  bool skip_line_ = false;
};

}  // namespace nines::collector::testing
