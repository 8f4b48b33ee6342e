#include "scan/bytes.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "file/fs.hpp"

namespace nines::collector {
namespace {

// Gives pages back behind the reader, a stretch at a time.
class CacheDropper {
 public:
  CacheDropper(int fd, bool on) noexcept : fd_(fd), on_(on) {}
  void passed(int64_t from, int64_t to) noexcept {
    if (!on_) return;
    if (dropped_ < 0) dropped_ = from;
    if (to - dropped_ < kStretch) return;
    (void)::posix_fadvise(fd_, dropped_, to - dropped_, POSIX_FADV_DONTNEED);
    dropped_ = to;
  }

 private:
  static constexpr int64_t kStretch = int64_t{8} << 20;
  int fd_;
  bool on_;
  int64_t dropped_ = -1;
};

class PlainBytes final : public ScanBytes {
 public:
  PlainBytes(int fd, int64_t size, bool drop) noexcept : fd_(fd), size_(size), cache_(fd, drop) {}
  int64_t read(char* buffer, size_t size, int64_t offset) override {
    const int64_t room = std::max<int64_t>(0, size_ - offset);
    const size_t want = static_cast<size_t>(std::min(static_cast<int64_t>(size), room));
    const int64_t got = want == 0 ? 0 : read_at(fd_, buffer, want, offset);
    if (got <= 0) return got;
    stored_ += got;
    cache_.passed(offset, offset + got);
    return got;
  }
  int64_t stored_bytes() const noexcept override { return stored_; }

 private:
  int fd_;
  int64_t size_;
  int64_t stored_ = 0;
  CacheDropper cache_;
};

class PackedBytes final : public ScanBytes {
 public:
  PackedBytes(int fd, std::unique_ptr<Decoder> decoder, bool drop) noexcept
      : fd_(fd), decoder_(std::move(decoder)), cache_(fd, drop) {}
  int64_t read(char* buffer, size_t size, int64_t offset) override {
    const int64_t before = decoder_->consumed();
    const int64_t got = decoder_->read_at(fd_, buffer, size, offset);
    cache_.passed(before, decoder_->consumed());
    return got;
  }
  int64_t stored_bytes() const noexcept override { return decoder_->consumed(); }
  std::string_view damage() const noexcept override {
    switch (decoder_->end()) {
      case Decoder::End::starved: return "ends within its compressed content";
      case Decoder::End::damaged: return "is damaged";
      case Decoder::End::refused: return "wants more than 8 MiB of memory to be unpacked";
      case Decoder::End::open:
      case Decoder::End::complete: break;
    }
    return {};
  }

 private:
  int fd_;
  std::unique_ptr<Decoder> decoder_;
  CacheDropper cache_;
};

// A wait for a stream looks around after so long.
constexpr int kPatienceMs = 100;

class StreamBytes final : public ScanBytes {
 public:
  StreamBytes(int fd, std::string head) noexcept : fd_(fd), head_(std::move(head)) {}
  int64_t read(char* buffer, size_t size, int64_t offset) override {
    const auto at = static_cast<size_t>(offset);
    if (offset < static_cast<int64_t>(head_.size())) {
      const size_t n = std::min(size, head_.size() - at);
      std::memcpy(buffer, head_.data() + at, n);
      stored_ += static_cast<int64_t>(n);
      return static_cast<int64_t>(n);
    }
    head_ = std::string();
    pollfd wait{fd_, POLLIN, 0};
    const int ready = ::poll(&wait, 1, kPatienceMs);
    if (ready == 0 || (ready < 0 && errno == EINTR)) return kNothingYet;
    const ssize_t got = ::read(fd_, buffer, size);
    if (got < 0) return errno == EINTR || errno == EAGAIN ? kNothingYet : kFailed;
    stored_ += got;
    return got;
  }
  int64_t stored_bytes() const noexcept override { return stored_; }

 private:
  int fd_;
  std::string head_;
  int64_t stored_ = 0;
};

class MemoryBytes final : public ScanBytes {
 public:
  explicit MemoryBytes(std::string_view content) noexcept : content_(content) {}
  int64_t read(char* buffer, size_t size, int64_t offset) override {
    const auto at = std::min(static_cast<size_t>(offset), content_.size());
    return static_cast<int64_t>(content_.copy(buffer, size, at));
  }
  int64_t stored_bytes() const noexcept override { return 0; }

 private:
  std::string_view content_;
};

}  // namespace

std::unique_ptr<ScanBytes> memory_bytes(std::string_view content) {
  return std::make_unique<MemoryBytes>(content);
}

std::unique_ptr<ScanBytes> plain_bytes(int fd, int64_t size, bool drop_cache) {
  return std::make_unique<PlainBytes>(fd, size, drop_cache);
}

std::unique_ptr<ScanBytes> packed_bytes(int fd, Packing packing, bool drop_cache) {
  auto decoder = Decoder::create(packing);
  if (!decoder) return nullptr;
  return std::make_unique<PackedBytes>(fd, std::move(decoder), drop_cache);
}

std::unique_ptr<ScanBytes> stream_bytes(int fd, std::string head) {
  return std::make_unique<StreamBytes>(fd, std::move(head));
}

bool read_stream_head(int fd, size_t size, const std::atomic<bool>* stop, std::string& head,
                      bool& ended) {
  ended = false;
  // What comes slowly must not wait until so much of it is there; a few lines tell the format.
  constexpr int kMostReads = 64;
  for (int reads = 0; head.size() < size && reads < kMostReads; ++reads) {
    if (stop != nullptr && stop->load(std::memory_order_relaxed)) return true;
    pollfd wait{fd, POLLIN, 0};
    if (::poll(&wait, 1, kPatienceMs) <= 0) {
      if (head.find('\n') != std::string::npos) return true;
      reads = 0;
      continue;
    }
    const size_t had = head.size();
    head.resize(size);
    const ssize_t got = ::read(fd, head.data() + had, size - had);
    head.resize(had + static_cast<size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0) ended = true;
    if (got == 0) return true;
    if (got > 0) continue;
    if (errno != EINTR && errno != EAGAIN) return false;
  }
  return true;
}

}  // namespace nines::collector
