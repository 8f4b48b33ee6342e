#include "app/program_pages.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <fstream>
#include <string>

#include "sanitizers.hpp"

using namespace nines::agent;

namespace {

// KiB of the program's own file that are mapped and can be run (proc(5), smaps).
long resident_code() {
  char path[4096];
  const ssize_t length = ::readlink("/proc/self/exe", path, sizeof path);
  REQUIRE(length > 0);
  const std::string program(path, static_cast<size_t>(length));
  std::ifstream maps("/proc/self/smaps");
  std::string line;
  long kib = 0;
  bool code = false;
  while (std::getline(maps, line)) {
    long of_this = 0;
    if (line.find(" r-xp ") != std::string::npos) {
      code = line.size() > program.size() && line.ends_with(program);
    } else if (line.find("-p ") != std::string::npos) {
      code = false;
    } else if (code && std::sscanf(line.c_str(), "Rss: %ld", &of_this) == 1) {
      kib += of_this;
    }
  }
  return kib;
}

}  // namespace

TEST_CASE("pages of the program go when they are released, and what runs next has them again") {
  const long before = resident_code();
  REQUIRE(release_program_pages() > 0);
  const long after = resident_code();
  if (nines::test::kSanitized || nines::test::is_emulated()) {
    WARN("memory is not judged under a sanitizer or an emulator");
  } else {
    REQUIRE(before > 0);
    CHECK(after < before);
    CHECK(after > 0);  // reading smaps ran, too
  }
  CHECK(release_program_pages() > 0);
}
