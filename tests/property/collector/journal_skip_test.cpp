// JournalSkip against journal_entry_length(), which sees the entry whole.
#include "../../../collector/src/stream/journal_skip.hpp"

#include <rapidcheck.h>

#include <catch2/catch.hpp>
#include <string>

#include "nines/log/journal_export.hpp"

using namespace nines;

namespace {

std::string field() {
  const auto name = *rc::gen::element<std::string>("MESSAGE", "_PID", "__CURSOR", "X1");
  if (*rc::gen::arbitrary<bool>()) {
    return name + '=' + *rc::gen::container<std::string>(rc::gen::element('a', '=', '\0')) + '\n';
  }
  const auto text = *rc::gen::container<std::string>(rc::gen::element('A', '=', '\n', '\0'));
  std::string length(8, '\0');
  for (size_t i = 0; i < 8; ++i) length[i] = static_cast<char>(text.size() >> (8 * i) & 0xff);
  return name + '\n' + length + text + '\n';
}

}  // namespace

TEST_CASE("An entry is passed over to its end, in pieces of any size") {
  CHECK(rc::check([] {
    std::string entry;
    const int fields = *rc::gen::inRange(1, 6);
    for (int i = 0; i < fields; ++i) entry += field();
    // Not a field: a line that is stepped over.
    if (*rc::gen::arbitrary<bool>()) entry += "9lives\nlower\n";
    entry += '\n';
    const std::string wire = entry + "__CURSOR=next\n\n";
    RC_ASSERT(log::journal_entry_length(wire) == entry.size());
    collector::JournalSkip skip;
    size_t passed = 0;
    while (!skip.done()) {
      const size_t piece = *rc::gen::inRange<size_t>(1, 20);
      passed += skip.pass(std::string_view(wire).substr(passed, piece));
      RC_ASSERT(passed <= entry.size());
    }
    RC_ASSERT(passed == entry.size());
  }));
}
