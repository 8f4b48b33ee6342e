// The pages of the program itself (code and constants, mapped from its file) that are in memory
// because something was run once: reading the configuration, opening the state, a query. They stay
// mapped for as long as nobody takes them, and a small node should not have to.
#pragma once

#include <cstddef>

namespace nines::agent {

// Unmaps all of them: what runs next is mapped again from the page cache, a minor fault for each 64
// KiB, which is some tens of microseconds in all. What was ever written (relocated constants,
// variables) is left alone. Returns the bytes that may go; 0 where the kernel refuses. Any thread.
size_t release_program_pages() noexcept;

}  // namespace nines::agent
