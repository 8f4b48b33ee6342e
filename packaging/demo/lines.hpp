// Requests as log lines. Every function appends whole lines, each with its newline, to `out`.
#pragma once

#include <string>
#include <string_view>

#include "traffic.hpp"

namespace nines::demo {

enum class LineFormat : uint8_t { nginx, json, cri, logfmt, syslog, syslog5424 };
// False: no such format.
bool line_format_from_name(std::string_view name, LineFormat& out);

// Keeps the text of the last second and minute: formatting a time costs a few digits only. Not
// thread-safe.
class LineWriter {
 public:
  LineWriter(LineFormat format, std::string service)
      : format_(format), service_(std::move(service)) {}
  void append(const Request& request, std::string& out);
  // A line that no parser of this format should accept.
  void append_malformed(const Request& request, std::string& out) const;

 private:
  void refresh(int64_t ts_ns);
  void append_iso(int64_t ts_ns, int digits, std::string& out) const;
  void nginx(const Request& r, std::string& out) const;
  void json(const Request& r, std::string& out) const;
  void cri(const Request& r, std::string& out);
  void logfmt(const Request& r, std::string& out) const;
  void syslog(const Request& r, std::string& out) const;
  void syslog5424(const Request& r, std::string& out) const;
  void append_message(const Request& r, std::string& out) const;

  LineFormat format_;
  std::string service_;
  std::string scratch_;
  int64_t second_ = -1;
  std::string iso_, clf_, bsd_;  // of `second_`
};

}  // namespace nines::demo
