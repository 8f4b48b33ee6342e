#include "drain_reference.hpp"

#include <algorithm>
#include <optional>
#include <sstream>

namespace nines::incident::test {
namespace {

const std::string kHole = "<*>";

bool has_digit(const std::string& word) {
  return std::any_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

Drain::Drain(Settings settings) : settings_(std::move(settings)) {
  for (const std::string& mask : settings_.masks) masks_.emplace_back(mask);
}

// A node takes new words while it has room; the others, and those with digits, share its hole.
Drain::Node* Drain::child_for(Node& node, const std::string& word) {
  const auto get = [&](const std::string& key) {
    auto& child = node.children[key];
    if (!child) child = std::make_unique<Node>();
    return child.get();
  };
  if (const auto it = node.children.find(word); it != node.children.end()) return it->second.get();
  const bool has_hole = node.children.count(kHole) != 0;
  if (has_digit(word)) return get(kHole);
  if (has_hole) return get(node.children.size() < settings_.max_children ? word : kHole);
  return get(node.children.size() + 1 < settings_.max_children ? word : kHole);
}

Drain::Node& Drain::leaf_for(const Words& words) {
  Node* node = &by_length_[words.size()];
  for (size_t i = 0; i + 3 < settings_.depth && i < words.size(); ++i) {
    node = child_for(*node, words[i]);
  }
  return *node;
}

size_t Drain::add(const std::string& message) {
  std::string masked = message;
  for (const std::regex& mask : masks_) masked = std::regex_replace(masked, mask, kHole);
  std::istringstream in(masked);
  Words words;
  for (std::string word; in >> word;) words.push_back(word);

  Node& leaf = leaf_for(words);
  std::optional<size_t> best;
  double most = -1;
  size_t most_holes = 0;
  for (const size_t group : leaf.groups) {
    const Words& known = templates_[group];
    size_t same = 0, holes = 0;
    for (size_t i = 0; i < words.size(); ++i) {
      holes += known[i] == kHole ? 1 : 0;
      same += known[i] != kHole && known[i] == words[i] ? 1 : 0;
    }
    const double similarity =
        words.empty() ? 1 : static_cast<double>(same) / static_cast<double>(words.size());
    if (similarity < most || (similarity == most && holes <= most_holes)) continue;
    most = similarity;
    most_holes = holes;
    best = group;
  }
  if (!best || most < settings_.similarity) {
    // Shorter than the tree is deep: it is not found again.
    if (words.size() + 2 >= settings_.depth) leaf.groups.push_back(templates_.size());
    templates_.push_back(words);
    return templates_.size() - 1;
  }
  Words& known = templates_[*best];
  for (size_t i = 0; i < words.size(); ++i) {
    if (known[i] != words[i]) known[i] = kHole;
  }
  return *best;
}

std::string Drain::text(size_t group) const {
  std::string text;
  for (const std::string& word : templates_[group]) text += word + " ";
  return text;
}

}  // namespace nines::incident::test
