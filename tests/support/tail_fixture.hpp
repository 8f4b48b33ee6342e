// A temp directory, a clock that stands still until told, and a consumer that keeps lines: what the
// tests of the tailer share.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "nines/collector/tailer.hpp"

namespace nines::collector::testing {

class ManualClock final : public Clock {
 public:
  Instant mono() const noexcept override { return {now_ns}; }
  WallTime wall() const noexcept override { return {now_ns}; }
  void advance_ms(int64_t ms) { now_ns += ms * kNsPerMs; }
  int64_t now_ns = kNsPerSecond;
};

class TempDir {
 public:
  TempDir() {
    const char* base = std::getenv("TMPDIR");  // NOLINT(concurrency-mt-unsafe)
    if (base == nullptr) base = ::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    std::string name = std::string(base) + "/nines-tail-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = name;
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline void append(const std::string& path, std::string_view text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0 || ::write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    throw std::runtime_error("append " + path);
  }
  ::close(fd);
}

inline void rename_file(const std::string& from, const std::string& to) {
  std::filesystem::rename(from, to);
}

inline void remove_file(const std::string& path) { std::filesystem::remove(path); }

inline void copy_file(const std::string& from, const std::string& to) {
  std::ifstream in(from, std::ios::binary);
  std::ofstream out(to, std::ios::binary | std::ios::trunc);
  if (in.peek() != std::ifstream::traits_type::eof()) out << in.rdbuf();
}

inline void truncate_file(const std::string& path, int64_t size = 0) {
  if (::truncate(path.c_str(), size) != 0) throw std::runtime_error("truncate " + path);
}

// What gzip and zstd make of a text.
inline std::string gzipped(std::string_view text) {
  z_stream stream{};
  if (::deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("deflateInit2");
  }
  std::string out(::deflateBound(&stream, text.size()) + 64, '\0');
  std::string in(text);
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const bool done = ::deflate(&stream, Z_FINISH) == Z_STREAM_END;
  out.resize(stream.total_out);
  ::deflateEnd(&stream);
  if (!done) throw std::runtime_error("deflate");
  return out;
}

inline std::string zstd_of(std::string_view text) {
  std::string out(::ZSTD_compressBound(text.size()), '\0');
  const size_t size = ::ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3);
  if (::ZSTD_isError(size) != 0) throw std::runtime_error("zstd");
  out.resize(size);
  return out;
}

inline std::string contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// As gzip does: writes path.gz with the age of the file, then unlinks it. `keep`: gzip -k.
inline std::string compress_file(const std::string& path, const char* ending = ".gz",
                                 bool keep = false) {
  const std::string text = contents(path), out = path + ending;
  append(out, std::string_view(ending) == ".zst" ? zstd_of(text) : gzipped(text));
  std::filesystem::last_write_time(out, std::filesystem::last_write_time(path));
  if (!keep) remove_file(path);
  return out;
}

// Keeps every record in the order of delivery. Consumes at most `max_lines` per call.
class Lines final : public RecordConsumer {
 public:
  Taken consume(LogStream& file, std::string_view data, Reading how) override {
    size_t used = 0, lines = 0;
    while (used < data.size()) {
      const size_t newline = data.find('\n', used);
      if (newline == std::string_view::npos) {
        if (how != Reading::last && !(used == 0 && how == Reading::full)) break;
        keep(file, data.substr(used));
        return {data.size(), Taken::Rest::none, true};
      }
      if (lines == max_lines) return {used, Taken::Rest::declined, false};
      keep(file, data.substr(used, newline - used));
      used = newline + 1;
      ++lines;
    }
    return {used, Taken::Rest::none, false};
  }
  void opened(LogStream& file) override { opened_paths.push_back(file.path); }
  void closed(LogStream& file) override { closed_paths.push_back(file.path); }

  void keep(const LogStream& file, std::string_view line) {
    all.emplace_back(line);
    by_path[file.path].emplace_back(line);
  }

  size_t buffer_bytes = 4096;
  size_t max_lines = SIZE_MAX;
  std::vector<std::string> all, opened_paths, closed_paths;
  std::map<std::string, std::vector<std::string>> by_path;
};

// Joins lines that begin with a blank to the one before, and so holds every record back until it
// knows that the record is complete: in the file, or in `extra`. Its records go to `out`.
class Holder final : public RecordConsumer {
 public:
  Holder(Lines& out, bool in_extra) : out_(out), in_extra_(in_extra) {}
  void opened(LogStream& stream) override { out_.opened(stream); }
  void closed(LogStream& stream) override { out_.closed(stream); }

