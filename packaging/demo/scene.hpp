// Scene: three services of a small shop, their log files, and the day they have. A day is minutes
// long; its times are real. Files rotate in the three ways met on nodes: by rename (logrotate), by
// copy and truncate, and as the kubelet does it. No clock: the caller says what time it is.
#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "lines.hpp"
#include "traffic.hpp"

namespace nines::demo {

enum class Rotation : uint8_t { rename, copytruncate, kubelet };

// One log file that grows. Not thread-safe.
class LogFile {
 public:
  LogFile(std::string path, Rotation rotation) : path_(std::move(path)), rotation_(rotation) {}
  ~LogFile();
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;
  bool write(const std::string& text);
  // Keeps one old copy: the demo must not fill a small disk.
  bool rotate();
  size_t bytes() const { return bytes_; }

 private:
  bool open(const char* mode);
  std::string path_;
  Rotation rotation_;
  std::FILE* file_ = nullptr;
  size_t bytes_ = 0;
};

struct SceneOptions {
  std::string dir;
  uint64_t seed = 9;
  int64_t start_ns = 0;
  double day_s = 300;
  double rate = 40;                       // of the busiest service
  size_t rotate_bytes = 4 * 1024 * 1024;  // a few minutes of traffic
};

class Scene {
 public:
  // Writes nines.yaml and slos/ into the directory, which must exist.
  static std::unique_ptr<Scene> create(const SceneOptions& options, std::string& error);
  // Writes everything that happened before now_ns. False: a file could not be written.
  bool play_until(int64_t now_ns);

 private:
  struct Service {
    Traffic traffic;
    LineWriter writer;
    std::unique_ptr<LogFile> file;
    Request next;
  };
  explicit Scene(SceneOptions options) : options_(std::move(options)) {}
  void add(const char* name, LineFormat format, double share, const std::string& file,
           Rotation rotation, double error_share);
  bool write_configuration(std::string& error) const;

  SceneOptions options_;
  std::vector<Service> services_;
  std::string buffer_;
};

}  // namespace nines::demo
