// Remote tables: FROM remote('NAME' [, 'QUERY']) asks another system's search API for its records,
// page by page, and reads them like lines of JSON of a file, so that the same identifiers work.
//
// What is pushed down only leaves out what cannot belong to the answer: the range of time (SINCE,
// UNTIL, comparisons of ts), and a small page where LIMIT needs no more. WHERE is tested here for
// every record that comes. Whatever goes wrong on the way (no login, too many requests, silence,
// a page cut short or not understood) ends that source and is told; the rows before it stay.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "config/config.hpp"
#include "http/client.hpp"
#include "nines/base/result.hpp"
#include "nines/collector/scan.hpp"
#include "nines/query/plan.hpp"

namespace nines::agent::query {

struct RemoteRange {
  WallTime since, until;  // [since, until)
};
struct RemoteWish {
  std::string query;  // in the words of the system; empty: everything
  RemoteRange range;
  uint64_t page_rows = 5000;
};

// The conversation with one system, without sockets: requests out, answers in. Not thread-safe.
class RemotePager {
 public:
  virtual ~RemotePager() = default;
  // The next request: method, url, headers and body of the API. Nothing: that was all.
  virtual std::optional<http::ClientRequest> next() = 0;
  // The answer to it: appends its records, each an object of JSON on a line.
  virtual Status take(const http::ClientResponse& answer, std::string& lines) = 0;
  // True: bytes of a good answer are given to take_piece() as they come, and its end to take_end().
  virtual bool streams() const { return false; }
  virtual Status take_piece(std::string_view, std::string&) { return Ok{}; }
  virtual Status take_end(std::string&) { return Ok{}; }
  // What tells the system that we are done with it; asked for once, also after a failure.
  virtual std::optional<http::ClientRequest> goodbye() { return std::nullopt; }
  uint64_t rows() const noexcept { return rows_; }  // appended so far

 protected:
  uint64_t rows_ = 0;
};

// REQUIRES that the configuration outlives it.
std::unique_ptr<RemotePager> make_pager(const RemoteConfig& remote, RemoteWish wish);

// A query is only to read: searches of Splunk whose commands write, send or run something are
// refused, and so is JSON that is none.
Status check_query(const RemoteConfig& remote, std::string_view query);

// What "Authorization" says; reads the file of the token or password.
Result<std::string> remote_authorization(const RemoteConfig& remote);

// The content of a remote for scans. `stopped` is asked while waiting for an answer.
std::shared_ptr<const collector::ScanContent> make_remote(const RemoteConfig& remote,
                                                          std::string query, const Clock& clock,
                                                          std::function<bool()> stopped);

}  // namespace nines::agent::query
