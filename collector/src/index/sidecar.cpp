#include "index/sidecar.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdio>
#include <cstring>

#include "file/entry.hpp"
#include "index/tokens.hpp"
#include "nines/base/crc32c.hpp"

namespace nines::collector {
namespace {

constexpr std::string_view kMagic = "NINESIDX";
constexpr uint32_t kVersion = 1;
constexpr size_t kHeaderBytes = 56;  // then the path
constexpr size_t kMaxPathBytes = 4096;
constexpr size_t kBufferBytes = 256 * 1024;
constexpr size_t kFirstBytes = 8 * 1024;  // many sidecars are looked at for their headers only

static_assert(std::endian::native == std::endian::little);

template <class T>
void put(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

// REQUIRES that what is taken is there.
class Fields {
 public:
  explicit Fields(const char* p) : p_(p) {}
  template <class T>
  T take() noexcept {
    T out;
    std::memcpy(&out, p_, sizeof out);
    p_ += sizeof out;
    return out;
  }

 private:
  const char* p_;
};

}  // namespace

std::string sidecar_name(const SidecarId& id) {
  std::array<char, 64> name;
  const int size = std::snprintf(
      name.data(), name.size(), "%llx-%llx-%016llx", static_cast<unsigned long long>(id.device),
      static_cast<unsigned long long>(id.inode), static_cast<unsigned long long>(id.head_hash));
  return std::string(name.data(), static_cast<size_t>(size)).append(kSidecarSuffix);
}

std::optional<SidecarId> sidecar_id_of(int fd) {
  const auto st = stat_fd(fd);
  std::array<char, kHeadBytes> head;
  if (!st || read_at(fd, head.data(), head.size(), 0) != kHeadBytes) return std::nullopt;
  return SidecarId{st->dev, st->ino, hash64({head.data(), head.size()})};
}

std::optional<uint64_t> hash_before(int fd, int64_t end) {
  std::array<char, kEndBytes> bytes;
  const int64_t size = std::min(end, kEndBytes);
  if (read_at(fd, bytes.data(), static_cast<size_t>(size), end - size) != size) return std::nullopt;
  return hash64({bytes.data(), static_cast<size_t>(size)});
}

std::string encode_header(const SidecarId& id, std::string_view path) {
  path = path.substr(0, kMaxPathBytes);
  std::string body;
  put(body, kVersion);
  put(body, kTokenRules);
  put(body, id.device);
  put(body, id.inode);
  put(body, id.head_hash);
  put(body, uint64_t{path.size()});
  body.append(path);
  std::string out(kMagic);
  put(out, crc32c(body));
  put(out, uint32_t{0});
  return out + body;
}

void append_block(std::string& out, const BlockEntry& block, std::span<const uint32_t> filter) {
  const size_t start = out.size();
  put(out, static_cast<uint32_t>(kBlockHeaderBytes + filter.size_bytes()));
  put(out, uint32_t{0});  // the checksum
  put(out, block.begin);
  put(out, block.end);
  put(out, block.end_hash);
  put(out, block.reading);
  put(out, block.min_ts);
  put(out, block.max_ts);
  put(out, block.flags);
  put(out, uint32_t{block.levels});
  put(out, block.buckets);
  put(out, uint32_t{0});
  put(out, uint64_t{0});
  out.append(reinterpret_cast<const char*>(filter.data()), filter.size_bytes());
  const uint32_t crc = crc32c(std::string_view(out).substr(start + 8));
  std::memcpy(out.data() + start + 4, &crc, sizeof crc);
}

std::optional<SidecarReader> SidecarReader::open(const std::string& path) {
  SidecarReader reader;
  reader.fd_ = open_for_reading(path);
  if (!reader.fd_.valid()) return std::nullopt;
  reader.buffer_ = std::make_unique<char[]>(kBufferBytes);
  if (!reader.fill(kHeaderBytes, kFirstBytes)) return std::nullopt;
  const std::string_view bytes(reader.buffer_.get(), reader.filled_);
  if (!bytes.starts_with(kMagic)) return std::nullopt;
  Fields fields(bytes.data() + kMagic.size());
  const auto crc = fields.take<uint32_t>();
  (void)fields.take<uint32_t>();
  const auto version = fields.take<uint32_t>();
  const auto rules = fields.take<uint32_t>();
  reader.id_.device = fields.take<uint64_t>();
  reader.id_.inode = fields.take<uint64_t>();
  reader.id_.head_hash = fields.take<uint64_t>();
  const auto path_bytes = fields.take<uint64_t>();
  if (version != kVersion || rules != kTokenRules || path_bytes > kMaxPathBytes) {
    return std::nullopt;
  }
  const size_t end = kHeaderBytes + static_cast<size_t>(path_bytes);
  if (!reader.fill(end, kFirstBytes)) return std::nullopt;
  const std::string_view all(reader.buffer_.get(), end);
  if (crc32c(all.substr(kMagic.size() + 8)) != crc) return std::nullopt;
  reader.log_path_ = all.substr(kHeaderBytes);
  reader.used_ = end;
  return reader;
}

// At least `want` bytes from used_ on, if there are as many.
bool SidecarReader::fill(size_t want, size_t at_once) {
  if (filled_ - used_ >= want) return true;
  std::memmove(buffer_.get(), buffer_.get() + used_, filled_ - used_);
  base_ += static_cast<int64_t>(used_);
  filled_ -= used_;
  used_ = 0;
  const size_t size = std::min(kBufferBytes, at_once) - filled_;
  const int64_t got =
      read_at(fd_.get(), buffer_.get() + filled_, size, base_ + static_cast<int64_t>(filled_));
  if (got > 0) filled_ += static_cast<size_t>(got);
  return filled_ >= want;
}

bool SidecarReader::next(BlockEntry& block) {
  if (!fill(kBlockHeaderBytes, kBufferBytes)) return false;
  Fields fields(buffer_.get() + used_);
  const auto size = fields.take<uint32_t>();
  if (size < kBlockHeaderBytes || size > kMaxRecordBytes || !fill(size, kBufferBytes)) return false;
  fields = Fields(buffer_.get() + used_ + sizeof size);
  const auto crc = fields.take<uint32_t>();
  if (crc32c({buffer_.get() + used_ + 8, size - 8}) != crc) return false;
  block.begin = fields.take<int64_t>();
  block.end = fields.take<int64_t>();
  block.end_hash = fields.take<uint64_t>();
  block.reading = fields.take<uint64_t>();
  block.min_ts = fields.take<int64_t>();
  block.max_ts = fields.take<int64_t>();
  block.flags = fields.take<uint32_t>();
  block.levels = static_cast<uint8_t>(fields.take<uint32_t>());
  block.buckets = fields.take<uint32_t>();
  filter_ = buffer_.get() + used_ + kBlockHeaderBytes;
  if (size != kBlockHeaderBytes + size_t{block.buckets} * 32) return false;
  used_ += size;
  return block.begin >= 0 && block.begin < block.end;
}

}  // namespace nines::collector
