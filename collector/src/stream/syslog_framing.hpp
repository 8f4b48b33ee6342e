// SyslogFramer: bytes of a syslog connection to lines. RFC 6587's two framings are told apart per
// message: "123 <34>..." is octet-counted (a count, one blank, '<'), everything else ends with a
// line end. A counted message becomes a line: line ends within it become blanks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace nines::collector {

class SyslogFramer {
 public:
  static constexpr size_t kMaxDigits = 10;
  static constexpr uint64_t kMaxCount = 16 * 1024 * 1024;  // no syslog message is longer
  // What decode() may give beyond as many bytes as it got: a header that turns out to be text.
  static constexpr size_t kSlack = kMaxDigits + 2;

  explicit SyslogFramer(size_t max_message_bytes) : max_(max_message_bytes) {}

  // Writes lines to `out`, which has room for in.size() + kSlack bytes; how many were written.
  size_t decode(std::string_view in, char* out) noexcept;
  // At the end of the connection: what was held back, without line end. At most kSlack bytes.
  size_t finish(char* out) noexcept;

  uint64_t messages() const noexcept { return messages_; }  // whole ones; cut ones too
  uint64_t trimmed() const noexcept { return trimmed_; }
  uint64_t bad_headers() const noexcept { return bad_headers_; }

 private:
  enum class State : uint8_t { start, header, blank /* behind the count */, counted, line };

  void step(char c) noexcept;
  void no_header() noexcept;  // what was held back is text
  void put(char c) noexcept;
  void end_message() noexcept;

  size_t max_;
  State state_ = State::start;
  char header_[kMaxDigits + 1];
  size_t header_size_ = 0;
  uint64_t left_ = 0;  // of a counted message
  size_t length_ = 0;  // of the message so far
  bool cut_ = false;
  char* out_ = nullptr;
  uint64_t messages_ = 0, trimmed_ = 0, bad_headers_ = 0;
};

}  // namespace nines::collector
