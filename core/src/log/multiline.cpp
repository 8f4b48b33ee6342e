#include "nines/log/multiline.hpp"

#include <re2/re2.h>

#include <array>
#include <string>

#include "log/time_scan.hpp"

namespace nines::log {

struct StartPattern::Impl {
  Impl(std::string_view pattern, const re2::RE2::Options& options)
      : regex({pattern.data(), pattern.size()}, options) {}
  re2::RE2 regex;
};

StartPattern::StartPattern(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
StartPattern::~StartPattern() = default;

Result<std::unique_ptr<StartPattern>> StartPattern::compile(std::string_view pattern) {
  re2::RE2::Options options(re2::RE2::Quiet);
  options.set_max_mem(256 << 10);
  options.set_encoding(re2::RE2::Options::EncodingLatin1);  // any byte is a character
  auto impl = std::make_unique<Impl>(pattern, options);
  if (!impl->regex.ok()) {
    return Error{Errc::invalid_argument,
                 "multiline pattern /" + std::string(pattern) + "/: " + impl->regex.error()};
  }
  return std::unique_ptr<StartPattern>(new StartPattern(std::move(impl)));
}

bool StartPattern::matches(std::string_view line) const noexcept {
  line = line.substr(0, kTellingBytes);
  return re2::RE2::PartialMatch(re2::StringPiece(line.data(), line.size()), impl_->regex);
}

namespace {

constexpr auto npos = std::string_view::npos;

std::string_view without_indent(std::string_view line) noexcept {
  size_t i = 0;
  while (i < line.size() && (line[i] == ' ' || line[i] == '\t')) ++i;
  return line.substr(i);
}

size_t skip_digits(std::string_view text, size_t at) noexcept {
  while (at < text.size() && is_digit(text[at])) ++at;
  return at;
}

bool is_blank(std::string_view line) noexcept {
  for (const char c : line) {
    if (c != ' ' && c != '\t' && c != '\r') return false;
  }
  return true;
}

// "x.rb:12:in `m'": the position of what stands behind "in", or npos.
size_t ruby_place(std::string_view text) noexcept {
  for (size_t at = text.find(":in "); at != npos; at = text.find(":in ", at + 1)) {
    size_t digits = at;
    while (digits > 0 && is_digit(text[digits - 1])) --digits;
    const bool quoted = at + 4 < text.size() && (text[at + 4] == '`' || text[at + 4] == '\'');
    if (digits < at && digits > 0 && text[digits - 1] == ':' && quoted) return at + 4;
  }
  return npos;
}

// A whole line of a backtrace; with a message behind it, it is the head of one.
bool is_ruby_frame(std::string_view line) noexcept {
  if (line.back() != '\'') return false;
  const size_t quote = ruby_place(line);
  return quote != npos && line.size() > quote + 1 && line.find(' ') == quote - 1;
}

// "main.(*T).f(0x1, ...)", "panic({...})", "created by main.f in goroutine 1".
bool is_go_call(std::string_view line) noexcept {
  if (line.starts_with("created by ")) return true;
  const size_t paren = line.find('(');
  if (paren == npos || paren == 0 || line.back() != ')') return false;
  const std::string_view name = line.substr(0, line.find_last_of('(', line.size() - 1));
  return name.find(' ') == npos && (name.find('.') != npos || line.starts_with("panic("));
}

bool is_go_register(std::string_view line) noexcept {
  const size_t space = line.find(' ');
  return space < 8 && without_indent(line.substr(space)).starts_with("0x");  // npos is not
}

bool is_script_place(std::string_view line) noexcept {  // "/x/y.js:10"
  const size_t colon = line.rfind(':');
  if (colon == npos || colon + 1 == line.size()) return false;
  if (skip_digits(line, colon + 1) != line.size()) return false;
  const std::string_view file = line.substr(0, colon);
  return file.find(' ') == npos &&
         (file.ends_with("js") || file.ends_with(".ts") || file.starts_with("node:internal/"));
}

bool is_caret(std::string_view line) noexcept {
  const std::string_view mark = without_indent(line);
  return !mark.empty() && mark.find_first_not_of('^') == npos;
}

// "java.lang.IllegalStateException: text", "System.IO.IOException".
bool is_exception_name(std::string_view line) noexcept {
  size_t end = 0;
  while (end < line.size() &&
         (is_alnum(line[end]) || line[end] == '.' || line[end] == '_' || line[end] == '$')) {
    ++end;
  }
  const std::string_view name = line.substr(0, end);
  const bool closed = end == line.size() || line[end] == ':';
  return closed && name.find('.') != npos &&
         (name.ends_with("Exception") || name.ends_with("Error") || name.ends_with("Throwable"));
}

// What a line that may go on with a trace, or begin one, can start with.
constexpr std::array<bool, 256> first_bytes() {
  std::array<bool, 256> table{};
  for (const char c : std::string_view(" \t-/+[CPST")) table[static_cast<unsigned char>(c)] = true;
  for (size_t c = 'a'; c <= 'z'; ++c) table[c] = true;  // panic:, goroutine, frames of Ruby
  return table;
}
constexpr std::array<bool, 256> kFirstBytes = first_bytes();

}  // namespace

bool TraceMachine::restore(char saved) noexcept {
  const int state = saved - 'a';
  if (state < 0 || state > static_cast<int>(State::last_)) return false;
  state_ = static_cast<State>(state);
  return true;
}

bool TraceMachine::follows(std::string_view line) noexcept {
  const bool telling = !line.empty() && kFirstBytes[static_cast<unsigned char>(line.front())];
  if (!telling && state_ == State::none) return false;
  line = line.substr(0, kTellingBytes);
  if (in_trace(line)) return true;
  // What the line itself says, it says in every state alike: a record held back is looked at anew
  // without the lines before it.
  if (telling && anywhere(line)) return true;
  state_ = State::none;
  if (telling) start(line);
  return false;
}

bool TraceMachine::in_trace(std::string_view line) noexcept {
  switch (state_) {
    case State::none: return false;
    case State::python:
    case State::python_done:
    case State::python_chain:
    case State::python_between: return in_python(line);
    case State::go_panic:
    case State::go_call:
    case State::go_file:
    case State::go_blank: return in_go(line);
    case State::node_source:
    case State::node_code:
    case State::node_caret:
    case State::node_error:
    case State::node_properties: return in_node(line);
    default: return in_others(line);
  }
}

// Lines that belong to the one before whatever that was.
bool TraceMachine::anywhere(std::string_view line) noexcept {
  if (is_blank(line)) return false;
  const std::string_view text = without_indent(line);
  const bool indented = text.size() < line.size();
  if (indented && text.starts_with("at ")) {
    if (state_ == State::rust) return true;
    state_ = text.ends_with(" {") ? State::node_properties : State::frames;
    return true;
  }
  const bool more = indented && text.starts_with("... ") && skip_digits(text, 4) > 4;
  if (more || text.starts_with("Caused by: ") || (indented && text.starts_with("Suppressed: ")) ||
      (indented && text.starts_with("---> ")) || text.starts_with("--- End of ")) {
    state_ = State::frames;
    return true;
  }
  if ((indented && text.starts_with("from ") && text.find(':') != npos) ||
      (!indented && is_ruby_frame(line))) {
    state_ = State::ruby;
    return true;
  }
  if (text.starts_with("goroutine ") && text.ends_with("]:")) {
    state_ = State::go_file;
    return true;
  }
  if (line == "Stack trace:" || line == "[stacktrace]") {
    state_ = State::php;
    return true;
  }
  return false;
}

// A record begins: is it a trace of its own?
void TraceMachine::start(std::string_view line) noexcept {
  const std::string_view text = without_indent(line);
  if (text.starts_with("Traceback (most ") || text.starts_with("+ Exception Group Traceback (")) {
    state_ = State::python;
  } else if (line.starts_with("panic: ") || line.starts_with("fatal error: ") ||
             line.starts_with("SIGSEGV: ") || line.starts_with("unexpected fault address ")) {
    state_ = State::go_panic;
  } else if (is_script_place(line)) {
    state_ = State::node_source;
  } else if (line.starts_with("PHP Stack trace:")) {
    state_ = State::php;
  } else if (line.starts_with("thread '") && line.find("' panicked at ") != npos) {
    state_ = line.ends_with(":") ? State::rust_message : State::rust;
  }
}

bool TraceMachine::begins(std::string_view line) const noexcept {
  line = line.substr(0, kTellingBytes);
  return state_ != State::none || is_exception_name(line) ||
         line.starts_with("Exception in thread ") || line.starts_with("Unhandled exception") ||
         ruby_place(line) != npos;
}

bool TraceMachine::in_python(std::string_view line) noexcept {
  switch (state_) {
    case State::python:
      if (is_blank(line)) return false;
      if (line.front() != ' ' && line.front() != '\t') state_ = State::python_done;
      return true;
    case State::python_done:
      if (!is_blank(line)) return line == "\"\"\"";  // of another process
      state_ = State::python_chain;
      return true;
    case State::python_chain:
      if (is_blank(line)) return true;
      if (!line.starts_with("During handling of the above exception") &&
          !line.starts_with("The above exception was the direct cause")) {
        return false;
      }
      state_ = State::python_between;
      return true;
    default:  // python_between
      if (is_blank(line)) return true;
      if (line.find("Traceback (most recent call last):") == npos) return false;
      state_ = State::python;
      return true;
  }
}

bool TraceMachine::in_go(std::string_view line) noexcept {
  if (line.starts_with("exit status ")) {
    state_ = State::none;
    return true;
  }
  if (is_blank(line)) {
    state_ = state_ == State::go_panic ? State::go_panic : State::go_blank;
    return true;
  }
  switch (state_) {
    case State::go_panic:
      return line.front() == '\t' || line.starts_with("[signal ") || line.starts_with("panic: ") ||
             line.starts_with("runtime: ") || line.starts_with("runtime stack:") ||
             line.starts_with("fatal error: ");
    case State::go_call:
      if (line.front() != '\t') return false;
      state_ = State::go_file;
      return true;
    case State::go_file:
      if (line.front() == '\t' || line.starts_with("...")) return true;
      if (!is_go_call(line)) return is_go_register(line);
      state_ = State::go_call;
      return true;
    default: return is_go_register(line);  // go_blank; "goroutine" goes on anywhere
  }
}

bool TraceMachine::in_node(std::string_view line) noexcept {
  switch (state_) {
    case State::node_source: state_ = State::node_code; return !is_blank(line);
    case State::node_code:
      if (!is_caret(line)) return false;
      state_ = State::node_caret;
      return true;
    case State::node_caret:
      if (is_blank(line)) return true;
      if (line.front() == ' ') return false;
      state_ = State::node_error;
      return true;
    case State::node_error: return false;  // "    at" goes on anywhere
    default:                               // node_properties
      if (is_blank(line)) return false;
      if (line == "}") state_ = State::frames;
      return line == "}" || line.front() == ' ';
  }
}

bool TraceMachine::in_others(std::string_view line) noexcept {
  const std::string_view text = without_indent(line);
  const bool indented = text.size() < line.size();
  switch (state_) {
    case State::frames:
      if (is_blank(line)) return true;  // before "Node.js v18"; at the end it belongs to nothing
      if (!line.starts_with("Node.js v")) return false;
      state_ = State::none;
      return true;
    case State::php:
      return (text.starts_with("#") && skip_digits(text, 1) > 1) ||
             (indented && text.starts_with("thrown in ")) ||
             (line.starts_with("PHP ") && text.find(". ") != npos);
    case State::rust_message: state_ = State::rust; return !is_blank(line);
    case State::rust:
      return text.starts_with("stack backtrace:") || text.starts_with("note: ") ||
             (indented && skip_digits(text, 0) > 0 && text.find(": ") != npos);
    default: return false;  // ruby: its lines go on anywhere
  }
}

}  // namespace nines::log
