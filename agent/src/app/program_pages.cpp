#include "app/program_pages.hpp"

#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

namespace nines::agent {

namespace {

// A segment that cannot be written holds nothing but what is in the file: MADV_DONTNEED loses
// nothing of it (madvise(2)). Its first and last page may be shared with a neighbour that can.
size_t release(uintptr_t begin, uintptr_t end) noexcept {
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  begin = (begin + page - 1) / page * page;
  end = end / page * page;
  if (begin >= end) return 0;
  void* const at = reinterpret_cast<void*>(begin);  // NOLINT(performance-no-int-to-ptr)
  return ::madvise(at, end - begin, MADV_DONTNEED) == 0 ? end - begin : 0;
}

int release_object(dl_phdr_info* info, size_t, void* bytes) noexcept {
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& segment = info->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
    const uintptr_t begin = info->dlpi_addr + segment.p_vaddr;
    *static_cast<size_t*>(bytes) += release(begin, begin + segment.p_memsz);
  }
  return 1;  // the first is the program; libraries may be shared with others
}

}  // namespace

size_t release_program_pages() noexcept {
  size_t bytes = 0;
  ::dl_iterate_phdr(release_object, &bytes);
  return bytes;
}

}  // namespace nines::agent
