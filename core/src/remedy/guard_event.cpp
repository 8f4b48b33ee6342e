#include "nines/remedy/guard_event.hpp"

#include <algorithm>
#include <array>
#include <tuple>

#include "nines/base/utf.hpp"
#include "nines/query/bytes.hpp"

namespace nines::remedy {
namespace {

using query::get_byte;
using query::get_signed;
using query::get_varint;
using query::put_byte;
using query::put_signed;
using query::put_text;
using query::put_varint;

constexpr uint8_t kVersion = 1;
constexpr size_t kMaxDetails = 12;
constexpr int64_t kMostNs = 4'102'444'800 * kNsPerSecond;

constexpr std::array<std::string_view, kGuardKinds> kNames{
    "rule_drafted", "rule_shadowed", "rule_approved", "rule_armed", "rule_demoted", "rule_removed",
    "shadow_hit",   "approval",      "intent",        "result",     "verified",     "doubt",
    "settled",      "stop",          "resume",        "unfreeze"};

bool get_string(std::string_view& in, std::string& out, size_t most) {
  std::string_view text;
  if (!query::get_text(in, text) || text.size() > most) return false;
  out.assign(text);
  return true;
}

}  // namespace

std::string_view guard_kind_name(GuardKind kind) noexcept {
  const auto at = static_cast<size_t>(kind);
  return at < kNames.size() ? kNames[at] : "unknown";
}

bool is_of_ledger(GuardKind kind) noexcept {
  switch (kind) {
    case GuardKind::intent:
    case GuardKind::result:
    case GuardKind::verified:
    case GuardKind::doubt:
    case GuardKind::settled:
    case GuardKind::stop:
    case GuardKind::resume:
    case GuardKind::rule_demoted:
    case GuardKind::rule_removed: return true;
    default: return false;
  }
}

std::string GuardEvent::uid() const {
  return node + '/' + std::to_string(boot) + '/' + std::to_string(sequence);
}

const std::string& GuardEvent::detail(std::string_view name) const noexcept {
  static const std::string kNone;
  for (const auto& [key, value] : details) {
    if (key == name) return value;
  }
  return kNone;
}

bool comes_before(const GuardEvent& a, const GuardEvent& b) noexcept {
  const WallTime first = a.order(), second = b.order();
  return std::tie(first.ns, a.node, a.boot, a.sequence) <
         std::tie(second.ns, b.node, b.boot, b.sequence);
}

void fit(GuardEvent& e) {
  for (std::string* name : {&e.node, &e.rule, &e.who}) *name = cut_utf8(*name, kMaxGuardName);
  if (e.details.size() > kMaxDetails) e.details.resize(kMaxDetails);
  const size_t size = encode_guard(e).size();
  if (size > kMaxGuardBytes) {
    const size_t over = size - kMaxGuardBytes;
    e.text = cut_utf8(e.text, e.text.size() > over ? e.text.size() - over : 0);
  }
  while (encode_guard(e).size() > kMaxGuardBytes && !e.details.empty()) e.details.pop_back();
}

std::string encode_guard(const GuardEvent& e) {
  std::string out;
  put_byte(out, kVersion);
  put_byte(out, static_cast<uint8_t>(e.kind));
  put_text(out, e.node);
  put_varint(out, e.boot);
  put_varint(out, e.sequence);
  put_signed(out, e.at.ns);
  put_signed(out, e.after.ns);
  for (const std::string* text : {&e.rule, &e.who, &e.text}) put_text(out, *text);
  put_varint(out, e.details.size());
  for (const auto& [key, value] : e.details) {
    put_text(out, key);
    put_text(out, value);
  }
  return out;
}

std::optional<GuardEvent> decode_guard(std::string_view in) {
  GuardEvent e;
  uint8_t version = 0, kind = 0;
  uint64_t details = 0;
  if (in.size() > kMaxGuardBytes) return std::nullopt;
  const bool whole =
      get_byte(in, version) && version == kVersion && get_byte(in, kind) && kind < kGuardKinds &&
      get_string(in, e.node, kMaxGuardName) && get_varint(in, e.boot) &&
      get_varint(in, e.sequence) && get_signed(in, e.at.ns) && get_signed(in, e.after.ns) &&
      get_string(in, e.rule, kMaxGuardName) && get_string(in, e.who, kMaxGuardName) &&
      get_string(in, e.text, kMaxGuardBytes) && get_varint(in, details) && details <= kMaxDetails;
  if (!whole) return std::nullopt;
  e.kind = static_cast<GuardKind>(kind);
  for (; details > 0; --details) {
    auto& [key, value] = e.details.emplace_back();
    if (!get_string(in, key, 32) || !get_string(in, value, kMaxGuardBytes)) return std::nullopt;
  }
  const auto sane = [](WallTime t) { return t.ns >= 0 && t.ns < kMostNs; };
  if (!in.empty() || e.node.empty() || !sane(e.at) || !sane(e.after)) return std::nullopt;
  return e;
}

}  // namespace nines::remedy
