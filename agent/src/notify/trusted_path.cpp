#include "notify/trusted_path.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <fstream>
#include <string_view>

namespace nines::agent::notify {
namespace {

constexpr int kMostLinks = 40;  // as the kernel has it
constexpr size_t kMostComponents = 256;

Error untrusted(const std::string& path, const std::string& by) {
  return {Errc::invalid_argument, path + " may be changed by others" +
                                      (by == path ? "" : " through " + by) +
                                      " (chown root, chmod go-w): it is not run"};
}

Error failed(const std::string& path, const char* what) {
  return {Errc::invalid_argument, "cannot run " + path + ": " + what + ": " + std::strerror(errno),
          errno};
}

bool foreign(const struct stat& info) { return info.st_uid != 0 && info.st_uid != ::geteuid(); }

bool open_to_others(const struct stat& info) {
  if (foreign(info)) return true;
  if (S_ISLNK(info.st_mode)) return false;  // its mode says nothing
  // In a sticky folder nobody replaces what is another's.
  const bool sticky = S_ISDIR(info.st_mode) && (info.st_mode & S_ISVTX) != 0;
  return !sticky && (info.st_mode & (S_IWGRP | S_IWOTH)) != 0;
}

// What is still to be walked, first component first.
class Way {
 public:
  explicit Way(std::string_view path) { prepend(path); }

  bool done() const { return ahead_.empty(); }
  size_t size() const { return ahead_.size(); }
  std::string next() {
    std::string out = std::move(ahead_.front());
    ahead_.pop_front();
    return out;
  }
  void prepend(std::string_view path) {
    std::deque<std::string> parts;
    while (!path.empty()) {
      const size_t slash = std::min(path.find('/'), path.size());
      if (slash > 0) parts.emplace_back(path.substr(0, slash));
      path.remove_prefix(std::min(slash + 1, path.size()));
    }
    ahead_.insert(ahead_.begin(), parts.begin(), parts.end());
  }

 private:
  std::deque<std::string> ahead_;
};

Result<std::string> target_of(const std::string& path, const std::string& link) {
  std::array<char, 4096> target{};
  const ssize_t n = ::readlink(link.c_str(), target.data(), target.size());
  if (n <= 0 || static_cast<size_t>(n) >= target.size()) return failed(path, "readlink");
  return std::string(target.data(), static_cast<size_t>(n));
}

Status walk(const std::string& path) {
  Way way(path);
  std::string at;  // empty: the root
  int links = 0;
  struct stat info {};
  if (::lstat("/", &info) != 0) return failed(path, "stat");
  if (open_to_others(info)) return untrusted(path, "/");
  while (!way.done()) {
    const std::string name = way.next();
    if (name == ".") continue;
    if (name == "..") {
      at.erase(std::min(at.rfind('/'), at.size()));
      continue;
    }
    const std::string here = at + '/' + name;
    if (::lstat(here.c_str(), &info) != 0) return failed(path, "stat");
    if (open_to_others(info)) return untrusted(path, here);
    if (!S_ISLNK(info.st_mode)) {
      at = here;
      continue;
    }
    NINES_TRY(const std::string target, target_of(path, here));
    if (++links > kMostLinks || way.size() > kMostComponents) {
      errno = ELOOP;
      return failed(path, "links");
    }
    way.prepend(target);
    if (target.starts_with('/')) at.clear();
  }
  return Ok{};
}

// Of "#!/usr/bin/env python3" /usr/bin/env; empty: it is no script.
std::string interpreter_of(const std::string& path) {
  std::array<char, 256> head{};
  std::ifstream in(path, std::ios::binary);
  in.read(head.data(), head.size());
  std::string_view line(head.data(), static_cast<size_t>(in.gcount()));
  if (!line.starts_with("#!")) return {};
  line = line.substr(2, line.find('\n') - 2);
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  return std::string(line.substr(0, line.find_first_of(" \t\r")));
}

}  // namespace

Status check_trusted(const std::string& path) {
  NINES_CHECK(walk(path));
  const std::string interpreter = interpreter_of(path);
  return interpreter.starts_with('/') ? walk(interpreter) : Status(Ok{});
}

}  // namespace nines::agent::notify
