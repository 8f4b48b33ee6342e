// Reads msgpack out of hostile bytes without building anything: the caller says what comes next.
// msgpack-c's own unpacker makes an object of 24 bytes of every byte of an array before anybody has
// looked at it. After the first fault everything reads as empty and ok() stays false.
#pragma once

#include <cstdint>
#include <string_view>

namespace nines::peer {

class MsgpackReader {
 public:
  explicit MsgpackReader(std::string_view in) : in_(in) {}

  // Number of elements; more than `max` or than bytes are left is a fault.
  size_t array(size_t max);
  uint64_t number();
  int64_t integer();
  bool boolean();
  std::string_view text(size_t max);
  std::string_view binary(size_t max);
  void fail() { ok_ = false; }
  bool ok() const { return ok_; }
  bool complete() const { return ok_ && at_ == in_.size(); }

 private:
  uint8_t byte();
  uint64_t big_endian(int bytes);
  std::string_view take(uint64_t size, size_t max);

  std::string_view in_;
  size_t at_ = 0;
  bool ok_ = true;
};

}  // namespace nines::peer
