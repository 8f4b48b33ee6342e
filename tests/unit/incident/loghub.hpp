// The labelled samples of LogHub (2,000 lines each), where they are.
#pragma once

#include <string>
#include <vector>

namespace nines::incident::test {

struct LabelledLine {
  std::string content, event;
};
// Empty: the data is not there.
std::vector<LabelledLine> loghub(const std::string& set);

// Share of lines whose group has just the lines that it has by the labels (Zhu et al., ICSE-SEIP
// 2019), and F1 of groups.
struct Accuracy {
  double grouping = 0, f1 = 0;
  size_t groups = 0, events = 0;
};
Accuracy accuracy_of(const std::vector<LabelledLine>& lines, const std::vector<uint64_t>& groups);

}  // namespace nines::incident::test
