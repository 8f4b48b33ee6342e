// Which files a query means.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "file/decoder.hpp"
#include "file/fs.hpp"
#include "file/glob.hpp"
#include "file/rotation_name.hpp"
#include "nines/collector/lines.hpp"
#include "nines/collector/pipeline.hpp"
#include "nines/collector/scan.hpp"
#include "scan/service_name.hpp"

namespace nines::collector {
namespace {

constexpr size_t kSniffBytes = 512;

// Where the logs of a node usually are, below the root of logs.
constexpr std::string_view kPlaces[] = {
    "/pods/*/*/*.log*", "/containers/*.log", "/syslog*", "/messages*", "/*.log*", "/*/*.log*",
};

bool has_wildcard(std::string_view path) noexcept {
  return path.find_first_of("*?[{") != std::string_view::npos;
}

bool is_directory(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

std::string without(std::string name, std::initializer_list<std::string_view> endings) {
  for (const std::string_view ending : endings) {
    if (name.size() > ending.size() && name.ends_with(ending)) {
      name.resize(name.size() - ending.size());
    }
  }
  return name;
}

}  // namespace

// "web" of web.log, web.log.2.gz, web-20260101.log, web.access.log.
std::string service_of(const std::string& path) {
  if (const auto names = parse_container_path(path)) return std::string(names->container);
  std::string name(name_of(path));
  std::string shortest = without(name, {".gz", ".zst"});
  for (const std::string& base : possible_bases(name)) {
    const bool better = base.size() < shortest.size() && is_rotated_name(base, name);
    if (better && base.find('.') != std::string::npos) shortest = base;
  }
  return without(shortest, {".log", ".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".txt", ".access",
                            "_access", "-access"});
}

namespace {

// Whether the content of a file in a directory may be a log: anything but binary data. What can't
// be read is taken for one, so that the answer can tell of it.
bool looks_like_log(const std::string& path) {
  if (is_unreadable_name(path) || name_of(path).starts_with('.')) return false;
  const UniqueFd fd = open_for_reading(path);
  if (!fd.valid()) return true;
  const auto info = stat_fd(fd.get());
  if (!info || !info->regular || info->size == 0) return false;
  std::array<char, kSniffBytes> head{};
  const Packing packing = packing_of(fd.get());
  int64_t got = 0;
  if (packing == Packing::gzip || packing == Packing::zstd) {
    got = Decoder::create(packing)->read_at(fd.get(), head.data(), head.size(), 0);
  } else {
    got = read_at(fd.get(), head.data(), head.size(), 0);
  }
  if (got <= 0) return false;
  std::string_view text(head.data(), static_cast<size_t>(got));
  if (guess_encoding(text, 0) != Encoding::bytes) return true;
  // NULs at the front are what a crash leaves.
  text.remove_prefix(std::min(text.find_first_not_of('\0'), text.size()));
  return std::none_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r' &&
           c != '\x1b' && c != '\f' && c != '\v';
  });
}

class Finder {
 public:
  Status name(const std::string& name) {
    if (name == "-") {
      found_[name] = {};
      return Ok{};
    }
    if (has_wildcard(name) && !stat_path(name)) {
      glob(name, nullptr);
      return Ok{};
    }
    if (is_directory(name)) {
      directory(name);
      return Ok{};
    }
    if (!stat_path(name)) return missing(name);
    found_[name] = identity(name);
    return Ok{};
  }

  void glob(const std::string& pattern, const std::function<bool(const std::string&)>& wanted) {
    Glob::Visitor visitor;
    visitor.directory = [](const std::string&) {};
    visitor.failed = [](const std::string&, int) {};
    visitor.file = [&](const std::string& path) {
      if (is_unreadable_name(path) || (wanted && !wanted(path))) return;
      if (const auto info = stat_path(path); info && !is_directory(path)) {
        found_.emplace(path, std::pair(info->dev, info->ino));
      }
    };
    for (const Glob& one : Glob::parse(pattern)) one.expand(directories_, visitor);
  }

  void directory(const std::string& path) {
    glob(join(path, "**/*"), [](const std::string& file) { return looks_like_log(file); });
  }

