// Bytes of a NATS server -> what they say. Strict; bounded before anything is kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "nines/base/result.hpp"

namespace nines::broker {

inline constexpr size_t kMaxInfoLine = 64 * 1024, kMaxLine = 4 * 1024;

struct NatsFrame {
  enum class Kind : uint8_t { info, message, ok, error, ping, pong };
  Kind kind = Kind::ok;
  std::string text;  // of info the JSON, of an error what it says
  std::string subject, reply, headers, body;
  uint64_t sid = 0;
  int status = 0;
};

class NatsParser {
 public:
  explicit NatsParser(size_t max_message) : max_message_(max_message) {}
  void feed(std::string_view bytes);
  // nullopt: more bytes are needed. After a fault it gives nothing but that fault.
  Result<std::optional<NatsFrame>> next();
  size_t buffered() const { return buffer_.size() - at_; }

 private:
  Error fail(std::string why);
  Result<std::optional<NatsFrame>> payload();
  Result<NatsFrame> line(std::string_view text);
  Result<NatsFrame> message_line(std::string_view arguments, bool headers);

  size_t max_message_;
  std::string buffer_;
  size_t at_ = 0;
  size_t scanned_ = 0;                // of the line that is not complete yet
  std::optional<NatsFrame> pending_;  // its payload is to come
  size_t header_bytes_ = 0, total_bytes_ = 0;
  std::optional<Error> fault_;
};

}  // namespace nines::broker
