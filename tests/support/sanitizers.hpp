// What a sanitizer makes impossible to test: it keeps freed memory, and needs descriptors itself.
#pragma once

namespace nines::test {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace nines::test
