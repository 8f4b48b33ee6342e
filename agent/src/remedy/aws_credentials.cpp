#include "remedy/aws_credentials.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "config/files.hpp"

namespace nines::agent::remedy {
namespace {

constexpr size_t kMostBytes = 64 * 1024;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  text.remove_prefix(std::min(text.find_first_not_of(kBlank), text.size()));
  return text.substr(0, text.find_last_not_of(kBlank) + 1);
}

bool sendable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 127; });
}

Status check_mode(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    return Error{Errc::not_found, "cannot read '" + path + "': " + std::strerror(errno), errno};
  }
  const bool foreign = info.st_uid != 0 && info.st_uid != ::geteuid();
  if (!foreign && (info.st_mode & (S_IWGRP | S_IRWXO)) == 0) return Ok{};
  return Error{Errc::invalid_argument,
               "'" + path + "' can be read or changed by others (chmod 600): it is not used"};
}

void take(AwsIdentity& identity, std::string_view line) {
  const size_t equals = line.find('=');
  if (equals == std::string_view::npos) return;
  const std::string_view name = trimmed(line.substr(0, equals));
  const std::string value(trimmed(line.substr(equals + 1)));
  if (name == "aws_access_key_id") identity.access_key = value;
  if (name == "aws_secret_access_key") identity.secret_key = value;
  if (name == "aws_session_token") identity.session_token = value;
}

Status check(const AwsIdentity& identity, const std::string& where) {
  if (identity.access_key.empty() || identity.secret_key.empty()) {
    return Error{Errc::invalid_argument,
                 where + " has no aws_access_key_id and aws_secret_access_key"};
  }
  if (sendable(identity.access_key) && sendable(identity.session_token)) return Ok{};
  return Error{Errc::invalid_argument, where + " has characters that no key has"};
}

}  // namespace

std::string process_environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

Result<AwsIdentity> parse_aws_credentials(std::string_view text, std::string_view profile) {
  AwsIdentity out;
  bool inside = false, found = false;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (line.front() == '[') {
      inside = trimmed(line.substr(1, line.find(']') - 1)) == profile;
      found = found || inside;
    } else if (inside) {
      take(out, line);
    }
  }
  const std::string where = "section [" + std::string(profile) + "]";
  if (!found) return Error{Errc::not_found, "there is no " + where};
  NINES_CHECK(check(out, where));
  return out;
}

Result<AwsIdentity> aws_identity(const AwsSource& source, const Environment& environment) {
  std::string path = source.file;
  if (path.empty() && source.profile.empty()) {
    const AwsIdentity given{environment("AWS_ACCESS_KEY_ID"), environment("AWS_SECRET_ACCESS_KEY"),
                            environment("AWS_SESSION_TOKEN")};
    if (!given.access_key.empty()) {
      NINES_CHECK(check(given, "the environment"));
      return given;
    }
  }
  if (path.empty()) path = environment("AWS_SHARED_CREDENTIALS_FILE");
  if (path.empty()) {
    const std::string home = environment("HOME");
    if (home.empty()) {
      return Error{Errc::not_found,
                   "there are no credentials of AWS: no AWS_ACCESS_KEY_ID, no "
                   "credentials_file, no home"};
    }
    path = home + "/.aws/credentials";
  }
  NINES_CHECK(check_mode(path));
  NINES_TRY(const std::string text, config::read_file(path, kMostBytes));
  std::string profile = source.profile;
  if (profile.empty()) profile = environment("AWS_PROFILE");
  auto identity = parse_aws_credentials(text, profile.empty() ? "default" : profile);
  if (identity.ok()) return identity;
  return Error{identity.error().code, "'" + path + "': " + identity.error().message};
}

}  // namespace nines::agent::remedy
