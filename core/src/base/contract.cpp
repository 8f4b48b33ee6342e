#include "nines/base/contract.hpp"

#include <cstdio>
#include <cstdlib>

namespace nines {

void contract_failed(const char* condition, const char* file, int line) noexcept {
  std::fprintf(stderr, "nines: broken invariant: %s (%s:%d)\n", condition, file, line);
  std::abort();
}

}  // namespace nines
