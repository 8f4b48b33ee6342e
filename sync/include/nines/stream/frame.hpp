// Frames between nodes:
//
//   u32 length of what follows | u8 version | u8 type | u8 flags | u8 0 | u32 crc32c | body
//
// Big-endian. The checksum is over version, type, flags, 0 and body as sent. Flag 1: the body is
// one zstd frame that states its size. Every limit is checked before anything is allocated for it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "nines/base/result.hpp"

namespace nines::stream {

inline constexpr uint8_t kFrameVersion = 1;
inline constexpr size_t kFrameHeader = 12;
inline constexpr size_t kMaxBody = 1024 * 1024;    // sent, and again unpacked
inline constexpr size_t kMaxFirstBody = 4 * 1024;  // before the other side has said who it is
inline constexpr uint8_t kFlagZstd = 1;

struct Frame {
  uint8_t type = 0;
  std::string body;
};

// REQUIRES body.size() <= kMaxBody. Bodies of more than half a kilobyte are packed if that helps.
std::string encode_frame(uint8_t type, std::string_view body);

// Bytes in, frames out. After a fault it gives nothing but that fault.
class FrameDecoder {
 public:
  // Bodies up to this size, compressed or not, are taken from now on.
  void set_limit(size_t max_body) { max_body_ = max_body; }
  void feed(std::string_view bytes);
  // nullopt: more bytes are needed.
  Result<std::optional<Frame>> next();
  size_t buffered() const { return buffer_.size() - at_; }

 private:
  Error fail(std::string message);

  std::string buffer_;
  size_t at_ = 0;
  size_t max_body_ = kMaxFirstBody;
  std::optional<Error> fault_;
};

}  // namespace nines::stream
