// Records of several lines. Which line begins one is told by the format (LineParser::leads()), by a
// pattern that the user gives, or, where neither knows, by TraceMachine: it recognises the stack
// traces that language runtimes write. All of them judge a line by its first kTellingBytes, so that
// the answer does not depend on how much of a line has been read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "nines/base/result.hpp"

namespace nines::log {

inline constexpr size_t kTellingBytes = 1024;

// An RE2 that the first line of every record matches (anywhere; anchor it with ^). Immutable, may
// be shared by threads.
class StartPattern {
 public:
  static Result<std::unique_ptr<StartPattern>> compile(std::string_view pattern);
  ~StartPattern();
  StartPattern(const StartPattern&) = delete;
  StartPattern& operator=(const StartPattern&) = delete;
  bool matches(std::string_view line) const noexcept;

 private:
  struct Impl;
  explicit StartPattern(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Follows the lines of one stream and tells which of them go on with the record before:
//
//   Java, Kotlin, Scala   "\tat ...", "Caused by: ", "\tSuppressed: ", "\t... 12 more"
//   Python                "Traceback (most recent call last):" up to the unindented line of the
//                         exception; a chained one behind blank lines belongs to the same record
//   Go                    "panic: ", "fatal error: ", the goroutines behind, "exit status 2"
//   .NET                  "   at ...", " ---> ...", "   --- End of inner exception stack trace ---"
//   Ruby                  "\tfrom x.rb:1:in `m'", and backtraces of "x.rb:1:in `m'" lines
//   Node.js               "    at ...", the properties behind, the source line and caret before
//   PHP, Rust             "#0 x.php(3): f()" behind "Stack trace:"; "thread 'main' panicked at"
//
// A trace belongs to the line right before it ("ERROR failed" and then "\tat ..."), but
// "Traceback", "panic:" and their like begin a record. Ordinary lines are told by their first byte.
class TraceMachine {
 public:
  // Whether `line` (without line end) goes on with the record of the lines before.
  bool follows(std::string_view line) noexcept;
  // Whether the line just fed, though it began a record, is surely the first of a trace: for logs
  // whose own records look different.
  bool begins(std::string_view line) const noexcept;
  void reset() noexcept { state_ = State::none; }
  bool active() const noexcept { return state_ != State::none; }

  // One byte, to be kept with a position.
  char save() const noexcept { return static_cast<char>('a' + static_cast<int>(state_)); }
  bool restore(char saved) noexcept;

 private:
  enum class State : uint8_t {
    none,
    frames,          // behind "\tat ...": Java, Node, .NET
    python,          // within the frames of a traceback
    python_done,     // behind the line of the exception
    python_chain,    // behind the blank line that follows it
    python_between,  // behind "During handling of the above exception..."
    go_panic,        // behind "panic: ..."
    go_call,         // behind "main.f(...)": its file comes next
    go_file,         // behind "\t/x.go:1 +0x2", or at the start of a goroutine
    go_blank,
    ruby,
    node_source,      // behind "/x.js:10": the line of code comes next
    node_code,        // behind the line of code
    node_caret,       // behind "   ^"
    node_error,       // at the line of the error
    node_properties,  // behind "    at ... {"
    php,
    rust_message,  // behind "thread 'main' panicked at x.rs:1:2:"
    rust,
    last_ = rust,
  };
  bool in_trace(std::string_view line) noexcept;
  bool anywhere(std::string_view line) noexcept;
  bool in_python(std::string_view line) noexcept;
  bool in_go(std::string_view line) noexcept;
  bool in_node(std::string_view line) noexcept;
  bool in_others(std::string_view line) noexcept;
  void start(std::string_view line) noexcept;

  State state_ = State::none;
};

}  // namespace nines::log
