#include "peer/msgpack_reader.hpp"

#include <limits>

namespace nines::peer {

uint8_t MsgpackReader::byte() {
  if (!ok_ || at_ >= in_.size()) {
    ok_ = false;
    return 0xC1;  // the one that msgpack never uses
  }
  return static_cast<uint8_t>(in_[at_++]);
}

uint64_t MsgpackReader::big_endian(int bytes) {
  uint64_t value = 0;
  for (int i = 0; i < bytes; ++i) value = value << 8 | byte();
  return ok_ ? value : 0;
}

std::string_view MsgpackReader::take(uint64_t size, size_t max) {
  if (!ok_ || size > max || size > in_.size() - at_) {
    ok_ = false;
    return {};
  }
  const auto bytes = in_.substr(at_, static_cast<size_t>(size));
  at_ += static_cast<size_t>(size);
  return bytes;
}

size_t MsgpackReader::array(size_t max) {
  const uint8_t head = byte();
  uint64_t size = 0;
  if (head >> 4 == 0x9) {
    size = head & 0x0F;
  } else if (head == 0xDC || head == 0xDD) {
    size = big_endian(head == 0xDC ? 2 : 4);
  } else {
    ok_ = false;
  }
  if (!ok_ || size > max || size > in_.size() - at_) {
    ok_ = false;
    return 0;
  }
  return static_cast<size_t>(size);
}

uint64_t MsgpackReader::number() {
  const uint8_t head = byte();
  if (head < 0x80) return head;
  if (head >= 0xCC && head <= 0xCF) return big_endian(1 << (head - 0xCC));
  ok_ = false;
  return 0;
}

int64_t MsgpackReader::integer() {
  const uint8_t head = byte();
  if (head < 0x80 || head >= 0xE0) return static_cast<int8_t>(head);
  if (head >= 0xD0 && head <= 0xD3) {
    const int bytes = 1 << (head - 0xD0);
    const int shift = 64 - 8 * bytes;
    return static_cast<int64_t>(big_endian(bytes) << shift) >> shift;
  }
  if (head >= 0xCC && head <= 0xCF) {
    const uint64_t value = big_endian(1 << (head - 0xCC));
    if (value <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
      return static_cast<int64_t>(value);
    }
  }
  ok_ = false;
  return 0;
}

bool MsgpackReader::boolean() {
  const uint8_t head = byte();
  if (head != 0xC2 && head != 0xC3) ok_ = false;
  return head == 0xC3;
}

std::string_view MsgpackReader::text(size_t max) {
  const uint8_t head = byte();
  if (head >> 5 == 0x5) return take(head & 0x1F, max);
  if (head >= 0xD9 && head <= 0xDB) return take(big_endian(1 << (head - 0xD9)), max);
  ok_ = false;
  return {};
}

std::string_view MsgpackReader::binary(size_t max) {
  const uint8_t head = byte();
  if (head >= 0xC4 && head <= 0xC6) return take(big_endian(1 << (head - 0xC4)), max);
  ok_ = false;
  return {};
}

}  // namespace nines::peer
