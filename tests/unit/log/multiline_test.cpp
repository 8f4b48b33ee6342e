// Which lines belong to one record: traces as the language runtimes write them.
#include "nines/log/multiline.hpp"

#include <string>
#include <vector>

#include "log_test_support.hpp"

using namespace nines;
using namespace nines::log;

namespace {

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t stop = std::min(text.find('\n'), text.size() - 1);
    lines.emplace_back(text.substr(0, text[stop] == '\n' ? stop : stop + 1));
    text.remove_prefix(stop + 1);
  }
  return lines;
}

// The first lines of the records that the machine makes of `text`.
std::vector<std::string> heads(std::string_view text) {
  TraceMachine machine;
  std::vector<std::string> out;
  for (const std::string& line : lines_of(text)) {
    if (!machine.follows(line)) out.push_back(line);
  }
  return out;
}
using Heads = std::vector<std::string>;

constexpr std::string_view kJava =
    "Exception in thread \"main\" java.lang.IllegalStateException: A book has a null property\n"
    "\tat com.example.myproject.Author.getBookIds(Author.java:38)\n"
    "\tat com.example.myproject.Bootstrap.main(Bootstrap.java:14)\n"
    "\tSuppressed: java.io.IOException: on close\n"
    "\t\tat com.example.myproject.Res.close(Res.java:4)\n"
    "\t\t... 2 more\n"
    "Caused by: java.lang.NullPointerException\n"
    "\tat com.example.myproject.Book.getId(Book.java:22)\n"
    "\t... 1 more\n";

constexpr std::string_view kPython =
    "Traceback (most recent call last):\n"
    "  File \"/srv/app.py\", line 12, in handler\n"
    "    return users[name]\n"
    "           ~~~~~^^^^^^\n"
    "KeyError: 'ada'\n"
    "\n"
    "During handling of the above exception, another exception occurred:\n"
    "\n"
    "Traceback (most recent call last):\n"
    "  File \"/srv/app.py\", line 15, in <module>\n"
    "    main()\n"
    "  [Previous line repeated 996 more times]\n"
    "RuntimeError: no such user\n";

constexpr std::string_view kGo =
    "panic: runtime error: index out of range [5] with length 3 [recovered]\n"
    "\tpanic: again\n"
    "[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x47b1d3]\n"
    "\n"
    "goroutine 1 [running]:\n"
    "main.(*Server).handle(0xc000012345, {0x1, 0x2})\n"
    "\t/srv/main.go:42 +0x1d\n"
    "main.main()\n"
    "\t/srv/main.go:10 +0x20\n"
    "\n"
    "goroutine 18 [chan receive, 3 minutes]:\n"
    "net/http.(*conn).serve(...)\n"
    "\t/usr/lib/go/src/net/http/server.go:1995\n"
    "created by net/http.(*Server).Serve in goroutine 1\n"
    "\t/usr/lib/go/src/net/http/server.go:3285 +0x4b4\n"
    "exit status 2\n";

constexpr std::string_view kDotNet =
    "Unhandled exception. System.InvalidOperationException: outer\n"
    " ---> System.ArgumentNullException: Value cannot be null. (Parameter 'x')\n"
    "   at Shop.Cart.Add(String x) in /src/Cart.cs:line 12\n"
    "   --- End of inner exception stack trace ---\n"
    "   at Shop.Program.Main(String[] args) in /src/Program.cs:line 5\n"
    "--- End of stack trace from previous location ---\n"
    "   at System.Threading.Tasks.Task.Wait()\n";

constexpr std::string_view kRuby =
    "app.rb:7:in `fetch': key not found: :a (KeyError)\n"
    "\tfrom app.rb:7:in `block in run'\n"
    "\tfrom /usr/lib/ruby/gems/3.1.0/gems/rack-2.2/lib/rack.rb:12:in `call'\n";

constexpr std::string_view kRails =
    "RuntimeError (boom):\n"
    "app/models/user.rb:12:in `save!'\n"
    "app/controllers/users_controller.rb:5:in `create'\n";

constexpr std::string_view kNode =
    "/srv/app/index.js:10\n"
    "    throw new Error('boom');\n"
    "    ^\n"
    "\n"
    "Error: boom\n"
    "    at Object.<anonymous> (/srv/app/index.js:10:11)\n"
    "    at node:internal/main/run_main_module:28:49 {\n"
    "  code: 'EBOOM',\n"
    "  errno: -2\n"
    "}\n"
    "\n"
    "Node.js v20.11.0\n";

}  // namespace

TEST_CASE("A trace of every language is one record, wherever it stands", "[log]") {
  for (const std::string_view trace : {kJava, kPython, kGo, kDotNet, kRuby, kRails, kNode}) {
    const std::string head = lines_of(trace).front();
    CAPTURE(head);
    CHECK(heads(trace) == Heads{head});
    CHECK(heads("ordinary\n" + std::string(trace) + "Ordinary again\nand more\n") ==
          Heads{"ordinary", head, "Ordinary again", "and more"});
    CHECK(heads(std::string(trace) + std::string(trace)) == Heads{head, head});
  }
}

