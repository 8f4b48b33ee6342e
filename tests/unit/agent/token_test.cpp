#include "app/token.hpp"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

using namespace nines;
using agent::provide_token;

namespace {

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "nines-token-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::string& path() const { return path_; }
  std::string write(const std::string& name, const std::string& content) const {
    std::ofstream(path_ + "/" + name, std::ios::binary) << content;
    return path_ + "/" + name;
  }

 private:
  std::string path_;
};

}  // namespace

TEST_CASE("The token is made once, for its owner only, and kept", "[token]") {
  const Folder folder;
  const auto first = provide_token("", folder.path());
  REQUIRE(first.ok());
  CHECK(first->size() == 64);
  struct stat status {};
  REQUIRE(::stat((folder.path() + "/api.token").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  CHECK(*provide_token("", folder.path()) == *first);
}

TEST_CASE("A token of our own that lost power damaged is made anew", "[token]") {
  const std::string damages[] = {"", std::string(65, '\0'), "\x01\x02garbage", "\n"};
  for (const std::string& damage : damages) {
    const Folder folder;
    folder.write("api.token", damage);
    const auto made = provide_token("", folder.path());
    REQUIRE(made.ok());
    CHECK(made->size() == 64);
    CHECK(*agent::read_token(folder.path() + "/api.token") == *made);
  }
}

TEST_CASE("A configured token that is none is an error that names the file", "[token]") {
  const Folder folder;
  const std::string path = folder.write("mine", "");
  const auto refused = provide_token(path, folder.path());
  REQUIRE_FALSE(refused.ok());
  CHECK_THAT(refused.error().message, Catch::Contains(path));
  const auto absent = provide_token(folder.path() + "/none", folder.path());
  REQUIRE_FALSE(absent.ok());
  CHECK_THAT(absent.error().message, Catch::Contains("/none"));
  CHECK_FALSE(std::filesystem::exists(folder.path() + "/api.token"));
}
