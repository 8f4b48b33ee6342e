// JournalSkip: passes over the rest of one entry of the export format in pieces of any size. What
// stands in a field of several lines is never taken for the end of the entry: it is anybody's text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace nines::collector {

class JournalSkip {
 public:
  void begin() noexcept { *this = JournalSkip{}; }  // what comes is the start of an entry
  // Bytes of `data` that belong to the entry; all of them until its empty line was among them.
  size_t pass(std::string_view data) noexcept;
  bool done() const noexcept { return state_ == State::done; }

 private:
  enum class State : uint8_t { name, text, length, body, done };
  static constexpr unsigned kLengthBytes = 8;

  void in_name(char c) noexcept;
  void in_length(char c) noexcept;

  State state_ = State::name;
  bool valid_ = true;  // the name so far is one
  size_t name_size_ = 0;
  unsigned length_size_ = 0;
  uint64_t left_ = 0;  // of a body, its line end included
};

}  // namespace nines::collector
