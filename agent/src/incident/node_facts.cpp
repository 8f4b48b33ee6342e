#include "incident/node_facts.hpp"

#include <cstdio>
#include <utility>

#include "incident/watcher.hpp"
#include "nines/log/kmsg.hpp"

namespace nines::agent::incident {
namespace {

using nines::incident::Happening;
using nines::incident::HappeningKind;

constexpr int64_t kMostS = 1'800;  // of half an hour
constexpr size_t kMostVictim = 64;
constexpr int64_t kStaleNs = 300 * kNsPerSecond;

std::string text_of(const char* format, double value) {
  char text[48];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

// What a vital is called and how its value is told.
std::string value_of(std::string_view name, double value) {
  if (name == "undervoltage") return value != 0 ? "yes" : "no";
  if (name == "temperature_celsius") return text_of("%.1f C", value);
  if (name.starts_with("psi_")) return text_of("%.1f %% of the time", value);
  return text_of("%.1f %%", 100 * value);
}

std::string title_of(std::string_view name) {
  if (name == "cpu") return "CPU busy";
  if (name == "memory") return "memory used";
  if (name == "swap") return "swap used";
  if (name == "temperature_celsius") return "temperature";
  if (name == "undervoltage") return "under-voltage";
  if (name.starts_with("disk_")) return "disk " + std::string(name.substr(5)) + " used";
  if (name.starts_with("psi_")) {
    return "waited for " + std::string(name.substr(4, name.find('_', 4) - 4)) + " (PSI)";
  }
  return std::string(name);
}

// "the kernel killed java for want of memory"; empty: it is something else.
std::string kill_of(const Happening& one) {
  std::string_view message = one.text;
  if (one.kind != HappeningKind::kernel || !message.starts_with(kKernelSays)) return {};
  message.remove_prefix(kKernelSays.size());
  const log::KmsgEvent event = log::classify_kmsg(message);
  if (!event.name.starts_with("oom_")) return {};
  const std::string victim(event.victim.substr(0, kMostVictim));
  return "the kernel killed " + (victim.empty() ? "a process" : victim) + " for want of memory";
}

}  // namespace

void NodeFacts::restore(const std::vector<store::Document>& documents) {
  for (const store::Document& document : documents) {
    auto read = nines::incident::decode_happening(document.key, document.body);
    if (read) {
      happenings_.restore(std::move(*read));
    } else {
      given_back_.push_back({kDocuments, document.key, {}});
    }
  }
}

void NodeFacts::happened(Happening happening) {
  const std::string key = happening.key;
  std::erase_if(waiting_, [&](const Waiting& one) { return one.restart.key == key; });
  if (!happenings_.add(std::move(happening))) return;
  const Happening* const kept = happenings_.find(key);
  if (kept != nullptr && told_) told_(*kept);
}

void NodeFacts::vital(std::string_view name, double value, WallTime at) {
  metrics_.add_vital(name, at, value);
  if (auto one = vitals_.vital(name, value, at)) happened(std::move(*one));
}

void NodeFacts::observed(const Observed& observed, WallTime now) {
  for (const Happening& one : observed.happenings) {
    if (one.kind == HappeningKind::restart) {
      restarted(one, now);
    } else {
      happened(one);
    }
  }
  for (const GaugePoint& one : observed.gauges) {
    metrics_.add(one.name, one.service, one.at, one.value);
  }
}

// By a log, which knows less of it than the API.
void NodeFacts::restarted(const Happening& restart, WallTime now) {
  if (happenings_.find(restart.key) != nullptr) return;
  if (!api_tells_) return happened(restart);
  if (waiting_.size() >= kMostWaiting) tell_first_waiting();
  waiting_.push_back({restart, {now.ns + kApiNs}});
}

void NodeFacts::tell_first_waiting() {
  Happening first = std::move(waiting_.front().restart);
  waiting_.pop_front();
  happened(std::move(first));
}

void NodeFacts::look(WallTime now) {
  while (!waiting_.empty() && waiting_.front().until <= now) tell_first_waiting();
}

NodeFacts::Trouble NodeFacts::trouble(WallTime since) const {
  Trouble out;
  const auto all =
      happenings_.around(since, since, {INT64_MAX}, nines::incident::Happenings::kMost);
  for (auto one = all.rbegin(); one != all.rend(); ++one) {
    const bool restart = one->kind == HappeningKind::restart;
    const std::string what = restart ? one->text : kill_of(*one);
    auto& list = restart ? out.restarts : out.kills;
    if (what.empty() || list.size() >= kMostTold) continue;
    list.push_back(format_rfc3339(WallTime::from_s(one->at.seconds())) + " " + what);
  }
  return out;
}

std::vector<std::string> NodeFacts::vitals(WallTime now) const {
  std::vector<std::string> out;
  for (const auto& one : metrics_.vitals(now, kMostS)) {
    std::string line = title_of(one.name) + ": " + value_of(one.name, one.value);
    if (one.most > one.value)
      line += " (most in half an hour: " + value_of(one.name, one.most) + ")";
    if (now.ns - one.at.ns > kStaleNs) line += " (as of " + format_rfc3339(one.at) + ")";
    out.push_back(std::move(line));
  }
  return out;
}

std::vector<store::Document> NodeFacts::take_changes() {
  std::vector<store::Document> out = std::exchange(given_back_, {});
  for (const std::string& key : happenings_.take_changes()) {
    const Happening* const kept = happenings_.find(key);
    out.push_back(
        {kDocuments, key, kept == nullptr ? "" : nines::incident::encode_happening(*kept)});
  }
  return out;
}

// What has changed since comes behind them.
void NodeFacts::give_back(const std::vector<store::Document>& documents) {
  given_back_.insert(given_back_.end(), documents.begin(), documents.end());
}

NodeFacts::Stats NodeFacts::stats() const noexcept {
  return {happenings_.size(), metrics_.size(), happenings_.let_go(), metrics_.let_go()};
}

}  // namespace nines::agent::incident
