// Who else could change what a path names: real files, folders and links.
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "config_support.hpp"
#include "notify/trusted_path.hpp"

using namespace nines;
using namespace nines::agent;
using notify::check_trusted;

namespace {

struct Tree : test::ConfigFolder {
  Tree() {
    script("bin/real", "#!/bin/sh\n");
    ::symlink((path() + "/bin/real").c_str(), (path() + "/link").c_str());
    ::symlink("bin/../link", (path() + "/relative").c_str());
    ::symlink("round", (path() + "/round").c_str());
  }
  std::string script(const std::string& name, const std::string& text) const {
    const std::string at = write(name, text);
    ::chmod(at.c_str(), 0755);
    return at;
  }
  void mode(const std::string& name, mode_t mode) const {
    ::chmod((path() + "/" + name).c_str(), mode);
  }
  std::string told(const std::string& name) const {
    const Status status = check_trusted(path() + "/" + name);
    return status.ok() ? "" : status.error().message;
  }
};

}  // namespace

TEST_CASE("A program that only root and we can change is trusted, also through links", "[notify]") {
  const Tree tree;
  CHECK(tree.told("bin/real").empty());
  CHECK(tree.told("link").empty());
  CHECK(tree.told("relative").empty());
  CHECK(check_trusted("/bin/sh").ok());
}

TEST_CASE("Who may write the file, a folder on the way or what a link leads through is named",
          "[notify]") {
  const Tree tree;
  const std::string at = tree.path();
  tree.mode("bin/real", 0775);
  CHECK(tree.told("link") == at + "/link may be changed by others through " + at +
                                 "/bin/real (chown root, chmod go-w): it is not run");
  CHECK(tree.told("bin/real") ==
        at + "/bin/real may be changed by others (chown root, chmod go-w): it is not run");
  tree.mode("bin/real", 0755);
  tree.mode("bin", 0777);
  CHECK(tree.told("relative").find("through " + at + "/bin (") != std::string::npos);
  tree.mode("bin", 01777);  // sticky: nobody replaces what is another's
  CHECK(tree.told("relative").empty());
  tree.mode("bin", 0755);
  if (::geteuid() == 0) {
    REQUIRE(::lchown((at + "/link").c_str(), 65534, 65534) == 0);
    CHECK(tree.told("relative").find("through " + at + "/link (") != std::string::npos);
    REQUIRE(::chown((at + "/bin").c_str(), 65534, 65534) == 0);
    CHECK(tree.told("bin/real").find("through " + at + "/bin (") != std::string::npos);
  }
}

TEST_CASE("The interpreter of a script is part of it", "[notify]") {
  const Tree tree;
  const std::string shell = tree.script("bin/shell", "x");
  const std::string script = tree.script("script", "#! " + shell + " -e\n");
  CHECK(tree.told("script").empty());
  tree.mode("bin/shell", 0757);
  CHECK(tree.told("script").find(shell + " may be changed by others") == 0);
}

TEST_CASE("Links in a circle and ways that lead nowhere are refused", "[notify]") {
  const Tree tree;
  CHECK_FALSE(tree.told("round").empty());
  CHECK_FALSE(tree.told("none").empty());
  CHECK_FALSE(tree.told("bin/real/x").empty());
}
