#include "stream/syslog_framing.hpp"

namespace nines::collector {
namespace {

bool digit(char c) noexcept { return c >= '0' && c <= '9'; }

}  // namespace

void SyslogFramer::put(char c) noexcept {
  if (length_ < max_) {
    *out_++ = c;
    ++length_;
  } else if (!cut_) {
    cut_ = true;
    ++trimmed_;
  }
}

void SyslogFramer::end_message() noexcept {
  *out_++ = '\n';
  ++messages_;
  length_ = 0;
  cut_ = false;
  state_ = State::start;
}

void SyslogFramer::no_header() noexcept {
  for (size_t i = 0; i < header_size_; ++i) put(header_[i]);
  header_size_ = 0;
  state_ = State::line;
}

void SyslogFramer::step(char c) noexcept {
  switch (state_) {
    case State::start:
      if (c == '\n' || c == '\0') return;  // between messages; some senders end them with NUL
      left_ = 0;
      state_ = c >= '1' && c <= '9' ? State::header : State::line;
      return step(c);
    case State::header:
      if (digit(c) && header_size_ < kMaxDigits) {
        header_[header_size_++] = c;
        left_ = left_ * 10 + static_cast<uint64_t>(c - '0');
        return;
      }
      if (c == ' ') {
        state_ = State::blank;
        return;
      }
      if (digit(c)) ++bad_headers_;
      no_header();
      return step(c);
    case State::blank:
      if (c == '<' && left_ <= kMaxCount) {
        header_size_ = 0;
        state_ = State::counted;
        return step(c);
      }
      if (c == '<') ++bad_headers_;
      header_[header_size_++] = ' ';
      no_header();
      return step(c);
    case State::counted:
      --left_;
      if (c != '\n') {
        put(c);
      } else if (left_ > 0) {
        put(' ');
      }
      if (left_ == 0) end_message();
      return;
    case State::line:
      if (c == '\n') return end_message();
      put(c);
      return;
  }
}

size_t SyslogFramer::decode(std::string_view in, char* out) noexcept {
  out_ = out;
  for (const char c : in) step(c);
  return static_cast<size_t>(out_ - out);
}

size_t SyslogFramer::finish(char* out) noexcept {
  out_ = out;
  if (state_ == State::blank) header_[header_size_++] = ' ';
  if (state_ == State::header || state_ == State::blank) no_header();
  if (length_ > 0) ++messages_;
  return static_cast<size_t>(out_ - out);
}

}  // namespace nines::collector
