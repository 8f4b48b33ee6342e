// What a sanitizer makes impossible to test: it keeps freed memory, and needs descriptors itself.
// What an emulator does: the memory of the process is mostly its own, and it knows few socket
// options.
#pragma once

#include <cstdlib>

namespace nines::test {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

inline bool is_emulated() {
  return std::getenv("NINES_EMULATED") != nullptr;  // NOLINT(concurrency-mt-unsafe)
}

}  // namespace nines::test