TEST_CASE("A trace behind the line that announces it belongs to that line", "[log]") {
  CHECK(heads("ERROR could not place order\n"
              "java.lang.IllegalStateException: stock\n"
              "\tat a.B.c(D.java:1)\n"
              "INFO next\n") == Heads{"ERROR could not place order",
                                      "java.lang.IllegalStateException: stock", "INFO next"});
  CHECK(heads("ERROR failed\n\tat a.B.c(D.java:1)\nINFO next\n") ==
        Heads{"ERROR failed", "INFO next"});
  CHECK(heads("2026/11/21 01:00:00 http: panic serving 10.0.0.1:5: boom\n"
              "goroutine 20 [running]:\n"
              "net/http.(*conn).serve.func1()\n"
              "\t/usr/lib/go/src/net/http/server.go:1854 +0xbf\n"
              "2026/11/21 01:00:01 next\n") ==
        Heads{"2026/11/21 01:00:00 http: panic serving 10.0.0.1:5: boom",
              "2026/11/21 01:00:01 next"});
}

TEST_CASE("Traces of PHP and Rust are recognised too", "[log]") {
  CHECK(heads("PHP Fatal error:  Uncaught Exception: boom in /srv/x.php:3\n"
              "Stack trace:\n"
              "#0 /srv/x.php(7): f()\n"
              "#1 {main}\n"
              "  thrown in /srv/x.php on line 3\n"
              "next\n") ==
        Heads{"PHP Fatal error:  Uncaught Exception: boom in /srv/x.php:3", "next"});
  CHECK(heads("thread 'main' panicked at src/main.rs:4:5:\n"
              "index out of bounds: the len is 3 but the index is 99\n"
              "stack backtrace:\n"
              "   0: rust_begin_unwind\n"
              "             at /rustc/x/std/src/panicking.rs:645:5\n"
              "note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n"
              "next\n") == Heads{"thread 'main' panicked at src/main.rs:4:5:", "next"});
}

TEST_CASE("What only looks like a trace is none", "[log]") {
  for (const std::string line :
       {"at the beginning", "from here on", "done (ok)", "panicking is no use", "goroutine 5 ended",
        "Caused by", "... and so on", "--- a/file", "#1 priority", "  indented", "", "{\"a\":1}",
        "exit status 1", "created by me", "Error: x", "10.0.0.1 - - [x] \"GET /\""}) {
    CAPTURE(line);
    CHECK(heads("first\n" + line + "\nlast\n") == Heads{"first", line, "last"});
  }
}

TEST_CASE("A trace ends with the first line that is no part of it", "[log]") {
  CHECK(heads(std::string(kGo).substr(0, kGo.find("exit")) + "server restarted (again)\n").back() ==
        "server restarted (again)");
  const std::string python(kPython.substr(0, kPython.find("\n\nDuring") + 1));
  CHECK(heads(python + "Listening\n").back() == "Listening");
  CHECK(heads(python + "\nListening\n").back() == "Listening");
}

TEST_CASE("The state of a trace survives a restart at every line", "[log]") {
  for (const std::string_view trace : {kJava, kPython, kGo, kDotNet, kRuby, kRails, kNode}) {
    TraceMachine machine;
    for (const std::string& line : lines_of(std::string(trace) + "Ordinary\n" + trace.data())) {
      TraceMachine restarted;
      REQUIRE(restarted.restore(machine.save()));
      CAPTURE(line);
      CHECK(restarted.follows(line) == machine.follows(line));
      CHECK(restarted.save() == machine.save());
    }
  }
  TraceMachine machine;
  for (const char c : {'\0', 'A', '`', '{', '\xff'}) CHECK_FALSE(machine.restore(c));
}

TEST_CASE("The head of a trace is known for one where records look different", "[log]") {
  for (const std::string_view trace : {kJava, kPython, kGo, kDotNet, kRuby, kNode}) {
    TraceMachine machine;
    const std::string head = lines_of(trace).front();
    CAPTURE(head);
    CHECK_FALSE(machine.follows(head));
    CHECK(machine.begins(head));
  }
  for (const char* line : {"garbage", "Error: no disk", "{\"broken\":", "a.b: c"}) {
    TraceMachine machine;
    CHECK_FALSE(machine.follows(line));
    CHECK_FALSE(machine.begins(line));
  }
}

TEST_CASE("A start pattern is an RE2 that says so when it is none", "[log]") {
  const auto pattern = StartPattern::compile(R"(^\d{4}-)");
  REQUIRE(pattern.ok());
  CHECK((*pattern)->matches("2026-01-01 x"));
  CHECK_FALSE((*pattern)->matches(" 2026-01-01 x"));
  CHECK((*pattern)->matches("2026-\xff\xfe"));
  const auto broken = StartPattern::compile("(");
  REQUIRE_FALSE(broken.ok());
  CHECK(broken.error().message.find("multiline pattern /(/") != std::string::npos);
}
