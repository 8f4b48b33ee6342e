// RowReader: the consumer behind standing queries: what a scan makes of a file it makes of streams
// that are followed, by the same code: fields, EXTRACT, time range, WHERE, CONTEXT
// in the order of the file (records behind a hit wait until it is known to which hit they belong).
//
// Rows of several streams come as they are read. While old content is caught up with, set_limit()
// makes them come in the order of time: records behind the limit stay unread.
//
// Place::file counts the streams in the order in which they were opened. Used by one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/time.hpp"
#include "nines/collector/framing.hpp"
#include "nines/collector/scan.hpp"
#include "nines/collector/stream.hpp"
#include "nines/query/plan.hpp"
#include "nines/query/row.hpp"

namespace nines::collector {

class RowReader final : public RecordConsumer {
 public:
  // `out` and `clock` outlive it. Of `options` only what concerns records is used.
  RowReader(query::SourceRef source, query::ScanPlan plan, ScanOptions options, const Clock& clock,
            query::RowSink& out);
  ~RowReader() override;

  // Records stamped later are left unread (REQUIRES plan.needs_time); next_time(stream) is the
  // stamp of the first one.
  void set_limit(WallTime limit) { limit_ = limit; }
  static std::optional<WallTime> next_time(const LogStream& stream);

  // Of all records looked at, whether WHERE chose them or not; nothing when times are not read.
  std::optional<WallTime> newest() const noexcept { return newest_; }
  ScanStats stats() const;
  uint64_t streams() const noexcept { return next_index_; }
  // The sink wants no more rows.
  bool refused() const noexcept { return refused_; }
  // Why some stream is not read (its format and the statement do not go together).
  const Error* error() const noexcept { return error_ ? &*error_ : nullptr; }

  Taken consume(LogStream& stream, std::string_view data, Reading how) override;
  void opened(LogStream& stream) override;
  void closed(LogStream& stream) override;

 private:
  struct StreamState;
  bool prepare(StreamState& state);
  FrameStep take(StreamState& state, const FramedRecord& record);
  void give(StreamState& state, const FramedRecord& record, bool hit, bool outside);

  query::SourceRef source_;
  query::ScanPlan plan_;
  ScanOptions options_;
  const Clock& clock_;
  query::RowSink& out_;
  WallTime limit_{INT64_MAX};
  std::optional<WallTime> newest_;
  ScanStats closed_;  // of streams that are gone
  std::vector<const StreamState*> open_;
  uint32_t next_index_ = 0;
  bool refused_ = false;
  std::optional<Error> error_;
};

}  // namespace nines::collector