  // By path, each file once, without compressed copies of what is there as well.
  std::vector<std::string> files() const {
    std::vector<std::string> out;
    std::set<std::pair<uint64_t, uint64_t>> seen;
    for (const auto& [path, id] : found_) {
      if (path != "-" && !seen.insert(id).second) continue;
      if (!is_copy(path)) out.push_back(path);
    }
    return out;
  }

  static Error missing(const std::string& name) {
    std::string nearest(name);
    while (!nearest.empty() && !stat_path(nearest)) nearest = directory_of(nearest);
    if (nearest.empty()) nearest = name.starts_with('/') ? "/" : ".";
    return {Errc::not_found, name + ": no such log; the nearest path that exists is " + nearest};
  }

 private:
  using Identity = std::pair<uint64_t, uint64_t>;
  static Identity identity(const std::string& path) {
    const auto info = stat_path(path);
    return info ? Identity{info->dev, info->ino} : Identity{};
  }

  // app.log.1.gz beside app.log.1 while logrotate compresses it: both begin alike.
  bool is_copy(const std::string& path) const {
    if (!is_packed_name(path)) return false;
    const std::string plain = path.substr(0, path.rfind('.'));
    if (found_.find(plain) == found_.end()) return false;
    const UniqueFd packed_fd = open_for_reading(path), plain_fd = open_for_reading(plain);
    if (!packed_fd.valid() || !plain_fd.valid()) return false;
    const auto decoder = Decoder::create(packing_of(packed_fd.get()));
    if (!decoder) return false;
    std::array<char, kSniffBytes> a{}, b{};
    const int64_t unpacked = decoder->read_at(packed_fd.get(), a.data(), a.size(), 0);
    const int64_t original = read_at(plain_fd.get(), b.data(), b.size(), 0);
    const int64_t both = std::min(unpacked, original);
    if (both <= 0) return unpacked <= 0;  // not written yet
    return std::memcmp(a.data(), b.data(), static_cast<size_t>(both)) == 0;
  }

  DirCache directories_;
  std::map<std::string, Identity> found_;
};

std::string all_names(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

// Container logs and the node's own by the name of their service.
Status find_logs(const query::SourceRef& source, std::string_view root, Finder& finder) {
  const auto wanted = [&](const std::string& path) {
    const std::string service = service_of(path);
    return std::any_of(source.names.begin(), source.names.end(), [&](const std::string& name) {
      const std::vector<std::string> all = expand_braces(name);
      return std::any_of(all.begin(), all.end(), [&](const std::string& one) {
        return match_component(one, service) || match_component(one, name_of(path));
      });
    });
  };
  for (const std::string_view place : kPlaces) {
    finder.glob(std::string(root) + std::string(place),
                [&](const std::string& path) { return wanted(path) && looks_like_log(path); });
  }
  return Ok{};
}

}  // namespace

Result<std::vector<ScanFile>> find_files(const query::SourceRef& source, uint32_t first_index,
                                         std::string_view log_root) {
  if (source.kind == query::SourceRef::Kind::remote) {
    return Error{Errc::unsupported, "a remote source has no files"};
  }
  Finder finder;
  if (source.kind == query::SourceRef::Kind::logs) {
    NINES_CHECK(find_logs(source, log_root, finder));
  } else {
    for (const std::string& name : source.names) NINES_CHECK(finder.name(name));
  }
  std::vector<ScanFile> out;
  for (std::string& path : finder.files()) {
    std::string service = path == "-" ? std::string() : service_of(path);
    out.push_back({std::move(path), first_index++, std::move(service)});
  }
  if (!out.empty()) return out;
  if (source.kind == query::SourceRef::Kind::logs) {
    return Error{Errc::not_found,
                 "no log below " + std::string(log_root) + " is called " + all_names(source.names)};
  }
  if (source.names.empty()) return Error{Errc::invalid_argument, "no file is named"};
  // A directory is there, but nothing in it is.
  for (const std::string& name : source.names) {
    if (!stat_path(name)) return Finder::missing(name);
  }
  return Error{Errc::not_found, all_names(source.names) + ": no logs in there"};
}

}  // namespace nines::collector
