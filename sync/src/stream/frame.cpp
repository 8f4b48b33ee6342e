#include "nines/stream/frame.hpp"

#include <zstd.h>

#include "nines/base/crc32c.hpp"

namespace nines::stream {
namespace {

constexpr size_t kPackFrom = 512;
constexpr size_t kChecked = 4;  // version, type, flags, 0
constexpr int kZstdLevel = 1;

void put_u32(std::string& out, uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xFF);
}

uint32_t get_u32(std::string_view bytes) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

// Empty: it would not be shorter.
std::string zstd_packed(std::string_view body) {
  std::string packed(ZSTD_compressBound(body.size()), '\0');
  const size_t size =
      ZSTD_compress(packed.data(), packed.size(), body.data(), body.size(), kZstdLevel);
  if (ZSTD_isError(size) != 0 || size >= body.size()) return {};
  packed.resize(size);
  return packed;
}

std::optional<std::string> zstd_unpacked(std::string_view packed, size_t limit) {
  const auto size = ZSTD_getFrameContentSize(packed.data(), packed.size());
  if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR || size > limit) {
    return std::nullopt;
  }
  std::string body(static_cast<size_t>(size), '\0');
  const size_t got = ZSTD_decompress(body.data(), body.size(), packed.data(), packed.size());
  if (ZSTD_isError(got) != 0 || got != body.size()) return std::nullopt;
  return body;
}

}  // namespace

std::string encode_frame(uint8_t type, std::string_view body) {
  NINES_ASSERT(body.size() <= kMaxBody);
  const std::string packed = body.size() > kPackFrom ? zstd_packed(body) : std::string();
  const uint8_t flags = packed.empty() ? 0 : kFlagZstd;
  if (!packed.empty()) body = packed;
  const char checked[kChecked] = {static_cast<char>(kFrameVersion), static_cast<char>(type),
                                  static_cast<char>(flags), 0};
  std::string frame;
  frame.reserve(kFrameHeader + body.size());
  put_u32(frame, static_cast<uint32_t>(kFrameHeader - 4 + body.size()));
  frame.append(checked, kChecked);
  put_u32(frame, crc32c(body, crc32c({checked, kChecked})));
  return frame.append(body);
}

void FrameDecoder::feed(std::string_view bytes) {
  if (fault_) return;
  if (at_ > 0) {
    buffer_.erase(0, at_);
    at_ = 0;
  }
  buffer_.append(bytes);
}

Error FrameDecoder::fail(std::string message) {
  buffer_ = {};
  at_ = 0;
  fault_ = Error{Errc::corrupt, std::move(message)};
  return *fault_;
}

Result<std::optional<Frame>> FrameDecoder::next() {
  if (fault_) return *fault_;
  const std::string_view rest = std::string_view(buffer_).substr(at_);
  if (rest.size() < 4) return std::optional<Frame>();
  const uint32_t length = get_u32(rest);
  if (length < kFrameHeader - 4 || length - (kFrameHeader - 4) > max_body_) {
    return fail("a frame of " + std::to_string(length) + " bytes; at most " +
                std::to_string(max_body_ + kFrameHeader - 4) + " are taken here");
  }
  if (rest.size() < 4 + size_t{length}) return std::optional<Frame>();
  const std::string_view checked = rest.substr(4, kChecked), body = rest.substr(12, length - 8);
  if (crc32c(body, crc32c(checked)) != get_u32(rest.substr(8))) {
    return fail("a frame fails its checksum");
  }
  if (static_cast<uint8_t>(checked[0]) != kFrameVersion || checked[3] != 0) {
    return fail("a frame of version " + std::to_string(static_cast<uint8_t>(checked[0])) +
                "; this node knows " + std::to_string(kFrameVersion));
  }
  const auto flags = static_cast<uint8_t>(checked[2]);
  if ((flags & ~kFlagZstd) != 0) return fail("a frame with unknown flags");
  Frame frame{static_cast<uint8_t>(checked[1]), {}};
  if ((flags & kFlagZstd) != 0) {
    auto unpacked = zstd_unpacked(body, max_body_);
    if (!unpacked) return fail("a packed frame does not unpack within its limit");
    frame.body = std::move(*unpacked);
  } else {
    frame.body = body;
  }
  at_ += 4 + size_t{length};
  return std::optional<Frame>(std::move(frame));
}

}  // namespace nines::stream
