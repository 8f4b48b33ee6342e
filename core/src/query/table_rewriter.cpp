#include "table_rewriter.hpp"

namespace nines::query {

Result<Rewritten> TableRewriter::run() {
  return in_.fail(in_.peek(), reason_ + " can't stand in a log block", Errc::invalid_argument);
}

}  // namespace nines::query
