#include "stream/journal_skip.hpp"

#include <algorithm>

#include "nines/log/journal_export.hpp"

namespace nines::collector {
namespace {

constexpr size_t kMaxName = 64;

bool name_byte(char c) noexcept {
  return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

}  // namespace

void JournalSkip::in_name(char c) noexcept {
  if (c == '=') {
    state_ = State::text;
  } else if (c != '\n') {
    const bool digit_first = name_size_ == 0 && c >= '0' && c <= '9';
    ++name_size_;
    valid_ = valid_ && name_byte(c) && !digit_first && name_size_ <= kMaxName;
    return;
  } else if (name_size_ == 0) {
    state_ = State::done;
  } else if (valid_) {
    state_ = State::length;
    length_size_ = 0;
    left_ = 0;
  }
  name_size_ = 0;
  valid_ = true;
}

void JournalSkip::in_length(char c) noexcept {
  left_ |= uint64_t{static_cast<unsigned char>(c)} << (8 * length_size_++);
  if (length_size_ < kLengthBytes) return;
  const bool sound = left_ <= log::kMaxJournalField;
  ++left_;  // its line end
  state_ = sound ? State::body : State::text;
}

size_t JournalSkip::pass(std::string_view data) noexcept {
  size_t at = 0;
  while (at < data.size() && state_ != State::done) {
    if (state_ == State::body) {
      const auto step = static_cast<size_t>(std::min<uint64_t>(left_, data.size() - at));
      at += step;
      left_ -= step;
      if (left_ == 0) state_ = State::name;
    } else if (state_ == State::text) {
      const size_t end = data.find('\n', at);
      if (end == std::string_view::npos) return data.size();
      at = end + 1;
      state_ = State::name;
    } else if (state_ == State::name) {
      in_name(data[at++]);
    } else {
      in_length(data[at++]);
    }
  }
  return at;
}

}  // namespace nines::collector
