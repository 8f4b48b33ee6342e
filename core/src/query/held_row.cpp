#include "held_row.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "nines/base/contract.hpp"

namespace nines::query {

HeldRow::HeldRow(const Row& row, std::span<const size_t> kept, uint64_t mark) {
  static_assert(sizeof(Block) % alignof(Value) == 0);
  const size_t columns = row.values.size();
  size_t text_bytes = 0;
  for (const size_t column : kept) text_bytes += row.values[column].text.size();
  const size_t bytes = sizeof(Block) + columns * sizeof(Value) + text_bytes;
  char* const memory = static_cast<char*>(std::malloc(bytes));
  NINES_ASSERT(memory != nullptr);
  Value* const values = reinterpret_cast<Value*>(memory + sizeof(Block));
  for (size_t i = 0; i < columns; ++i) new (values + i) Value;
  char* text = memory + sizeof(Block) + columns * sizeof(Value);
  for (const size_t column : kept) {
    const Value& from = row.values[column];
    values[column] = from;
    if (from.text.data() == nullptr) continue;
    values[column].text = {text, from.text.size()};
    text = std::copy(from.text.begin(), from.text.end(), text);
  }
  block_ = new (memory) Block{row, mark, 1, bytes};
  block_->row.values = {values, columns};
}

void HeldRow::release() noexcept {
  if (block_ == nullptr || --block_->holders > 0) return;
  std::free(block_);  // trivially destructible, as its values are
  block_ = nullptr;
}

}  // namespace nines::query
