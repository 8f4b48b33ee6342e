#include "file/decoder.hpp"

#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "file/fs.hpp"

namespace nines::collector {
namespace {

constexpr int kZstdWindowLog = 23;  // 8 MiB

class Gunzip final : public Decoder {
 public:
  Gunzip() { ready_ = ::inflateInit2(&stream_, kGzipOnly) == Z_OK; }
  ~Gunzip() override { (void)::inflateEnd(&stream_); }
  Gunzip(const Gunzip&) = delete;
  Gunzip& operator=(const Gunzip&) = delete;

 protected:
  void reset() override {
    (void)::inflateReset(&stream_);
    members_ = 0;
  }

  size_t decode(std::string_view& in, char* out, size_t size) override {
    if (!ready_) {
      end_ = End::refused;
      return 0;
    }
    if (!within_) {
      if (members_ > 0) (void)::inflateReset(&stream_);
      looks_real_ = in.starts_with('\x1f');
    }
    within_ = true;
    // zlib does not write through next_in; its type predates const.
    stream_.next_in = const_cast<Bytef*>(  // NOLINT(cppcoreguidelines-pro-type-const-cast)
        reinterpret_cast<const Bytef*>(in.data()));
    stream_.avail_in = static_cast<uInt>(in.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out);
    stream_.avail_out = static_cast<uInt>(size);
    const int result = ::inflate(&stream_, Z_NO_FLUSH);
    in.remove_prefix(in.size() - stream_.avail_in);
    if (result == Z_STREAM_END) {
      within_ = false;
      ++members_;
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      // What follows a whole member and is none itself is padding: gunzip passes over it as well.
      const bool padding = members_ > 0 && stream_.total_out == 0 && !looks_real_;
      within_ = !padding;
      end_ = padding ? End::complete : End::damaged;
    }
    return size - stream_.avail_out;
  }

  size_t codec_bytes() const noexcept override { return 48 * 1024; }

 private:
  static constexpr int kGzipOnly = 15 + 16;
  z_stream stream_{};
  bool ready_ = false;
  bool looks_real_ = false;  // what followed the last member began like one
  uint64_t members_ = 0;
};

class Unzstd final : public Decoder {
 public:
  Unzstd() : context_(::ZSTD_createDCtx(), &::ZSTD_freeDCtx) {
    if (context_) {
      (void)::ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, kZstdWindowLog);
    }
  }

 protected:
  void reset() override {
    if (context_) (void)::ZSTD_DCtx_reset(context_.get(), ZSTD_reset_session_only);
  }

  size_t decode(std::string_view& in, char* out, size_t size) override {
    if (!context_) {
      end_ = End::refused;
      return 0;
    }
    ZSTD_inBuffer input{in.data(), in.size(), 0};
    ZSTD_outBuffer output{out, size, 0};
    const size_t result = ::ZSTD_decompressStream(context_.get(), &output, &input);
    in.remove_prefix(input.pos);
    within_ = result != 0;
    if (::ZSTD_isError(result) != 0) {
      const bool window = ::ZSTD_getErrorCode(result) == ZSTD_error_frameParameter_windowTooLarge;
      end_ = window ? End::refused : End::damaged;
    }
    return output.pos;
  }

  size_t codec_bytes() const noexcept override {
    return context_ ? ::ZSTD_sizeof_DCtx(context_.get()) : 0;
  }

 private:
  std::unique_ptr<ZSTD_DCtx, size_t (*)(ZSTD_DCtx*)> context_;
};

}  // namespace

Packing packing_of(int fd) noexcept {
  std::array<char, 4> magic{};
  const int64_t got = read_at(fd, magic.data(), magic.size(), 0);
  if (got < static_cast<int64_t>(magic.size())) return Packing::unknown;
  const std::string_view text(magic.data(), magic.size());
  if (text.starts_with("\x1f\x8b\x08")) return Packing::gzip;
  return text == "\x28\xb5\x2f\xfd" ? Packing::zstd : Packing::none;
}

int64_t unpacked_size_hint(int fd, Packing packing, int64_t stored_size) noexcept {
  if (packing == Packing::gzip) {
    std::array<unsigned char, 4> size{};
    char* const bytes = reinterpret_cast<char*>(size.data());
    if (stored_size < 18 || read_at(fd, bytes, size.size(), stored_size - 4) != 4) return -1;
    int64_t out = 0;
    for (size_t i = size.size(); i-- > 0;) out = out * 256 + size[i];
    return out;
  }
  if (packing != Packing::zstd) return -1;
  std::array<char, 18> header{};
  const int64_t got = read_at(fd, header.data(), header.size(), 0);
  if (got <= 0) return -1;
  const auto size = ::ZSTD_getFrameContentSize(header.data(), static_cast<size_t>(got));
  const bool known = size != ZSTD_CONTENTSIZE_UNKNOWN && size != ZSTD_CONTENTSIZE_ERROR;
  return known ? static_cast<int64_t>(std::min<unsigned long long>(size, INT64_MAX)) : -1;
}

std::unique_ptr<Decoder> Decoder::create(Packing packing) {
  if (packing == Packing::gzip) return std::make_unique<Gunzip>();
  if (packing == Packing::zstd) return std::make_unique<Unzstd>();
  return nullptr;
}

void Decoder::start_again() {
  reset();
  kept_.clear();
  base_ = read_to_ = 0;
  pending_ = {};
  end_ = End::open;
  within_ = false;
}

bool Decoder::refill(int fd) {
  const int64_t got = collector::read_at(fd, input_.get(), kBlock, read_to_);
  if (got <= 0) return false;
  read_to_ += got;
  pending_ = {input_.get(), static_cast<size_t>(got)};
  return true;
}

// Decodes a block more. False: not possible (now).
bool Decoder::step(int fd, int64_t keep_from) {
  constexpr size_t kTrim = 64 * 1024;
  if (end_ == End::damaged || end_ == End::refused) return false;
  if (const int64_t surplus = std::min(keep_from, produced()) - base_;
      surplus >= static_cast<int64_t>(kTrim)) {
    kept_.erase(0, static_cast<size_t>(surplus));
    base_ += surplus;
  }
  const size_t had = kept_.size();
  kept_.resize(had + kBlock);
  size_t made = 0;
  if (!pending_.empty() || within_) made = decode(pending_, kept_.data() + had, kBlock);
  kept_.resize(had + made);
  if (made > 0) return true;
  if (end_ == End::damaged || end_ == End::refused) return false;
  if (end_ == End::complete) pending_ = {};
  if (!pending_.empty()) return true;
  if (refill(fd)) {
    end_ = End::open;
    return true;
  }
  end_ = within_ || read_to_ == 0 ? End::starved : End::complete;
  return false;
}

int64_t Decoder::read_at(int fd, char* buffer, size_t size, int64_t offset) {
  if (offset < base_) start_again();
  const int64_t to = offset + static_cast<int64_t>(size);
  while (produced() < to && step(fd, offset)) {
  }
  const int64_t got = std::clamp<int64_t>(produced() - offset, 0, static_cast<int64_t>(size));
  if (got > 0) std::memcpy(buffer, kept_.data() + (offset - base_), static_cast<size_t>(got));
  return got;
}

}  // namespace nines::collector
