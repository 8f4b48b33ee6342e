// Contract checks that stay on in release builds: a broken invariant stops the program with the
// place and the condition instead of producing a wrong count.
#pragma once

namespace nines {
[[noreturn]] void contract_failed(const char* condition, const char* file, int line) noexcept;
}

#define NINES_ASSERT(condition)           \
  (static_cast<bool>(condition) ? void(0) \
                                : ::nines::contract_failed(#condition, __FILE__, __LINE__))
