#include "nines/oncall/page_ledger.hpp"

#include <algorithm>
#include <array>

namespace nines::oncall {
namespace {

constexpr int64_t kHalfLifeS = 12 * 3600, kStepS = 900, kForgottenS = 20 * kHalfLifeS;

// 1,000,000 * 2^(-i / 48): within a half-life, by quarters of an hour.
constexpr std::array<int64_t, kHalfLifeS / kStepS> kDecay{
    1'000'000, 985'663, 971'532, 957'603, 943'874, 930'342, 917'004, 903'857, 890'899, 878'126,
    865'537,   853'128, 840'896, 828'841, 816'958, 805'245, 793'701, 782'321, 771'105, 760'050,
    749'154,   738'413, 727'827, 717'392, 707'107, 696'969, 686'977, 677'128, 667'420, 657'851,
    648'420,   639'124, 629'961, 620'929, 612'027, 603'252, 594'604, 586'079, 577'676, 569'394,
    561'231,   553'185, 545'254, 537'437, 529'732, 522'137, 514'651, 507'273};

int64_t decayed_micro(int64_t age_s) {
  return kDecay[static_cast<size_t>(age_s % kHalfLifeS / kStepS)] >> (age_s / kHalfLifeS);
}

}  // namespace

PageLedger::PageLedger(std::shared_ptr<const Roster> roster, Limits limits)
    : roster_(std::move(roster)), limits_(limits), pages_(roster_->people.size()) {}

uint32_t PageLedger::find(std::string_view name) const {
  const auto found = ids_.find(name);
  return found == ids_.end() ? 0 : found->second;
}

uint32_t PageLedger::intern(const std::string& name) {
  if (name.empty()) return 0;
  const auto found = ids_.find(name);
  if (found != ids_.end()) return found->second;
  if (names_.size() > limits_.signatures) {
    ++counters_.unnamed;
    return 0;
  }
  names_.push_back(name);
  return ids_[name] = static_cast<uint32_t>(names_.size() - 1);
}

void PageLedger::add(const Page& page) {
  if (page.person >= pages_.size()) {
    ++counters_.strangers;
    return;
  }
  if (size_ >= limits_.pages) {
    auto oldest = pages_.end();
    for (auto one = pages_.begin(); one != pages_.end(); ++one) {
      if (one->empty()) continue;
      if (oldest == pages_.end() || one->front().at_s < oldest->front().at_s) oldest = one;
    }
    ++counters_.forgotten;
    if (oldest == pages_.end() || oldest->front().at_s >= page.at_s) return;
    oldest->erase(oldest->begin());
    --size_;
  }
  Entry entry;
  entry.at_s = page.at_s;
  entry.acknowledged_s = page.acknowledged_s;
  entry.over_s = page.over_s;
  entry.signature = intern(page.signature);
  entry.service = intern(page.service);
  entry.severity = static_cast<int8_t>(std::clamp(page.severity, 0, 3));
  entry.resolved = page.resolved;
  entry.by_itself = page.by_itself;
  entry.night = is_night(*roster_->people[page.person].zone, page.at_s);
  auto& own = pages_[page.person];
  const auto later = [](int64_t at_s, const Entry& one) { return at_s < one.at_s; };
  own.insert(std::upper_bound(own.begin(), own.end(), page.at_s, later), entry);
  ++size_;
}

int64_t PageLedger::fatigue_milli(uint32_t person, int64_t now_s) const {
  int64_t micro = 0;
  const auto& own = pages_[person];
  for (auto one = own.rbegin(); one != own.rend(); ++one) {
    if (one->at_s > now_s) continue;
    if (now_s - one->at_s >= kForgottenS) break;
    micro += decayed_micro(now_s - one->at_s) * (one->night ? 2 : 1);
  }
  return micro / 1000;
}

int64_t PageLedger::pages_within(uint32_t person, int64_t now_s, int64_t within_s) const {
  const auto& own = pages_[person];
  const auto before = [](const Entry& one, int64_t at_s) { return one.at_s < at_s; };
  const auto first = std::lower_bound(own.begin(), own.end(), now_s - within_s + 1, before);
  const auto end = std::lower_bound(first, own.end(), now_s + 1, before);
  return end - first;
}

std::optional<Cap> PageLedger::cap_reached(uint32_t person, int64_t now_s) const {
  for (const Cap& cap : roster_->people[person].caps) {
    if (pages_within(person, now_s, cap.within_s) >= cap.pages) return cap;
  }
  return std::nullopt;
}

PageLedger::Tally PageLedger::tally(uint32_t person, std::string_view signature,
                                    int64_t now_s) const {
  Tally out;
  const uint32_t wanted = find(signature);
  if (wanted == 0) return out;
  for (const Entry& one : pages_[person]) {
    if (one.signature != wanted || one.at_s > now_s) continue;
    ++out.told;
    out.resolved += one.resolved ? 1 : 0;
  }
  return out;
}

PageLedger::Tally PageLedger::tally_of_service(uint32_t person, std::string_view service,
                                               std::string_view but_signature,
                                               int64_t now_s) const {
  Tally out;
  const uint32_t wanted = find(service), but = find(but_signature);
  if (wanted == 0) return out;
  for (const Entry& one : pages_[person]) {
    if (one.service != wanted || (but != 0 && one.signature == but) || one.at_s > now_s) continue;
    ++out.told;
    out.resolved += one.resolved ? 1 : 0;
  }
  return out;
}

}  // namespace nines::oncall
