// Saved positions and compressed files as they come from a disk that may be damaged. The first byte
// says which: a state must decode to what encodes to a state that decodes to the same; of an
// archive, pieces read in any order must be those of one reading from the front.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "file/entry.hpp"

namespace {

using namespace nines::collector;

constexpr size_t kMost = 1024 * 1024;  // of what a small archive may decompress to

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

void check_state(std::string_view text) {
  Entry first;
  if (!decode_state(text, first)) return;
  const std::string once = encode_state(first);
  Entry second;
  require(decode_state(once, second), "what was encoded can be decoded");
  require(encode_state(second) == once, "a round trip changes nothing");
  require(second.offset == first.offset && second.path == first.path &&
              second.extra == first.extra && second.where == first.where &&
              second.real == first.real && second.id.ino == first.id.ino,
          "a round trip keeps what was meant");
}

// In memory; a descriptor is what the decoders read from.
UniqueFd file_of(std::string_view bytes) {
  UniqueFd fd(::memfd_create("archive", MFD_CLOEXEC));
  const ssize_t written = fd.valid() ? ::write(fd.get(), bytes.data(), bytes.size()) : -1;
  require(written == static_cast<ssize_t>(bytes.size()), "memfd");
  return fd;
}

std::string read_whole(int fd, Decoder& decoder, size_t piece) {
  std::string out, buffer(piece, '\0');
  while (out.size() < kMost) {
    const int64_t got = decoder.read_at(fd, buffer.data(), piece, static_cast<int64_t>(out.size()));
    require(got >= 0 && got <= static_cast<int64_t>(piece), "a read gives what there is");
    out.append(buffer, 0, static_cast<size_t>(got));
    if (got < static_cast<int64_t>(piece)) break;
  }
  out.resize(std::min(out.size(), kMost));
  return out;
}

void check_archive(std::string_view bytes, uint8_t seed) {
  const UniqueFd fd = file_of(bytes);
  const Packing packing = packing_of(fd.get());
  if (packing != Packing::gzip && packing != Packing::zstd) return;
  const auto decoder = Decoder::create(packing);
  const std::string whole = read_whole(fd.get(), *decoder, 64 * 1024);
  (void)unpacked_size_hint(fd.get(), packing, static_cast<int64_t>(bytes.size()));
  const auto other = Decoder::create(packing);
  require(read_whole(fd.get(), *other, 1000U + seed) == whole, "pieces make no difference");
  const size_t from = whole.size() * seed / 256;  // backwards: from the front again
  std::string buffer(100, '\0');
  const int64_t got =
      other->read_at(fd.get(), buffer.data(), buffer.size(), static_cast<int64_t>(from));
  const size_t both = std::min(whole.size() - from, static_cast<size_t>(std::max<int64_t>(got, 0)));
  require(got >= 0 && buffer.compare(0, both, whole, from, both) == 0, "a jump reads the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] == 's') {
    check_state(rest);
  } else {
    check_archive(rest, data[0]);
  }
  return 0;
}
