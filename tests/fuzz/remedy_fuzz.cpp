// What a hostile peer, a foreign Lease or a damaged store may hold of remediation: items, each a
// kind (g: event of the guard, l: lease, r: record of history) and its length (u16, little endian).
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "nines/remedy/guard.hpp"
#include "nines/remedy/history.hpp"
#include "nines/remedy/learner.hpp"
#include "nines/remedy/lease.hpp"

namespace {

using namespace nines;
using namespace nines::remedy;

const WallTime kNow = WallTime::from_s(1'772'366'400);

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

std::string state(const Guard& guard) {
  std::string out = guard.stopped(kNow) ? "stopped " : "";
  out += guard.breaker_open(kNow) ? "open " : "";
  for (const RuleLife& rule : guard.rules()) {
    out += rule.rule + ' ' + std::to_string(static_cast<int>(rule.state)) + ' ' +
           rule.action.key() + '\n';
  }
  for (const Act& act : guard.acts()) {
    out += act.id + ' ' + std::to_string(static_cast<int>(act.phase)) + ' ' + act.target + '\n';
  }
  return out;
}

std::string told(const Learner& learner) {
  std::string out;
  for (const Lesson& lesson : learner.learn()) {
    out += lesson.signature + ' ' + lesson.action.key() + ' ' + std::to_string(lesson.good) + '/' +
           std::to_string(lesson.n) + ' ' + std::to_string(lesson.adjusted) + '\n';
  }
  return out;
}

void look_at_lease(std::string_view bytes) {
  const auto lease = decode_lease(bytes);
  if (!lease) return;
  require(lease->ledger.size() <= kMaxLedger, "a ledger is bounded");
  require(decode_lease(encode_lease(*lease)) == lease, "a lease that was read can be written");
  LeaseHand hand("pi-1");
  hand.see(*lease, Instant{1});
  const auto bid = hand.bid(*lease, Instant{2});
  require(!bid || lease->holder.empty(), "what another one holds is not taken at once");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view in(reinterpret_cast<const char*>(data), size);
  std::vector<GuardEvent> events;
  History history(8);
  Learner learner;
  while (in.size() > 3 && events.size() < 64) {
    const char kind = in[0];
    const size_t length = static_cast<size_t>(static_cast<uint8_t>(in[1])) |
                          static_cast<size_t>(static_cast<uint8_t>(in[2])) << 8;
    in.remove_prefix(3);
    const std::string_view item = in.substr(0, length);
    in.remove_prefix(item.size());
    if (kind == 'l') {
      look_at_lease(item);
    } else if (kind == 'r') {
      const auto record = decode_record(item);
      if (!record) continue;
      require(decode_record(encode_record(*record)) == record,
              "a record that was read can be written");
      std::vector<Record> gone;
      const auto merged = history.merge(*record, &gone);
      if (merged == History::Merge::news || merged == History::Merge::better) learner.add(*record);
      for (const Record& one : gone) learner.remove(one);
    } else if (const auto event = decode_guard(item)) {
      require(decode_guard(encode_guard(*event)) == event, "an event that was read can be written");
      events.push_back(*event);
    }
  }
  Guard forth({"c", 1}), back({"c", 1});
  for (const auto& e : events) (void)forth.merge(e);
  for (auto e = events.rbegin(); e != events.rend(); ++e) (void)back.merge(*e);
  require(state(forth) == state(back), "the order does not matter");
  require(forth.ledger(kNow).size() <= Guard::kMaxGuardLedger, "a ledger is bounded");
  (void)forth.tick(kNow);
  Learner anew;
  history.each([&](const Record& record) { anew.add(record); });
  require(told(learner) == told(anew), "what is learned along is what is learned at once");
  return 0;
}
