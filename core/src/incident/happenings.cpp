#include "nines/incident/happenings.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>

namespace nines::incident {
namespace {

constexpr char kBetween = '\x1f';

template <class Number>
std::optional<Number> number(std::string_view text) noexcept {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Within UTF-8: a cut never leaves half a character.
void cut(std::string& text, size_t most) {
  if (text.size() > most) {
    size_t end = most;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
    text.resize(end);
  }
  for (char& c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) c = ' ';
  }
}

}  // namespace

std::string_view happening_kind_name(HappeningKind kind) noexcept {
  switch (kind) {
    case HappeningKind::kubernetes: return "kubernetes";
    case HappeningKind::kernel: return "kernel";
    case HappeningKind::vital: return "vital";
    case HappeningKind::restart: return "restart";
    case HappeningKind::pod: return "pod";
    case HappeningKind::rollout: return "rollout";
  }
  return "kubernetes";
}

bool Happenings::add(Happening happening) {
  cut(happening.text, kMaxText);
  cut(happening.service, kMaxName);
  cut(happening.pod, kMaxName);
  cut(happening.key, kMaxKey);
  return !happening.key.empty() && put(std::move(happening));
}

bool Happenings::put(Happening&& happening) {
  const auto known = by_key_.find(happening.key);
  if (known != by_key_.end()) {
    Happening& before = known->second;
    if (happening.service.empty()) happening.service = before.service;
    const bool news = happening.at != before.at || happening.text != before.text;
    if (before == happening) return false;
    changed_.insert(happening.key);
    before = std::move(happening);
    return news;
  }
  if (by_key_.size() >= kMost) {
    const auto oldest =
        std::min_element(by_key_.begin(), by_key_.end(),
                         [](const auto& a, const auto& b) { return a.second.at < b.second.at; });
    ++let_go_;
    if (happening.at <= oldest->second.at) return false;  // it would be the first to go
    changed_.insert(oldest->first);
    by_key_.erase(oldest);
  }
  std::string key = happening.key;
  changed_.insert(key);
  by_key_.emplace(std::move(key), std::move(happening));
  return true;
}

void Happenings::restore(Happening happening) {
  const std::string key = happening.key;
  if (add(std::move(happening))) changed_.erase(key);
}

std::vector<std::string> Happenings::take_changes() {
  std::vector<std::string> out(changed_.begin(), changed_.end());
  changed_.clear();
  return out;
}

const Happening* Happenings::find(std::string_view key) const noexcept {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : &found->second;
}

// Control characters became blanks, so that one of them can stand between the parts.
std::string encode_happening(const Happening& happening) {
  std::string out = std::to_string(happening.at.ns);
  out += kBetween + std::to_string(static_cast<int>(happening.kind));
  out += kBetween + std::string(happening.wrong ? "1" : "0");
  for (const std::string* part : {&happening.service, &happening.pod, &happening.text}) {
    out += kBetween + *part;
  }
  return out;
}

std::optional<Happening> decode_happening(std::string key, std::string_view bytes) {
  std::vector<std::string_view> parts;
  for (size_t from = 0; from <= bytes.size();) {
    const size_t end = std::min(bytes.find(kBetween, from), bytes.size());
    parts.push_back(bytes.substr(from, end - from));
    from = end + 1;
  }
  if (parts.size() != 6) return std::nullopt;
  const auto at = number<int64_t>(parts[0]);
  const auto kind = number<uint8_t>(parts[1]);
  if (!at || !kind || *kind > static_cast<uint8_t>(HappeningKind::rollout)) return std::nullopt;
  Happening out;
  out.at = {*at};
  out.kind = static_cast<HappeningKind>(*kind);
  out.wrong = parts[2] == "1";
  out.service = parts[3];
  out.pod = parts[4];
  out.text = parts[5];
  out.key = std::move(key);
  return out;
}

std::vector<Happening> Happenings::around(WallTime onset, WallTime from, WallTime to,
                                          size_t limit) const {
  std::vector<const Happening*> found;
  for (const auto& [key, happening] : by_key_) {
    if (happening.at >= from && happening.at <= to) found.push_back(&happening);
  }
  const auto distance = [&](const Happening* one) { return std::abs(one->at.ns - onset.ns); };
  std::stable_sort(found.begin(), found.end(), [&](const Happening* a, const Happening* b) {
    return a->wrong != b->wrong ? a->wrong : distance(a) < distance(b);
  });
  if (found.size() > limit) found.resize(limit);
  std::stable_sort(found.begin(), found.end(),
                   [](const Happening* a, const Happening* b) { return a->at < b->at; });
  std::vector<Happening> out;
  out.reserve(found.size());
  for (const Happening* one : found) out.push_back(*one);
  return out;
}

}  // namespace nines::incident
