// RecordReader: the consumer behind `nines tail`: every assembled record of every file with all its
// fields, in the order of reading. Shares framing, detection and formats with the Pipeline.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "nines/base/time.hpp"
#include "nines/collector/framing.hpp"
#include "nines/collector/tailer.hpp"
#include "nines/log/format.hpp"
#include "nines/slo/spec.hpp"

namespace nines::collector {

struct ReadRecord {
  const LogStream* file = nullptr;
  int64_t line = 0;  // byte offset of its first line
  WallTime ts{};
  bool has_ts = false;
  std::string_view ns, pod, container;  // empty outside Kubernetes
  std::string_view raw;
  const std::vector<log::LineParser::NamedValue>* fields = nullptr;
  std::string_view error;  // empty, or why the line is malformed: no_match, bad_time, not_cri
  bool truncated = false;
};

class RecordReader : public RecordConsumer {
 public:
  using OnRecord = std::function<void(const ReadRecord&)>;
  RecordReader(slo::SourceSelector selector, size_t max_record_bytes, const Clock& clock,
               OnRecord on_record);
  ~RecordReader() override;

  // Called with a line of explanation whenever a file's format has been decided.
  void on_format(std::function<void(const LogStream&, const std::string&)> callback);

  Taken consume(LogStream& file, std::string_view data, Reading how) override;
  void opened(LogStream& file) override;
  void closed(LogStream& file) override;

 private:
  struct FileState;
  log::LineParser& parser_for(FileState& state);
  void read(LogStream& file, FileState& state, const FramedRecord& framed);

  slo::SourceSelector selector_;
  size_t max_record_bytes_;
  const Clock& clock_;
  std::unique_ptr<log::StartPattern> pattern_;
  OnRecord on_record_;
  std::function<void(const LogStream&, const std::string&)> on_format_;
};

}  // namespace nines::collector
