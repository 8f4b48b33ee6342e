#include "nines/incident/change_suspects.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>

#include "incident/text.hpp"

namespace nines::incident {
namespace {

constexpr double kWidth95 = 1.959964;
constexpr size_t kEnoughOthers = 3;

bool may_break(slo::ChangeKind kind) noexcept {
  return kind == slo::ChangeKind::deploy || kind == slo::ChangeKind::migration ||
         kind == slo::ChangeKind::manual_action;
}

bool in_window(WallTime onset, const slo::Change& change) noexcept {
  const int64_t before = onset.ns - change.at.ns;
  return may_break(change.kind) && before <= kChangeWindowS * kNsPerSecond &&
         before >= -kOnsetErrorS * kNsPerSecond;
}

bool was_changed(WallTime onset, std::span<const slo::Change> changes,
                 std::string_view service) noexcept {
  return std::any_of(changes.begin(), changes.end(), [&](const slo::Change& change) {
    return change.service == service && in_window(onset, change);
  });
}

struct Share {
  double value = 0, variance = 0;
};

Share share_of(uint64_t errors, uint64_t of) noexcept {
  const auto n = static_cast<double>(of);
  const double smooth = (static_cast<double>(errors) + 1) / (n + 2);
  return {n > 0 ? static_cast<double>(errors) / n : 0, smooth * (1 - smooth) / (n + 2)};
}

bool counted(const ShareChange& share) noexcept {
  return share.of_before > 0 && share.of_after > 0;
}

struct Others {
  size_t services = 0;
  double change = 0, variance = 0;
};

// All services that were not changed, taken together.
Others others(WallTime onset, std::span<const slo::Change> changes,
              std::span<const ShareChange> shares) {
  ShareChange sum;
  std::vector<double> apart;
  for (const ShareChange& share : shares) {
    if (!counted(share) || was_changed(onset, changes, share.service)) continue;
    sum.errors_before += share.errors_before;
    sum.of_before += share.of_before;
    sum.errors_after += share.errors_after;
    sum.of_after += share.of_after;
    apart.push_back(share_of(share.errors_after, share.of_after).value -
                    share_of(share.errors_before, share.of_before).value);
  }
  Others out;
  out.services = apart.size();
  if (apart.empty()) return out;
  const Share before = share_of(sum.errors_before, sum.of_before);
  const Share after = share_of(sum.errors_after, sum.of_after);
  out.change = after.value - before.value;
  out.variance = before.variance + after.variance;
  if (apart.size() < kEnoughOthers) return out;
  double squares = 0;
  for (const double change : apart) squares += (change - out.change) * (change - out.change);
  out.variance = std::max(out.variance, squares / static_cast<double>(apart.size() - 1));
  return out;
}

std::string points(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", share * 100);
  return text;
}

void measure(ChangeSuspect& suspect, const ShareChange& share, const Others& control) {
  const Share before = share_of(share.errors_before, share.of_before);
  const Share after = share_of(share.errors_after, share.of_after);
  suspect.before = before.value;
  suspect.after = after.value;
  double effect = after.value - before.value;
  double variance = before.variance + after.variance;
  if (control.services > 0) {
    suspect.others_change = control.change;
    effect -= control.change;
    variance += control.variance;
  }
  const double error = std::sqrt(variance);
  suspect.effect = effect;
  suspect.effect_low = effect - kWidth95 * error;
  suspect.effect_high = effect + kWidth95 * error;
  suspect.score = effect > 0 ? kChangePrior * effect * effect / variance : 0;
}

std::string sentence(const ChangeSuspect& suspect, const slo::Change& change) {
  std::string text(slo::change_kind_name(change.kind));
  text += " of " + (change.service.empty() ? std::string("the node") : change.service);
  if (!change.text.empty()) text += " (" + change.text + ")";
  text += suspect.seconds_before > 0 ? " " + span_text(suspect.seconds_before) + " before the onset"
                                     : " at about the onset";
  if (!suspect.before) return text + "; its errors are not counted";
  text +=
      ": errors " + points(*suspect.before) + " % before, " + points(*suspect.after) + " % after";
  if (suspect.others_change) {
    text += "; services that were not changed " +
            std::string(*suspect.others_change >= 0 ? "+" : "") + points(*suspect.others_change) +
            " points; effect " + points(*suspect.effect) +
            " points (95 %: " + points(*suspect.effect_low) + " to " +
            points(*suspect.effect_high) + ")";
  }
  return text;
}

std::vector<std::string> doubts(const ChangeSuspect& suspect, size_t changes_in_window) {
  std::vector<std::string> wrong;
  wrong.emplace_back("the errors began before the change, and only became loud after it");
  if (!suspect.before) {
    wrong.emplace_back("the service was well after the change: nothing of it is counted");
  } else if (!suspect.others_change) {
    wrong.emplace_back(
        "everything got worse at that time: no unchanged service is there to compare");
  } else {
    wrong.emplace_back("what the service is asked to do changed at the same time, not what it is");
  }
  if (suspect.effect_low && *suspect.effect_low <= 0) {
    wrong.emplace_back("the rise is chance: its interval holds no rise at all");
  }
  if (changes_in_window > 1) {
    wrong.push_back("one of the other " + std::to_string(changes_in_window - 1) +
                    " changes of that half hour did it");
  }
  return wrong;
}

}  // namespace

double change_prior(WallTime onset, std::span<const slo::Change> changes,
                    std::string_view service) noexcept {
  return was_changed(onset, changes, service) ? kChangePrior : 1;
}

std::vector<RankedCause> rank_causes(WallTime onset, std::span<const slo::Change> changes,
                                     std::span<const ChangeSuspect> suspects,
                                     std::span<const ServiceEvidence> services) {
  struct Placed {
    RankedCause cause;
    double weight = 0;  // of its place: no less than that of any behind it
  };
  std::vector<Placed> placed;
  std::map<std::string_view, double> strongest, heaviest;
  double behind = 0;
  for (size_t i = services.size(); i-- > 0;) {
    const ServiceEvidence& one = services[i];
    const double prior = change_prior(onset, changes, one.service);
    behind = std::max(behind, one.score);
    placed.push_back({{false, i, one.score * prior}, behind * prior});
    strongest[one.service] = std::max(strongest[one.service], one.score * prior);
    heaviest[one.service] = std::max(heaviest[one.service], behind * prior);
  }
  std::reverse(placed.begin(), placed.end());
  for (size_t i = 0; i < suspects.size(); ++i) {
    const ChangeSuspect& suspect = suspects[i];
    placed.push_back({{true, i, suspect.score}, suspect.score});
    const auto found = strongest.find(suspect.service);
    if (found == strongest.end()) continue;
    Placed& change = placed.back();
    change.cause.score = std::max(suspect.score, found->second);
    change.weight = std::max(suspect.score, heaviest[suspect.service]);
  }
  std::stable_sort(placed.begin(), placed.end(), [](const Placed& a, const Placed& b) {
    if (a.weight != b.weight) return a.weight > b.weight;
    return a.cause.is_change && !b.cause.is_change;
  });
  std::vector<RankedCause> ranked;
  for (const Placed& one : placed) ranked.push_back(one.cause);
  return ranked;
}

std::vector<ChangeSuspect> rank_changes(WallTime onset, std::span<const slo::Change> changes,
                                        std::span<const ShareChange> shares) {
  const Others control = others(onset, changes, shares);
  const auto in_all = static_cast<size_t>(
      std::count_if(changes.begin(), changes.end(),
                    [onset](const slo::Change& change) { return in_window(onset, change); }));
  std::vector<ChangeSuspect> ranked;
  for (size_t i = 0; i < changes.size(); ++i) {
    if (!in_window(onset, changes[i])) continue;
    ChangeSuspect suspect;
    suspect.change = i;
    suspect.service = changes[i].service;
    suspect.seconds_before = (onset.ns - changes[i].at.ns) / kNsPerSecond;
    suspect.score = kChangePrior;
    const auto share = std::find_if(shares.begin(), shares.end(), [&](const ShareChange& one) {
      return one.service == suspect.service && counted(one);
    });
    if (share != shares.end()) measure(suspect, *share, control);
    suspect.text = sentence(suspect, changes[i]);
    suspect.wrong_if = doubts(suspect, in_all);
    ranked.push_back(std::move(suspect));
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const ChangeSuspect& a, const ChangeSuspect& b) {
                     if (a.score != b.score) return a.score > b.score;
                     return std::abs(a.seconds_before) < std::abs(b.seconds_before);
                   });
  return ranked;
}

}  // namespace nines::incident
