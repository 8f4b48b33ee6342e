// The lines around one of a file, as they stand there now.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "incident/log_context.hpp"

namespace nines::agent::incident {
namespace {

struct LogFile {
  LogFile() : path((std::filesystem::temp_directory_path() / "nines-context-XXXXXX").string()) {
    const int fd = ::mkstemp(path.data());
    REQUIRE(fd >= 0);
    ::close(fd);
  }
  ~LogFile() { std::remove(path.c_str()); }
  void write(const std::string& text) const { std::ofstream(path, std::ios::app) << text; }
  LogContext around(int64_t offset, const std::string& message, size_t most = 100) const {
    return read_context(path, offset, message, 2, 1, most);
  }
  std::string path;
};

}  // namespace

TEST_CASE("Two lines before and one after are read, as many as there are", "[incident]") {
  const LogFile file;
  file.write("one\ntwo\nthree\nfour\nfive\nsi");
  using Lines = std::vector<std::string>;
  CHECK(file.around(14, "four").lines == Lines{"two", "three", "four", "five"});
  CHECK(file.around(0, "one").lines == Lines{"one", "two"});
  CHECK(file.around(4, "two").lines == Lines{"one", "two", "three"});
  CHECK(file.around(19, "five").lines == Lines{"three", "four", "five"});  // "si" is not whole
}

TEST_CASE("Lines of containers are shown without the runtime's part, long ones cut and told so",
          "[incident]") {
  const LogFile file;
  file.write("2026-11-22T05:00:00.000000001Z stdout F {\"msg\":\"card refused\"}\n");
  file.write(std::string(500, 'x') + "\n");
  const auto context = file.around(0, "card refused");
  REQUIRE(context.lines.size() == 2);
  CHECK(context.lines[0] == "{\"msg\":\"card refused\"}");
  CHECK(context.lines[1] == std::string(100, 'x') + "~ (400 bytes more)");
}

TEST_CASE("A file that is another one by now is not taken for the old one", "[incident]") {
  const LogFile file;
  file.write("other\nlines\n");
  CHECK(file.around(6, "refused connection").lines.empty());
  CHECK(file.around(6, "refused connection").why_not == "the file is another one by now");
  CHECK(file.around(3, "er").why_not == "the file is another one by now");  // amid a line
  CHECK(file.around(5'000, "lines").why_not == "the file is another one by now");
  CHECK_FALSE(read_context("/proc/nothing", 0, "x", 1, 1, 50).why_not.empty());
  CHECK_FALSE(read_context("/dev/zero", 0, "x", 1, 1, 50).why_not.empty());
}

TEST_CASE("Of long files only what is near is read", "[incident]") {
  const LogFile file;
  for (int i = 0; i < 5'000; ++i) file.write("line " + std::to_string(10'000 + i) + "\n");
  const auto context = file.around(11 * 2'500, "line 12500");
  REQUIRE(context.lines.size() == 4);
  CHECK(context.lines[0] == "line 12498");
  CHECK(context.lines[3] == "line 12501");
}

}  // namespace nines::agent::incident
