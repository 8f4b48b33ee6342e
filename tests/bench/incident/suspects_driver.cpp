// Reads lines of a day in the order of time and says who is suspected when asked.
//   LINE <ns> <service> <level> <request> <span> <message>    (separated by tabs)
//   USE <ns> <service> <per cent of a core>
//   HOLD | LEARN                      what follows is not learned, or is again
//   ASK <ns> <name> <minutes>         prints name, then service and score of each suspect
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "nines/incident/request_flow.hpp"
#include "nines/incident/suspects.hpp"
#include "nines/incident/template_miner.hpp"
#include "nines/incident/usage.hpp"

using namespace nines;
using namespace nines::incident;

namespace {

constexpr double kLeastCpu = 5;  // points of per cent of a core
constexpr int64_t kMinuteNs = 60 * kNsPerSecond;

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  size_t from = 0;
  for (size_t tab = line.find('\t'); tab != std::string::npos; tab = line.find('\t', from)) {
    cells.push_back(line.substr(from, tab - from));
    from = tab + 1;
  }
  cells.push_back(line.substr(from));
  return cells;
}

class Day {
 public:
  bool take(const std::vector<std::string>& cells) {
    if (cells[0] == "HOLD" || cells[0] == "LEARN") {
      learn_ = cells[0] == "LEARN";
      return true;
    }
    if (cells.size() < 4) return false;
    const WallTime at{std::stoll(cells[1])};
    if (cells[0] == "ASK") {
      ask(at, cells[2], std::stoll(cells[3]));
    } else if (cells[0] == "USE") {
      usage_.try_emplace(id_of(cells[2]), kLeastCpu).first->second.add(at, std::stod(cells[3]));
    } else if (cells.size() == 7) {
      line(at, cells);
    } else {
      return false;
    }
    return true;
  }

  RequestFlow::Stats stats() const { return flow_.stats(); }
  TemplateMiner::Stats templates() const { return miner_.stats(); }

 private:
  ServiceId id_of(const std::string& name) {
    const auto [it, fresh] = ids_.emplace(name, static_cast<ServiceId>(names_.size()));
    if (fresh) names_.push_back(name);
    return it->second;
  }

  void line(WallTime at, const std::vector<std::string>& cells) {
    flow_.advance(at, learn_);
    const TemplateId found = miner_.add(cells[6]).id;
    for (const auto& merge : miner_.take_merges()) flow_.merge(merge.from, merge.to);
    flow_.add({at, cells[4], std::hash<std::string>()(cells[5]), id_of(cells[2]), found,
               cells[3] == "ERROR"});
  }

  void ask(WallTime at, const std::string& name, int64_t minutes) {
    flow_.advance(at, learn_);
    std::map<ServiceId, UsageFinding> used;
    const WallTime since{at.ns - (minutes + 1) * kMinuteNs};
    for (const auto& [service, usage] : usage_) {
      if (const auto finding = usage.finding(since, {since.ns - kMinuteNs}))
        used[service] = *finding;
    }
    std::cout << name;
    for (const Suspect& suspect : rank_suspects(flow_.findings(minutes), used)) {
      std::cout << '\t' << names_[suspect.service] << '\t' << suspect.score;
    }
    std::cout << '\n';
  }

  TemplateMiner miner_;
  RequestFlow flow_;
  std::map<ServiceId, Usage> usage_;
  std::map<std::string, ServiceId> ids_;
  std::vector<std::string> names_;
  bool learn_ = true;
};

}  // namespace

int main() {
  Day day;
  uint64_t number = 0;
  for (std::string line; std::getline(std::cin, line);) {
    ++number;
    if (day.take(cells_of(line))) continue;
    std::cerr << "line " << number << " cannot be read: " << line.substr(0, 100) << '\n';
    return 2;
  }
  std::cerr << day.stats().lines << " lines, " << day.stats().requests << " requests, "
            << day.templates().templates << " templates, "
            << (day.stats().memory_bytes + day.templates().memory_bytes) / 1024 << " KiB\n";
  return 0;
}
