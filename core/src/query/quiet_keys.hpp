// Keys in the order in which they were last heard of. An operator that keeps a state for each key
// forgets the keys of which nothing can come any more (WITHIN went by) and, at its limit of memory,
// those that were quiet longest: both stand at the front of this list. Touching a key, leaving it
// out and looking at the front cost the same however many there are.
//
// The links are members of the state, so that a key costs no memory of its own here.
#pragma once

#include <cstdint>

#include "key_table.hpp"

namespace nines::query {

struct QuietLinks {
  int64_t touched = 0;  // when it was last heard of
  uint32_t next = kNobody, previous = kNobody;
};

// State: that of a KeyTable, with a member `QuietLinks quiet`, which the list sets. The table
// outlives the list, and its states in the list are there.
template <class State>
class QuietKeys {
 public:
  explicit QuietKeys(KeyTable<State>& table) : table_(table) {}

  // Times need not ascend: the order is that of the calls. REQUIRES that it is not in the list.
  void push(uint32_t id, int64_t ts) noexcept {
    links(id) = {ts, kNobody, newest_};
    (newest_ != kNobody ? links(newest_).next : oldest_) = id;
    newest_ = id;
  }
  // REQUIRES that it is in the list.
  void remove(uint32_t id) noexcept {
    const QuietLinks& at = links(id);
    (at.previous != kNobody ? links(at.previous).next : oldest_) = at.next;
    (at.next != kNobody ? links(at.next).previous : newest_) = at.previous;
  }

  // The key that was quiet longest, and the one behind `id`; kNobody when there is none.
  uint32_t oldest() const noexcept { return oldest_; }
  uint32_t behind(uint32_t id) const noexcept { return table_[id].quiet.next; }
  // The key that was quiet longest if that is more than `span_ns` before `now`, else kNobody.
  uint32_t quiet_for(int64_t span_ns, int64_t now) const noexcept {
    const bool over = oldest_ != kNobody && plus_ns(table_[oldest_].quiet.touched, span_ns) < now;
    return over ? oldest_ : kNobody;
  }

 private:
  QuietLinks& links(uint32_t id) noexcept { return table_[id].quiet; }

  KeyTable<State>& table_;
  uint32_t oldest_ = kNobody, newest_ = kNobody;
};

}  // namespace nines::query
