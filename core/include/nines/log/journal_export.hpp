// The journal export format (systemd's JOURNAL_EXPORT_FORMATS), as `journalctl -o export` and
// systemd-journal-remote write it. An entry is a list of fields that ends with an empty line:
//
//   MESSAGE=text\n                      text without line ends
//   MESSAGE\n<length><bytes>\n          anything; the length is 8 bytes, little endian
//   \n
#pragma once

#include <cstddef>
#include <string_view>

namespace nines::log {

// Bytes of the first entry in `data` including its closing empty line; 0: it is not whole yet. An
// empty line alone is an entry of its own (its parser says `empty`).
//
// What is not a field (no '=' and no valid name with a sound length behind it) is stepped over as
// one line; so behind garbage the next empty line is where entries begin again, and the parser says
// no_match to the damaged one. A damaged length can ask for at most kMaxJournalField bytes: who
// reads frames gives up at a bound of its own before that, and drops up to the next empty line.
size_t journal_entry_length(std::string_view data) noexcept;
inline constexpr size_t kMaxJournalField = size_t{64} << 20;

// Value of __CURSOR: where to go on (`journalctl --cursor`, which tells this entry once more).
// Points into `entry`; empty when it has none.
std::string_view journal_cursor(std::string_view entry) noexcept;

}  // namespace nines::log
