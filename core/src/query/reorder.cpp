#include "reorder.hpp"

#include <algorithm>

namespace nines::query {
namespace {

constexpr size_t kEntryBytes = sizeof(HeldRow) + 16;  // and what malloc adds

bool later(const HeldRow& a, const HeldRow& b) { return earlier(b.row(), a.row()); }

}  // namespace

Reorder::Reorder(int64_t lateness_ns, size_t max_bytes)
    : lateness_(std::max<int64_t>(lateness_ns, 0)), max_bytes_(max_bytes) {}

void Reorder::push(HeldRow row) {
  bytes_ += row.memory_bytes() + kEntryBytes;
  if (queue_.empty() || !earlier(row.row(), queue_.back().row())) {
    queue_.push_back(std::move(row));
    return;
  }
  heap_.push_back(std::move(row));
  std::push_heap(heap_.begin(), heap_.end(), later);
}

const HeldRow* Reorder::first() const noexcept {
  if (heap_.empty()) return queue_.empty() ? nullptr : &queue_.front();
  if (queue_.empty()) return &heap_.front();
  return earlier(heap_.front().row(), queue_.front().row()) ? &heap_.front() : &queue_.front();
}

bool Reorder::due(bool all) const noexcept {
  const HeldRow* const row = first();
  if (row == nullptr) return false;
  // A row of the same time may stand before it and come behind it.
  return all || row->ts() < watermark_ || bytes_ > max_bytes_;
}

bool Reorder::pop(HeldRow& out, bool all) {
  if (!due(all)) return false;
  if (first() == (queue_.empty() ? nullptr : &queue_.front())) {
    out = std::move(queue_.front());
    queue_.pop_front();
  } else {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    out = std::move(heap_.back());
    heap_.pop_back();
  }
  bytes_ -= out.memory_bytes() + kEntryBytes;
  released_ = std::max(released_, out.ts());
  return true;
}

}  // namespace nines::query
