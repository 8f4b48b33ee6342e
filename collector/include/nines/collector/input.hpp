// Input: something that log streams come from (files, the journal, sockets, standard input, scraped
// metrics, the node's vitals). InputSet: all inputs of an agent, read fairly by one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "nines/base/result.hpp"
#include "nines/base/time.hpp"
#include "nines/collector/stream.hpp"
#include "nines/slo/batch.hpp"

struct pollfd;

namespace nines::collector {

struct InputStats {
  std::string kind;       // "file", "journal", "syslog", "stdin", "kmsg", "scrape", "vitals"
  std::string name;       // of the source, for people
  bool resumable = true;  // false: what comes while nobody listens is lost (said by doctor)
  bool healthy = true;
  std::string trouble;               // why not, with a way out
  uint64_t bytes = 0, received = 0;  // received: records, datagrams or scrapes
  uint64_t lost = 0;                 // known to have been lost before they reached us
  uint64_t refused = 0;              // turned away at a limit (connections, oversized datagrams)
  uint64_t restarts = 0;             // of a supervised child, connection or scrape
  int64_t lag_bytes = 0;
};

class Input {
 public:
  virtual ~Input() = default;
  // What to wait for, appended to `out`.
  virtual void descriptors(std::vector<pollfd>& out) const = 0;
  // When read() is wanted although nothing is ready; {INT64_MAX}: never.
  virtual Instant due() const noexcept = 0;
  // Reads what is there, at most about max_bytes, and hands it to the consumer. Never blocks.
  // True: more is ready now.
  virtual bool read(size_t max_bytes) = 0;
  // Reads one stream to hand over at least one record; false at its present end (`last`: for good).
  virtual bool read_some(LogStream& stream, bool last) = 0;
  // Looks now for streams that are there, and lists them.
  virtual void rescan() = 0;
  virtual void list(std::vector<LogStream*>& out) = 0;
  virtual bool caught_up() const noexcept = 0;
  // Positions that changed since the last call, for the batch that holds the counts up to here.
  virtual void take_positions(std::vector<slo::Position>& out) = 0;
  virtual void describe(std::vector<InputStats>& out) const = 0;
};

}  // namespace nines::collector
