#include "incident/log_context.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <vector>

#include "nines/log/cri.hpp"

namespace nines::agent::incident {
namespace {

constexpr int64_t kReach = 8 * 1024;  // to either side
constexpr size_t kLeastKnown = 4, kMostKnown = 48;

struct File {
  explicit File(const char* path) : fd(::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  ~File() {
    if (fd >= 0) ::close(fd);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd;
};

bool is_regular(int fd) {
  struct stat about {};
  return ::fstat(fd, &about) == 0 && S_ISREG(about.st_mode);
}

// The beginning of a message up to what a format may write otherwise (escapes).
std::string_view sure_part(std::string_view message) {
  size_t end = 0;
  for (; end < message.size() && end < kMostKnown; ++end) {
    const char c = message[end];
    if (c < 0x20 || c == '"' || c == '\\' || c == '/' || c == 0x7f) break;
  }
  return message.substr(0, end);
}

std::string shown(std::string_view line, size_t most_bytes) {
  log::CriLine cri;
  if (log::parse_cri(line, cri)) line = cri.content;
  return cut_line(line, most_bytes);
}

}  // namespace

std::string cut_line(std::string_view text, size_t most_bytes) {
  if (text.size() <= most_bytes) return std::string(text);
  size_t end = most_bytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "~ (" + std::to_string(text.size() - end) +
         " bytes more)";
}

LogContext read_context(const std::string& path, int64_t offset, std::string_view message,
                        size_t before, size_t after, size_t most_bytes) {
  LogContext out;
  out.path = path;
  const File file(path.c_str());
  if (file.fd < 0 || !is_regular(file.fd)) {
    out.why_not = "what it was read from is no file that can be read again";
    return out;
  }
  const int64_t from = std::max<int64_t>(0, offset - kReach);
  std::array<char, 2 * kReach> buffer{};
  const ssize_t n = ::pread(file.fd, buffer.data(), buffer.size(), from);
  const std::string_view text(buffer.data(), n > 0 ? static_cast<size_t>(n) : 0);
  const auto at = static_cast<size_t>(offset - from);
  const std::string_view line =
      at < text.size() ? text.substr(at, text.find('\n', at) - at) : std::string_view{};
  const bool begins = at < text.size() && (at == 0 || text[at - 1] == '\n');
  const std::string_view known = sure_part(message);
  if (!begins || (known.size() >= kLeastKnown && line.find(known) == std::string_view::npos)) {
    out.why_not = "the file is another one by now";
    return out;
  }
  std::vector<std::string> above;
  for (size_t end = at; end > 0 && above.size() < before;) {
    const size_t newline = end >= 2 ? text.rfind('\n', end - 2) : std::string_view::npos;
    if (newline == std::string_view::npos && from > 0) break;  // does not begin in here
    const size_t begin = newline == std::string_view::npos ? 0 : newline + 1;
    above.push_back(shown(text.substr(begin, end - 1 - begin), most_bytes));
    end = begin;
  }
  out.lines.assign(above.rbegin(), above.rend());
  out.lines.push_back(shown(line, most_bytes));
  size_t begin = at + line.size() + 1;
  for (size_t i = 0; i < after && begin < text.size(); ++i) {
    const size_t end = text.find('\n', begin);
    if (end == std::string_view::npos) break;
    out.lines.push_back(shown(text.substr(begin, end - begin), most_bytes));
    begin = end + 1;
  }
  return out;
}

}  // namespace nines::agent::incident
