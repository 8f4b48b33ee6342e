#include "config/files.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

namespace nines::agent::config {
namespace {

namespace fs = std::filesystem;
constexpr size_t kMaxFiles = 1000;

Error refused(const std::string& what, const std::string& path, const std::error_code& code) {
  const bool missing = code == std::errc::no_such_file_or_directory;
  return {missing ? Errc::not_found : Errc::io, what + " '" + path + "': " + code.message(),
          code.value()};
}

bool is_document(const fs::path& path) {
  const std::string extension = path.extension().string();
  return !path.filename().string().starts_with(".") &&
         (extension == ".yaml" || extension == ".yml" || extension == ".json");
}

}  // namespace

std::string beside(const std::string& file, const std::string& path) {
  if (path.empty() || fs::path(path).is_absolute()) return path;
  return (fs::path(file).parent_path() / path).string();
}

Result<std::string> read_file(const std::string& path, size_t max_bytes) {
  std::error_code code;
  const fs::file_status status = fs::status(path, code);
  if (code || !fs::exists(status)) {
    if (!code) code = std::make_error_code(std::errc::no_such_file_or_directory);
    return refused("cannot read", path, code);
  }
  if (!fs::is_regular_file(status)) {
    return Error{Errc::invalid_argument, "cannot read '" + path + "': it is not a regular file", 0};
  }
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) return refused("cannot read", path, {errno, std::generic_category()});
  // Piece by piece: a hundred small files that are kept would else take a hundred times the limit.
  std::string content;
  std::array<char, 16 * 1024> piece;
  while (content.size() <= max_bytes && in) {
    const size_t wanted = std::min(piece.size(), max_bytes + 1 - content.size());
    in.read(piece.data(), static_cast<std::streamsize>(wanted));
    content.append(piece.data(), static_cast<size_t>(in.gcount()));
  }
  if (in.bad()) return Error{Errc::io, "cannot read '" + path + "': the read failed", errno};
  if (content.size() > max_bytes) {
    return Error{Errc::exhausted,
                 "'" + path + "' is larger than " + std::to_string(max_bytes) + " bytes", 0};
  }
  return content;
}

Result<std::vector<std::string>> document_files(const std::string& path) {
  std::error_code code;
  const fs::file_status status = fs::status(path, code);
  if (code || !fs::exists(status)) {
    if (!code) code = std::make_error_code(std::errc::no_such_file_or_directory);
    return refused("cannot find", path, code);
  }
  if (!fs::is_directory(status)) return std::vector<std::string>{path};
  std::vector<std::string> files;
  fs::directory_iterator entry(path, code);
  for (; !code && entry != fs::directory_iterator(); entry.increment(code)) {
    std::error_code ignored;  // a dangling link is not a document
    if (!is_document(entry->path()) || !fs::is_regular_file(entry->status(ignored))) continue;
    files.push_back(entry->path().string());
    if (files.size() > kMaxFiles) {
      return Error{Errc::exhausted, "more than 1000 documents in folder '" + path + "'", 0};
    }
  }
  if (code) return refused("cannot list", path, code);
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace nines::agent::config
