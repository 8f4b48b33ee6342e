// A consumer that keeps what it takes, and waiting for an input without sleeping, for tests of the
// inputs that bytes flow to.
#pragma once

#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "nines/collector/inputs.hpp"

namespace nines::collector::test {

class SteadyClock final : public Clock {
 public:
  Instant mono() const noexcept override {
    return {std::chrono::steady_clock::now().time_since_epoch().count() + ahead_ns};
  }
  WallTime wall() const noexcept override {
    return {std::chrono::system_clock::now().time_since_epoch().count() + ahead_ns};
  }
  int64_t ahead_ns = 0;
};

// Whole lines, datagrams or journal entries; at most `quota` before it declines.
class RecordKeeper final : public RecordConsumer {
 public:
  std::vector<std::string> records, paths;  // paths: of the streams, record by record
  std::map<std::string, int> open;
  size_t quota = SIZE_MAX;

  Taken consume(LogStream& stream, std::string_view data, Reading how) override {
    Taken taken;
    while (taken.bytes < data.size()) {
      const std::string_view left = data.substr(taken.bytes);
      size_t size = left.size(), end = size;
      if (stream.framing == Framing::lines) end = left.find('\n');
      if (stream.framing == Framing::journal_entries) end = left.find("\n\n");
      if (end == std::string_view::npos && how != Reading::last && how != Reading::full) break;
      if (quota == 0) {
        taken.rest = Taken::Rest::declined;
        break;
      }
      --quota;
      if (end != std::string_view::npos && stream.framing != Framing::datagrams) {
        size = end + (stream.framing == Framing::lines ? 1 : 2);
      }
      taken.mid_line = how == Reading::full && end == std::string_view::npos;
      records.emplace_back(left.substr(0, std::min(end, size)));
      paths.push_back(stream.path);
      taken.bytes += size;
    }
    return taken;
  }
  void opened(LogStream& stream) override { ++open[stream.path]; }
  void closed(LogStream& stream) override { --open[stream.path]; }
};

// Reads until `done`, waiting for the descriptors; false after ten seconds.
inline bool read_until(Input& input, const std::function<bool()>& done) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    if (input.read(1 << 20)) continue;
    if (done()) return true;
    std::vector<pollfd> fds;
    input.descriptors(fds);
    ::poll(fds.data(), fds.size(), 5);
  }
  return true;
}

class TempDir {
 public:
  TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "nines-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    path = name;
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  std::string file(const std::string& name) const { return path + "/" + name; }
  std::string path;
};

inline InputStats stats_of(const Input& input, size_t index = 0) {
  std::vector<InputStats> all;
  input.describe(all);
  return all.at(index);
}

}  // namespace nines::collector::test
