#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <map>

#include "config_support.hpp"
#include "remedy/aws_credentials.hpp"

using namespace nines;                 // NOLINT(google-build-using-namespace)
using namespace nines::agent::remedy;  // NOLINT(google-build-using-namespace)
using nines::agent::test::ConfigFolder;

namespace {

constexpr const char* kFile =
    "# of the rack\n[default]\naws_access_key_id = AKID1\naws_secret_access_key=s1/+=\n\n"
    "[ nines ]\r\naws_access_key_id=AKID2\r\naws_secret_access_key = s2\r\n"
    "aws_session_token = t2\n[half]\naws_access_key_id = AKID3\n";

Environment environment(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::string() : found->second;
  };
}

std::string file(const ConfigFolder& folder, mode_t mode) {
  const std::string path = folder.write("home/.aws/credentials", kFile);
  ::chmod(path.c_str(), mode);
  return path;
}

}  // namespace

TEST_CASE("credentials of AWS are read by section", "[remedy]") {
  const auto first = parse_aws_credentials(kFile, "default");
  REQUIRE(first.ok());
  CHECK(first->access_key == "AKID1");
  CHECK(first->secret_key == "s1/+=");
  CHECK(first->session_token.empty());
  const auto second = parse_aws_credentials(kFile, "nines");
  REQUIRE(second.ok());
  CHECK(second->secret_key == "s2");
  CHECK(second->session_token == "t2");
  CHECK(parse_aws_credentials(kFile, "none").error().message == "there is no section [none]");
  CHECK(parse_aws_credentials(kFile, "half").error().message ==
        "section [half] has no aws_access_key_id and aws_secret_access_key");
  CHECK_FALSE(parse_aws_credentials("[default\naws_access_key_id = a\r\nb", "default").ok());
}

TEST_CASE("a file goes before the environment, that before the standard file", "[remedy]") {
  const ConfigFolder folder;
  const std::string path = file(folder, 0600);
  const std::string home = folder.path() + "/home";
  const auto keys =
      environment({{"AWS_ACCESS_KEY_ID", "AKIDE"}, {"AWS_SECRET_ACCESS_KEY", "e"}, {"HOME", home}});
  CHECK(aws_identity({path, {}}, keys)->access_key == "AKID1");
  CHECK(aws_identity({}, keys)->access_key == "AKIDE");
  CHECK(aws_identity({{}, "nines"}, keys)->access_key == "AKID2");
  CHECK(aws_identity({}, environment({{"HOME", home}}))->access_key == "AKID1");
  CHECK(aws_identity({},
                     environment({{"AWS_SHARED_CREDENTIALS_FILE", path}, {"AWS_PROFILE", "nines"}}))
            ->access_key == "AKID2");
  CHECK_FALSE(aws_identity({}, environment({})).ok());
  CHECK_FALSE(aws_identity({}, environment({{"AWS_ACCESS_KEY_ID", "AKIDE"}})).ok());
}

TEST_CASE("credentials that others can read are not used, and no error tells them", "[remedy]") {
  const ConfigFolder folder;
  for (const mode_t mode : {0604U, 0620U, 0666U}) {
    const std::string path = file(folder, mode);
    const auto refused = aws_identity({path, {}}, environment({}));
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().message ==
          "'" + path + "' can be read or changed by others (chmod 600): it is not used");
  }
  CHECK(aws_identity({file(folder, 0640), {}}, environment({})).ok());  // a mounted Secret
  const std::string path = file(folder, 0600);
  for (const char* profile : {"half", "none"}) {
    const auto wrong = aws_identity({path, profile}, environment({}));
    REQUIRE_FALSE(wrong.ok());
    CHECK(wrong.error().message.find("AKID") == std::string::npos);
  }
}
