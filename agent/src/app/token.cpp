#include "app/token.hpp"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "app/log.hpp"
#include "nines/base/bytes_text.hpp"

namespace nines::agent {
namespace {

constexpr size_t kTokenBytes = 32;
constexpr size_t kMaxTokenFile = 4096;
constexpr size_t kShortToken = 16;

Error failed(const std::string& what, int error, const std::string& hint) {
  return {Errc::io, what + ": " + std::strerror(error) + "; " + hint, error};
}

// Complete under its final name or not there at all.
Status write_token(const std::string& path, const std::string& token) {
  const std::string temporary = path + ".new";
  ::unlink(temporary.c_str());
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  const std::string line = token + "\n";
  const bool written = fd >= 0 &&
                       ::write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size()) &&
                       ::fdatasync(fd) == 0;
  const int error = errno;
  if (fd >= 0) ::close(fd);
  if (written && ::rename(temporary.c_str(), path.c_str()) == 0) return Ok{};
  return failed("cannot write " + path, written ? errno : error, "check the state directory");
}

std::array<unsigned char, EVP_MAX_MD_SIZE> digest_of(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
  return digest;
}

}  // namespace

Result<std::string> random_token() {
  std::array<unsigned char, kTokenBytes> bytes;
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    return Error{Errc::io, "no random bytes for a token: OpenSSL has none"};
  }
  return hex_of({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::string token_path(const std::string& configured, const std::string& state_directory) {
  return configured.empty() ? state_directory + "/api.token" : configured;
}

Result<std::string> read_token(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return failed("cannot read the API token " + path, errno,
                  "run as the agent's user, or name the file with --token-file FILE, or the "
                  "agent's state directory with --state DIR");
  }
  std::array<char, kMaxTokenFile> buffer;
  const ssize_t n = ::read(fd, buffer.data(), buffer.size());
  const int error = errno;
  ::close(fd);
  if (n < 0) return failed("cannot read the API token " + path, error, "it must be a file");
  std::string token(buffer.data(), static_cast<size_t>(n));
  token.resize(std::min(token.find_first_of("\r\n"), token.size()));
  const bool printable = token.find_first_not_of(
                             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                             "-._~+/=") == std::string::npos;
  if (token.empty() || !printable) {
    return Error{Errc::invalid_argument, "the API token file " + path +
                                             " must hold one line of letters, digits and -._~+/="};
  }
  return token;
}

Status keep_token(const std::string& path, const std::string& token) {
  return write_token(path, token);
}

Result<std::string> provide_token(const std::string& configured, const std::string& state_directory,
                                  bool* unkept) {
  const std::string path = token_path(configured, state_directory);
  struct stat status {};
  const bool there = ::stat(path.c_str(), &status) == 0;
  Result<std::string> kept = there ? read_token(path) : Error{Errc::not_found, {}};
  if (!kept.ok() && configured.empty() && kept.error().code != Errc::io) {
    // Ours, and lost power can leave it empty: counting must not stop for it.
    if (there) log::warn("http", kept.error().message + "; it was damaged and is made anew");
    NINES_TRY(const std::string token, random_token());
    const Status written = write_token(path, token);
    if (!written.ok() && unkept == nullptr) return written.error();
    if (!written.ok()) {
      *unkept = true;
      log::warn("http", written.error().message + "; until then nobody has the token for writes");
    }
    return token;
  }
  NINES_TRY(std::string token, there ? std::move(kept) : read_token(path));
  if (there && (status.st_mode & S_IROTH) != 0) {
    log::warn("http", "the API token " + path + " can be read by everybody on this machine");
  }
  if (token.size() < kShortToken) {
    log::warn("http", "the API token in " + path + " is short: use at least 16 characters");
  }
  return token;
}

bool same_token(std::string_view a, std::string_view b) {
  const auto left = digest_of(a), right = digest_of(b);
  return CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

}  // namespace nines::agent
