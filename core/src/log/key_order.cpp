#include "log/key_order.hpp"

#ifdef NINES_BYTES16
namespace nines::log {
namespace {
using V = Bytes16;
}  // namespace
}  // namespace nines::log
#include "log/key_order_kernel.hpp"
#endif

namespace nines::log {

#ifdef NINES_BYTES16
KeyWalker vector16_key_walker() noexcept { return &walk_members; }
#else
KeyWalker vector16_key_walker() noexcept { return nullptr; }
#endif

// The bytes between two values. False: too many, or too many members.
bool KeyOrder::keep(const char* from, const char* to) noexcept {
  const auto size = static_cast<size_t>(to - from);
  if (size > KeyMember::kMostLead || count_ == kMostMembers) return false;
  KeyMember& member = members_[count_++];
  member = KeyMember{};
  std::memcpy(member.lead, from, size);
  member.size = static_cast<uint8_t>(size);
  return true;
}

bool KeyOrder::follow_by_bytes(size_t from, const char* p, const char* end,
                               Collector& out) noexcept {
  const bool settles = settling_ > 0;
  settling_ -= settles ? 1 : 0;
  for (size_t i = from; i < count_; ++i) {
    KeyMember& member = members_[i];
    if (!member.leads(p, end)) return false;
    p += member.size;
    if (member.is(KeyMember::kLast)) return p == end;
    RawValue value;
    p = member.is(KeyMember::kText) ? text_value(p, end, value)
                                    : bare_value(p, end, member.key, value);
    if (p == nullptr) return false;
    if (settles) member.see(value.text.size());
    if (member.key == nullptr) continue;
    out.offer(*member.key, value);
    if (out.complete()) return true;
  }
  return false;
}

bool KeyOrder::learn(std::string_view line, Collector& out) noexcept {
  settling_ = kLinesToSettle;
  const char* lead = line.data();
  const char* const end = lead + line.size();
  const char* p = skip_blanks(lead + 1, end);
  for (;;) {
    bool escaped = false;
    const char* const close = p != end && *p == '"' ? string_end(p + 1, end, escaped) : nullptr;
    if (close == nullptr || escaped) return false;
    const KeyTree::Key* const key = tree_.root().find(between(p + 1, close));
    p = skip_blanks(close + 1, end);
    if (p == end || *p != ':') return false;
    p = skip_blanks(p + 1, end);
    if (p == end) return false;
    const bool text = *p == '"';
    if (text) ++p;
    if (!keep(lead, p)) return false;
    if (text) members_[count_ - 1].flags |= KeyMember::kText;
    members_[count_ - 1].key = key;
    RawValue value;
    lead = text ? text_value(p, end, value) : bare_value(p, end, key, value);
    if (lead == nullptr) return false;
    members_[count_ - 1].expect(value.text.size());
    if (key != nullptr) out.offer(*key, value);
    if (key != nullptr && out.complete()) return true;
    p = skip_blanks(text ? lead + 1 : lead, end);
    if (p == end) return false;
    if (*p == '}') break;
    if (*p != ',') return false;
    p = skip_blanks(p + 1, end);
  }
  if (p + 1 != end || !keep(lead, end)) return false;
  members_[count_ - 1].flags |= KeyMember::kLast;
  return true;
}

}  // namespace nines::log
