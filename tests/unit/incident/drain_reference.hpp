// Drain as it was published (He et al., ICWS 2017; LogPAI's implementation): what TemplateMiner is
// compared with. Slow and unbounded.
#pragma once

#include <map>
#include <memory>
#include <regex>
#include <string>
#include <vector>

namespace nines::incident::test {

class Drain {
 public:
  struct Settings {
    std::vector<std::string> masks;  // ECMAScript
    double similarity = 0.5;
    size_t depth = 4;
    size_t max_children = 100;
  };
  explicit Drain(Settings settings);
  size_t add(const std::string& message);
  // Groups of equal text are one, as in the published figures.
  std::string text(size_t group) const;

 private:
  using Words = std::vector<std::string>;
  struct Node {
    std::map<std::string, std::unique_ptr<Node>> children;
    std::vector<size_t> groups;
  };
  Node& leaf_for(const Words& words);
  Node* child_for(Node& node, const std::string& word);

  Settings settings_;
  std::vector<std::regex> masks_;
  std::map<size_t, Node> by_length_;
  std::vector<Words> templates_;
};

}  // namespace nines::incident::test
