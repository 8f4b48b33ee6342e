// The newest lines that say what is wrong, as pages show them.
#include <stdlib.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "incident/error_lines.hpp"

namespace nines::agent::incident {
namespace {

constexpr int64_t kStart = 1'790'000'000;

WallTime at(int64_t s) { return WallTime::from_s(kStart + s); }

void note(ErrorLines& lines, int64_t s, std::string_view service, std::string_view message) {
  collector::ObservedRecord record;
  record.at = at(s);
  record.service = service;
  record.message = message;
  lines.note(record);
}

class LogFile {
 public:
  LogFile() {
    std::string pattern = (std::filesystem::temp_directory_path() / "nines-el-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    folder_ = pattern;
  }
  ~LogFile() { std::filesystem::remove_all(folder_); }
  std::string path() const { return folder_ + "/access.log"; }
  void write(const std::string& text) const { std::ofstream(path()) << text; }

 private:
  std::string folder_;
};

}  // namespace

TEST_CASE("The newest error lines of the services that are asked for come first", "[incident]") {
  ErrorLines lines;
  for (int64_t s = 0; s < 10; ++s) note(lines, s, "pay", "no answer, try " + std::to_string(s));
  note(lines, 5, "shop", "order failed\n  at Shop.java:1");
  note(lines, 9, "mail", "queue is full");
  const auto found = lines.newest({"pay", "shop"}, at(0), 3);
  REQUIRE(found.size() == 3);
  CHECK(found[0].ends_with(" pay: no answer, try 9"));
  CHECK(found[1].ends_with(" pay: no answer, try 8"));
  CHECK(lines.newest({"shop"}, at(0), 3) ==
        std::vector<std::string>{format_rfc3339(at(5)) + " shop: order failed"});
  CHECK(lines.newest({"shop"}, at(6), 3).empty());
  CHECK(lines.newest({"nobody"}, at(0), 3).empty());
}

TEST_CASE("A storm costs one line a second, and the same text is shown once", "[incident]") {
  ErrorLines lines;
  for (int i = 0; i < 1000; ++i) note(lines, i / 500, "pay", "no answer");
  CHECK(lines.newest({"pay"}, at(0), 3).size() == 1);
}

TEST_CASE("A line without a message is read again where it stands, unless that is another file",
          "[incident]") {
  const LogFile file;
  const std::string good = "10.0.0.1 - - [x] \"GET / HTTP/1.1\" 200 5\n";
  const std::string bad = "10.0.0.2 - - [x] \"GET /pay HTTP/1.1\" 503 7\n";
  file.write(good + bad + good);
  const std::string path = file.path();
  ErrorLines lines;
  collector::ObservedRecord record;
  record.at = at(1);
  record.service = "web";
  record.path = path;
  record.offset = static_cast<int64_t>(good.size());
  record.status = 503;
  lines.note(record);
  CHECK(lines.newest({"web"}, at(0), 3) ==
        std::vector<std::string>{format_rfc3339(at(1)) + " web: " + bad.substr(0, bad.size() - 1)});
  file.write(good + good + good);
  CHECK(lines.newest({"web"}, at(0), 3).empty());
  std::filesystem::remove(path);
  CHECK(lines.newest({"web"}, at(0), 3).empty());
}

TEST_CASE("Services beyond the limit have no lines, and are counted", "[incident]") {
  ErrorLines lines;
  for (size_t i = 0; i < ErrorLines::kMaxServices; ++i)
    note(lines, 1, "s" + std::to_string(i), "x");
  CHECK(lines.dropped() == 0);
  note(lines, 1, "one more", "x");
  CHECK(lines.dropped() == 1);
  CHECK(lines.newest({"one more"}, at(0), 3).empty());
}

}  // namespace nines::agent::incident
