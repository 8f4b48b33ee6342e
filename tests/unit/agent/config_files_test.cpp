#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "config/files.hpp"

using namespace nines;
using agent::config::read_file;

namespace {

struct File {
  explicit File(size_t bytes) : path(std::filesystem::temp_directory_path() / "nines-read-file") {
    path += std::to_string(bytes);
    std::ofstream(path, std::ios::binary) << std::string(bytes, 'x');
  }
  ~File() { std::filesystem::remove(path); }
  std::filesystem::path path;
};

}  // namespace

TEST_CASE("A small file takes memory by its size, not by the limit", "[config]") {
  const File file(300);
  const auto content = read_file(file.path.string(), 1 << 20);
  REQUIRE(content.ok());
  CHECK(content->size() == 300);
  CHECK(content->capacity() <= 4096);
}

TEST_CASE("A file is read up to its limit, and one byte more is refused", "[config]") {
  for (const size_t limit : {size_t{0}, size_t{1}, size_t{16 * 1024}, size_t{40'000}}) {
    const File fits(limit), exceeds(limit + 1);
    const auto content = read_file(fits.path.string(), limit);
    REQUIRE(content.ok());
    CHECK(*content == std::string(limit, 'x'));
    const auto refused = read_file(exceeds.path.string(), limit);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().code == Errc::exhausted);
  }
}
