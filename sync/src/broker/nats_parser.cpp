#include "broker/nats_parser.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace nines::broker {
namespace {

constexpr size_t kCompactAt = 256 * 1024;
constexpr std::string_view kHeaderLine = "NATS/1.0";

bool starts(std::string_view text, std::string_view upper) {
  return text.size() >= upper.size() &&
         std::equal(upper.begin(), upper.end(), text.begin(), [](char want, char have) {
           return want == (have >= 'a' && have <= 'z' ? static_cast<char>(have - 32) : have);
         });
}

template <class Number>
bool number(std::string_view text, Number& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size();
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// "NATS/1.0 503 No Responders": 503; 0: no status, or no such line.
int status_of(std::string_view headers) {
  if (!headers.starts_with(kHeaderLine)) return 0;
  std::string_view rest = headers.substr(kHeaderLine.size());
  rest = trim(rest.substr(0, rest.find('\r')));
  int status = 0;
  return number(rest.substr(0, rest.find(' ')), status) && status > 0 ? status : 0;
}

}  // namespace

Error NatsParser::fail(std::string why) {
  fault_ = Error{Errc::corrupt, "the NATS server does not keep to the protocol: " + std::move(why)};
  buffer_.clear();
  at_ = 0;
  return *fault_;
}

void NatsParser::feed(std::string_view bytes) {
  if (fault_) return;
  if (at_ == buffer_.size()) {
    buffer_.clear();
    at_ = 0;
  } else if (at_ > kCompactAt) {
    buffer_.erase(0, at_);
    at_ = 0;
  }
  buffer_.append(bytes);
}

Result<std::optional<NatsFrame>> NatsParser::next() {
  if (fault_) return *fault_;
  if (pending_) return payload();
  const std::string_view rest = std::string_view(buffer_).substr(at_);
  const size_t end = rest.find('\n', scanned_);
  const size_t limit = starts(rest, "INFO") ? kMaxInfoLine : kMaxLine;
  if (end == std::string_view::npos ? rest.size() > limit : end > limit) {
    return fail("a line of more than " + std::to_string(limit) + " bytes");
  }
  if (end == std::string_view::npos) {
    scanned_ = rest.size();
    return std::optional<NatsFrame>();
  }
  scanned_ = 0;
  at_ += end + 1;
  std::string_view text = rest.substr(0, end);
  if (text.ends_with('\r')) text.remove_suffix(1);
  auto frame = line(text);
  if (!frame.ok()) return frame.error();
  if (frame->kind != NatsFrame::Kind::message) return std::optional(std::move(*frame));
  pending_ = std::move(*frame);
  return payload();
}

Result<std::optional<NatsFrame>> NatsParser::payload() {
  const std::string_view rest = std::string_view(buffer_).substr(at_);
  if (rest.size() < total_bytes_ + 2) return std::optional<NatsFrame>();
  if (rest.substr(total_bytes_, 2) != "\r\n") return fail("no line end behind a message");
  NatsFrame frame = std::move(*pending_);
  pending_.reset();
  frame.headers = rest.substr(0, header_bytes_);
  frame.body = rest.substr(header_bytes_, total_bytes_ - header_bytes_);
  frame.status = status_of(frame.headers);
  at_ += total_bytes_ + 2;
  return std::optional(std::move(frame));
}

Result<NatsFrame> NatsParser::line(std::string_view text) {
  NatsFrame frame;
  const size_t blank = text.find_first_of(" \t");
  const std::string_view rest =
      blank == std::string_view::npos ? std::string_view() : trim(text.substr(blank));
  const std::string_view word = text.substr(0, blank);
  const auto is = [&](std::string_view upper) {
    return word.size() == upper.size() && starts(word, upper);
  };
  if (is("MSG")) return message_line(rest, false);
  if (is("HMSG")) return message_line(rest, true);
  if (is("PING")) {
    frame.kind = NatsFrame::Kind::ping;
  } else if (is("PONG")) {
    frame.kind = NatsFrame::Kind::pong;
  } else if (is("+OK")) {
    frame.kind = NatsFrame::Kind::ok;
  } else if (is("INFO")) {
    frame.kind = NatsFrame::Kind::info;
    frame.text = rest;
  } else if (is("-ERR")) {
    frame.kind = NatsFrame::Kind::error;
    frame.text = rest;
    std::erase(frame.text, '\'');
  } else {
    return fail("an unknown operation");
  }
  return frame;
}

// subject sid [reply] [header bytes] bytes
Result<NatsFrame> NatsParser::message_line(std::string_view arguments, bool headers) {
  std::array<std::string_view, 6> words;
  size_t count = 0;
  while (!arguments.empty() && count < words.size()) {
    const size_t blank = arguments.find_first_of(" \t");
    words[count++] = arguments.substr(0, blank);
    arguments =
        blank == std::string_view::npos ? std::string_view() : trim(arguments.substr(blank));
  }
  const size_t least = headers ? 4 : 3;
  if (count != least && count != least + 1)
    return fail("a message line with too few or many words");
  NatsFrame frame;
  frame.kind = NatsFrame::Kind::message;
  frame.subject = words[0];
  if (count == least + 1) frame.reply = words[2];
  header_bytes_ = 0;
  const bool numbers = number(words[1], frame.sid) && number(words[count - 1], total_bytes_) &&
                       (!headers || number(words[count - 2], header_bytes_));
  if (!numbers || header_bytes_ > total_bytes_) return fail("a message line without its sizes");
  if (total_bytes_ > max_message_) {
    return fail("a message of " + std::to_string(total_bytes_) + " bytes, at most " +
                std::to_string(max_message_) + " are taken");
  }
  return frame;
}

}  // namespace nines::broker
