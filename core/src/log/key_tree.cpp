#include "log/key_tree.hpp"

#include <algorithm>

namespace nines::log {
namespace {

constexpr std::string_view kTime[] = {"ts",       "time", "timestamp", "@timestamp", "t",
                                      "datetime", "date", "eventTime", "asctime",    "t.$date"};
constexpr std::string_view kLevel[] = {"level",     "severity", "lvl",      "levelname",
                                       "log.level", "loglevel", "log_level"};
constexpr std::string_view kMessage[] = {"message", "msg", "log", "event", "short_message", "text"};
constexpr std::string_view kRequestId[] = {"request_id",     "requestId",   "req_id",
                                           "reqId",          "trace_id",    "traceId",
                                           "correlation_id", "x_request_id"};
constexpr std::string_view kService[] = {"service", "service_name", "app", "application",
                                         "service.name"};
// "a.b.c" may be a, b, c nested, but also "a.b" with c within, and so on: 2^dots ways. All are
// looked for in names of a few dots; beyond so many only the fully nested one and its tails are.
constexpr int kMaxMixedSplits = 64;

}  // namespace

std::span<const std::string_view> aliases_of(std::string_view field) noexcept {
  if (field == "ts") return kTime;
  if (field == "level") return kLevel;
  if (field == "message") return kMessage;
  if (field == "request_id") return kRequestId;
  if (field == "service") return kService;
  return {};
}

GroupKind group_kind(std::string_view field) noexcept {
  if (field == "ts") return GroupKind::time;
  if (field == "level") return GroupKind::level;
  if (field == "raw") return GroupKind::raw;
  return aliases_of(field).empty() ? GroupKind::plain : GroupKind::text;
}

KeyTree::KeyTree(std::span<const std::string> wanted, bool nested, bool with_time)
    : nodes_(1), nested_(nested) {
  bool has_time = false;
  for (size_t i = 0; i < wanted.size(); ++i) {
    const auto same =
        std::find(wanted.begin(), wanted.begin() + static_cast<ptrdiff_t>(i), wanted[i]);
    const auto earlier = static_cast<size_t>(same - wanted.begin());
    group_of_.push_back(earlier < i ? group_of_[earlier] : kinds_.size());
    if (earlier < i) continue;
    if (wanted[i] == "ts") {
      has_time = true;
      time_group_ = kinds_.size();
    }
    add_group(wanted[i]);
  }
  if (!has_time && with_time) {
    time_group_ = kinds_.size();
    add_group("ts");
  }
  seal();
}

void KeyTree::add_group(const std::string& name) {
  const auto group = static_cast<uint16_t>(kinds_.size());
  kinds_.push_back(group_kind(name));
  names_.push_back(name);
  if (kinds_.back() == GroupKind::raw) return;
  int budget = kMaxMixedSplits;
  const auto aliases = aliases_of(name);
  if (aliases.empty()) add(0, name, {group, 0}, budget);
  for (size_t rank = 0; rank < aliases.size(); ++rank) {
    add(0, aliases[rank], {group, static_cast<uint8_t>(rank)}, budget);
  }
}

size_t KeyTree::key_index(int node, std::string_view name) {
  auto& keys = nodes_[static_cast<size_t>(node)].keys_;
  for (size_t i = 0; i < keys.size(); ++i) {
    if (keys[i].name == name) return i;
  }
  keys.push_back({std::string(name), {}, -1});
  return keys.size() - 1;
}

void KeyTree::add(int node, std::string_view name, Target target, int& budget) {
  const size_t literal = key_index(node, name);
  nodes_[static_cast<size_t>(node)].keys_[literal].targets.push_back(target);
  if (!nested_) return;
  const size_t first = name.find('.');
  for (size_t dot = first; dot != std::string_view::npos; dot = name.find('.', dot + 1)) {
    if (dot != first && --budget < 0) return;
    const size_t parent = key_index(node, name.substr(0, dot));
    int child = nodes_[static_cast<size_t>(node)].keys_[parent].child;
    if (child < 0) {
      child = static_cast<int>(nodes_.size());
      nodes_.emplace_back();
      nodes_[static_cast<size_t>(node)].keys_[parent].child = child;
    }
    add(child, name.substr(dot + 1), target, budget);
  }
}

void KeyTree::seal() {
  for (Node& node : nodes_) {
    std::stable_sort(node.keys_.begin(), node.keys_.end(), [](const Key& a, const Key& b) {
      return Node::hash(a.name) < Node::hash(b.name);
    });
    for (const Key& key : node.keys_) ++node.start_[Node::hash(key.name) + 1];
    for (unsigned h = 0; h < Node::kBuckets; ++h) {
      node.start_[h + 1] = static_cast<uint16_t>(node.start_[h + 1] + node.start_[h]);
    }
  }
}

}  // namespace nines::log
