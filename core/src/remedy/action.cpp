#include "nines/remedy/action.hpp"

#include <array>
#include <cctype>
#include <tuple>
#include <vector>

#include "nines/base/utf.hpp"

namespace nines::remedy {
namespace {

constexpr std::array<std::string_view, kVerbs> kNames{
    "nothing",   "other",      "evict-pod", "delete-pod", "rollout-restart", "rollout-undo",
    "scale-up",  "scale-down", "cordon",    "uncordon",   "unit-restart",    "unit-start",
    "unit-stop", "program",    "webhook",   "lambda"};

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> out;
  bool inside = false, counts = true;
  for (const char c : text) {
    const bool letter = std::isalpha(static_cast<unsigned char>(c)) != 0;
    const bool part = letter || c == '-' || c == '_' || std::isdigit(static_cast<unsigned char>(c));
    if (!part) {
      inside = false;
      continue;
    }
    if (!inside) {
      out.emplace_back();
      counts = true;
      inside = true;
    }
    // A word with a digit is a name.
    if (!letter && c != '-' && c != '_') {
      counts = false;
      out.back().clear();
    }
    if (counts) out.back() += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  std::erase_if(out, [](const std::string& word) { return word.empty(); });
  return out;
}

struct Words {
  Verb verb;
  std::vector<std::string_view> all;  // beginnings of words, all of which must be there
};

// The first that fits.
const std::vector<Words>& phrases() {
  static const std::vector<Words> kPhrases{
      {Verb::nothing, {"did", "nothing"}},
      {Verb::nothing, {"recovered", "itself"}},
      {Verb::rollout_undo, {"rollout", "undo"}},
      {Verb::rollout_undo, {"rollback"}},
      {Verb::rollout_undo, {"roll", "back"}},
      {Verb::rollout_undo, {"revert"}},
      {Verb::rollout_restart, {"rollout", "restart"}},
      {Verb::rollout_restart, {"restart", "deployment"}},
      {Verb::unit_restart, {"systemctl", "restart"}},
      {Verb::unit_start, {"systemctl", "start"}},
      {Verb::unit_stop, {"systemctl", "stop"}},
      {Verb::uncordon, {"uncordon"}},
      {Verb::cordon, {"cordon"}},
      {Verb::evict_pod, {"evict"}},
      {Verb::evict_pod, {"drain"}},
      {Verb::delete_pod, {"delete", "pod"}},
      {Verb::delete_pod, {"kill", "pod"}},
      {Verb::delete_pod, {"restart", "pod"}},
      {Verb::scale_down, {"scale", "down"}},
      {Verb::scale_down, {"scale", "in"}},
      {Verb::scale_up, {"scale"}},
      {Verb::unit_restart, {"restart"}},
  };
  return kPhrases;
}

bool fits(const Words& phrase, const std::vector<std::string>& words) {
  for (const std::string_view wanted : phrase.all) {
    bool found = false;
    for (const std::string& word : words) found = found || word.starts_with(wanted);
    if (!found) return false;
  }
  return true;
}

}  // namespace

std::string_view verb_name(Verb verb) noexcept {
  const auto at = static_cast<size_t>(verb);
  return at < kVerbs ? kNames[at] : "other";
}

std::optional<Verb> verb_of(std::string_view name) noexcept {
  for (size_t i = 0; i < kVerbs; ++i) {
    if (kNames[i] == name) return static_cast<Verb>(i);
  }
  return std::nullopt;
}

std::optional<Verb> inverse_of(Verb verb) noexcept {
  switch (verb) {
    case Verb::scale_up: return Verb::scale_down;
    case Verb::scale_down: return Verb::scale_up;
    case Verb::cordon: return Verb::uncordon;
    case Verb::uncordon: return Verb::cordon;
    case Verb::unit_start: return Verb::unit_stop;
    case Verb::unit_stop: return Verb::unit_start;
    default: return std::nullopt;
  }
}

bool opposes(Verb a, Verb b) noexcept {
  if (inverse_of(a) == b) return true;
  const auto between = [](Verb x, Verb y) {
    return x == Verb::rollout_undo && (y == Verb::rollout_restart || y == Verb::unit_restart);
  };
  return between(a, b) || between(b, a);
}

Reach reach_of(Verb verb) noexcept {
  if (inverse_of(verb)) return Reach::reversible;
  switch (verb) {
    case Verb::evict_pod:
    case Verb::delete_pod:
    case Verb::rollout_restart:
    case Verb::unit_restart: return Reach::restorative;
    default: return Reach::irreversible;
  }
}

Scope scope_of(Verb verb) noexcept {
  switch (verb) {
    case Verb::evict_pod:
    case Verb::delete_pod: return Scope::pod;
    case Verb::unit_restart:
    case Verb::unit_start:
    case Verb::unit_stop:
    case Verb::program: return Scope::unit;
    case Verb::rollout_restart:
    case Verb::rollout_undo:
    case Verb::scale_up:
    case Verb::scale_down: return Scope::workload;
    case Verb::cordon:
    case Verb::uncordon: return Scope::node;
    default: return Scope::outside;
  }
}

std::string Action::key() const {
  std::string out(verb_name(verb));
  if (!parameter.empty()) out += ' ' + parameter;
  return out;
}

std::optional<Action> Action::of_key(std::string_view key) {
  const size_t blank = key.find(' ');
  const auto verb = verb_of(key.substr(0, blank));
  if (!verb) return std::nullopt;
  Action out{*verb, {}};
  if (blank != std::string_view::npos) out.parameter = key.substr(blank + 1);
  if (out.parameter.size() > kMaxParameter) return std::nullopt;
  return out;
}

Action action_of_text(std::string_view text) {
  const std::vector<std::string> words = words_of(text);
  for (const Words& phrase : phrases()) {
    if (fits(phrase, words)) return {phrase.verb, {}};
  }
  std::string rest;
  for (const std::string& word : words) rest += (rest.empty() ? "" : " ") + word;
  return {Verb::other, std::string(cut_utf8(rest, kMaxParameter))};
}

}  // namespace nines::remedy
