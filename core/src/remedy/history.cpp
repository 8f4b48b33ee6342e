#include "nines/remedy/history.hpp"

#include <algorithm>
#include <tuple>

#include "nines/query/bytes.hpp"

namespace nines::remedy {
namespace {

using query::get_byte;
using query::get_signed;
using query::put_byte;
using query::put_signed;
using query::put_text;

// 1 is without hands_on_s, and what is written where that is not known.
constexpr uint8_t kVersion = 2;
constexpr int64_t kMostS = 366 * 86400;
constexpr int64_t kMostNs = 4'102'444'800 * kNsPerSecond;

bool get_string(std::string_view& in, std::string& out) {
  std::string_view text;
  if (!query::get_text(in, text)) return false;
  out.assign(text);
  return true;
}

template <class Enum>
bool get_enum(std::string_view& in, Enum& out, size_t count) {
  uint8_t byte = 0;
  if (!get_byte(in, byte) || byte >= count) return false;
  out = static_cast<Enum>(byte);
  return true;
}

bool in_range(const Record& r) {
  return !r.id.empty() && !r.signature.empty() && r.severity >= 0 && r.severity <= 3 &&
         r.at.ns > 0 && r.at.ns < kMostNs && r.judged.ns >= 0 && r.judged.ns < kMostNs &&
         r.recover_s >= 0 && r.recover_s <= kMostS && r.hands_on_s >= -1 &&
         r.hands_on_s <= kMostS && r.action.parameter.size() <= kMaxParameter;
}

// What is better known: judged later; the rest only makes it a total order.
auto rank(const Record& r) {
  return std::tie(r.judged.ns, r.outcome, r.recover_s, r.signature, r.action, r.at.ns, r.severity,
                  r.censored, r.actor, r.incident, r.who, r.rule, r.step, r.hands_on_s);
}

}  // namespace

std::string_view outcome_name(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::resolved: return "resolved";
    case Outcome::failed: return "failed";
    default: return "unknown";
  }
}

std::string_view actor_name(Actor actor) noexcept {
  switch (actor) {
    case Actor::rule: return "rule";
    case Actor::import: return "import";
    default: return "person";
  }
}

std::string encode_record(const Record& r) {
  std::string out;
  const bool timed = r.hands_on_s >= 0;
  put_byte(out, timed ? kVersion : 1);
  for (const std::string* text : {&r.id, &r.incident, &r.signature, &r.who, &r.rule}) {
    put_text(out, *text);
  }
  put_byte(out, static_cast<uint8_t>(r.action.verb));
  put_text(out, r.action.parameter);
  for (const int64_t number : {r.at.ns, r.judged.ns, r.recover_s, int64_t{r.step}}) {
    put_signed(out, number);
  }
  put_byte(out, static_cast<uint8_t>(r.severity));
  put_byte(out, static_cast<uint8_t>(r.outcome));
  put_byte(out, static_cast<uint8_t>(r.actor));
  put_byte(out, r.censored ? 1 : 0);
  if (timed) put_signed(out, r.hands_on_s);
  return out;
}

std::optional<Record> decode_record(std::string_view in) {
  if (in.size() > kMaxRecordBytes) return std::nullopt;
  Record r;
  uint8_t version = 0, severity = 0, censored = 0;
  int64_t step = 0;
  const bool whole =
      get_byte(in, version) && version >= 1 && version <= kVersion && get_string(in, r.id) &&
      get_string(in, r.incident) && get_string(in, r.signature) && get_string(in, r.who) &&
      get_string(in, r.rule) && get_enum(in, r.action.verb, kVerbs) &&
      get_string(in, r.action.parameter) && get_signed(in, r.at.ns) &&
      get_signed(in, r.judged.ns) && get_signed(in, r.recover_s) && get_signed(in, step) &&
      get_byte(in, severity) && get_enum(in, r.outcome, 3) && get_enum(in, r.actor, 3) &&
      get_byte(in, censored) && censored <= 1 && (version == 1 || get_signed(in, r.hands_on_s)) &&
      in.empty() && severity <= 3 && step >= 0 && step <= 1000;
  r.severity = severity;
  r.censored = censored == 1;
  r.step = static_cast<int>(step);
  if (!whole || !in_range(r)) return std::nullopt;
  return r;
}

History::Merge History::would(const Record& record) const {
  if (!in_range(record) || most_ == 0) return Merge::refused;
  if (const auto found = by_id_.find(record.id); found != by_id_.end()) {
    return rank(found->second) < rank(record) ? Merge::better : Merge::known;
  }
  const bool too_old =
      by_id_.size() >= most_ && Time{record.at.ns, record.id} < by_time_.begin()->first;
  return too_old ? Merge::refused : Merge::news;
}

History::Merge History::merge(Record record, std::vector<Record>* gone) {
  const auto give_up = [&](std::map<std::string, Record, std::less<>>::iterator it) {
    by_time_.erase({it->second.at.ns, it->first});
    if (gone != nullptr) gone->push_back(std::move(it->second));
    by_id_.erase(it);
  };
  const Merge done = would(record);
  if (done == Merge::refused) return ++refused_, done;
  if (done == Merge::known) return done;
  if (done == Merge::better) {
    give_up(by_id_.find(record.id));
  } else if (by_id_.size() >= most_) {
    give_up(by_id_.find(by_time_.begin()->second));
    ++dropped_;
  }
  by_time_.emplace(Time{record.at.ns, record.id}, record.id);
  std::string id = record.id;
  by_id_.emplace(std::move(id), std::move(record));
  return done;
}

const Record* History::find(std::string_view id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &found->second;
}

}  // namespace nines::remedy
