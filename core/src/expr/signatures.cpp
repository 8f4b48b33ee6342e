#include "nines/expr/signatures.hpp"

#include <algorithm>

#include "functions.hpp"
#include "token.hpp"

namespace nines::expr {
namespace {

bool is_literal(Param p) {
  return p == Param::pattern || p == Param::group || p == Param::width || p == Param::unit;
}

Signature signature_of(const Function& f) {
  Signature s{f.name, f.min_args, f.max_args, 0};
  for (int i = 0; i < std::min(f.max_args, 3); ++i) {
    if (is_literal(f.params[i])) s.literal_args |= uint32_t{1} << i;
  }
  return s;
}

}  // namespace

std::vector<Signature> function_signatures() {
  std::vector<Signature> all;
  for (const Function& f : all_functions()) all.push_back(signature_of(f));
  std::sort(all.begin(), all.end(),
            [](const Signature& a, const Signature& b) { return a.name < b.name; });
  return all;
}

size_t name_distance(std::string_view a, std::string_view b) { return edit_distance(a, b); }

}  // namespace nines::expr