  Taken consume(LogStream& stream, std::string_view data, Reading how) override {
    const bool flush = how == Reading::quiet || how == Reading::last;
    if (in_extra_) return take_all(stream, data, flush, how);
    Taken taken;
    std::string record;
    size_t used = 0;  // up to the end of the lines looked at
    while (used < data.size()) {
      const size_t newline = data.find('\n', used);
      const bool cut = newline == std::string_view::npos;
      if (cut && how != Reading::last && !(used == 0 && how == Reading::full)) break;
      const std::string_view line = data.substr(used, cut ? newline : newline - used);
      if (!record.empty() && !line.starts_with(' ')) {
        out_.keep(stream, record);
        record.clear();
        taken.bytes = used;
      }
      record += line;
      used = cut ? data.size() : newline + 1;
      taken.mid_line = cut;
    }
    if (record.empty()) return taken;
    if (flush || taken.mid_line || (how == Reading::full && taken.bytes == 0)) {
      out_.keep(stream, record);
      taken.bytes = used;
    } else {
      taken.rest = Taken::Rest::held;
    }
    return taken;
  }

 private:
  Taken take_all(LogStream& stream, std::string_view data, bool flush, Reading how) {
    Taken taken;
    while (taken.bytes < data.size()) {
      const size_t newline = data.find('\n', taken.bytes);
      const bool cut = newline == std::string_view::npos;
      if (cut && how != Reading::last && !(taken.bytes == 0 && how == Reading::full)) break;
      const std::string_view line = data.substr(taken.bytes, cut ? newline : newline - taken.bytes);
      if (!line.starts_with(' ')) let_go(stream);
      stream.extra += line;
      taken.bytes = cut ? data.size() : newline + 1;
      taken.mid_line = cut;
    }
    if (flush) let_go(stream);
    if (!stream.extra.empty()) taken.rest = Taken::Rest::held;
    return taken;
  }
  void let_go(LogStream& stream) {
    if (!stream.extra.empty()) out_.keep(stream, stream.extra);
    stream.extra.clear();
  }

  Lines& out_;
  bool in_extra_;
};

// What a store would hold: the last state of every key.
class SavedPositions {
 public:
  void take(Tailer& tailer) {
    std::vector<slo::Position> fresh;
    tailer.take_positions(fresh);
    for (auto& position : fresh) {
      if (position.state.empty()) {
        states.erase(position.key);
      } else {
        states[position.key] = position.state;
      }
    }
  }
  std::vector<slo::Position> list() const {
    std::vector<slo::Position> out;
    for (const auto& [key, state] : states) out.push_back({key, state});
    return out;
  }
  std::map<std::string, std::string> states;
};

// What happens to the process in the middle of a test.
enum class Between { nothing, restart, crash };
inline constexpr Between kEveryBetween[] = {Between::nothing, Between::restart, Between::crash};

// A tailer on a directory, restartable from the positions it gave.
struct Rig {
  explicit Rig(std::string pattern = "app.log") : glob(std::move(pattern)) {
    options.buffer_bytes = lines.buffer_bytes;
  }
  void start() {
    GlobSpec spec;
    spec.include = {glob.starts_with('/') ? glob : dir / glob};
    spec.exclude = exclude;
    auto made =
        Tailer::create(options, consumer != nullptr ? *consumer : lines, saved.list(), clock);
    if (!made.ok()) throw std::runtime_error(made.error().message);
    tailer = std::move(*made);
    FileSource first = source;
    first.globs = spec;
    tailer->add_source(0, first);
    uint32_t index = 0;
    for (const std::string& more : more_sources) {
      tailer->add_source(++index, {{{more.starts_with('/') ? more : dir / more}, {}}});
    }
  }
  // Reads until nothing is ready any more.
  void drain() {
    if (!tailer) start();
    for (int i = 0; i < 10'000 && tailer->poll(0, SIZE_MAX); ++i) {
    }
  }
  void save() {
    saved.take(*tailer);
    lines_saved = lines.all.size();
  }
  void stop() {
    save();
    tailer.reset();
  }
  void restart() {
    stop();
    start();
  }
  void crash() { tailer.reset(); }  // positions since the last save() are lost
  // Ends the process, unless nothing is to happen; drain() starts the next one. As in the store,
  // what was consumed since the last save() is undone together with its positions.
  void down(Between what) {
    if (what == Between::restart) stop();
    if (what != Between::crash) return;
    crash();
    lines.all.resize(lines_saved);
  }
  void pass_ms(int64_t ms) {
    clock.advance_ms(ms);
    drain();
  }
  std::string log() const { return dir / "app.log"; }

  TempDir dir;
  std::string glob;
  std::vector<std::string> exclude, more_sources;
  ManualClock clock;
  Lines lines;
  RecordConsumer* consumer = nullptr;  // instead of `lines`
  SavedPositions saved;
  size_t lines_saved = 0;
  TailerOptions options;
  FileSource source;  // its globs are filled in by start()
  std::unique_ptr<Tailer> tailer;
};

using Strings = std::vector<std::string>;

inline Strings numbered(int from, int to) {
  Strings out;
  for (int i = from; i < to; ++i) out.push_back("line " + std::to_string(i));
  return out;
}

inline std::string text_of(const Strings& lines) {
  std::string out;
  for (const std::string& line : lines) out.append(line).push_back('\n');
  return out;
}

inline Strings sorted(Strings lines) {
  std::sort(lines.begin(), lines.end());
  return lines;
}

}  // namespace nines::collector::testing
