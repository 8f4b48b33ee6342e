#include "nines/incident/topology.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <tuple>

namespace nines::incident {
namespace {

constexpr double kGone = 0.1;
constexpr size_t kMaxName = 253;
constexpr double kMost = 1e12;

struct Edge {
  std::string_view caller, callee;
  double calls = 0;
};

std::string_view take_field(std::string_view& line) {
  const std::string_view field = line.substr(0, line.find('\t'));
  line.remove_prefix(std::min(field.size() + 1, line.size()));
  return field;
}

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxName && name.find_first_of("\t\n") == name.npos;
}

bool read_edge(std::string_view line, Edge& edge) {
  edge.caller = take_field(line);
  edge.callee = take_field(line);
  const char* end = line.data() + line.size();
  const auto [at, error] = std::from_chars(line.data(), end, edge.calls);
  return is_name(edge.caller) && is_name(edge.callee) && error == std::errc{} && at == end &&
         std::isfinite(edge.calls) && edge.calls > 0 && edge.calls <= kMost;
}

}  // namespace

void Topology::add_edge(std::string_view caller, std::string_view callee, double calls) {
  if (!is_name(caller) || !is_name(callee) || caller == callee || !(calls > 0)) return;
  auto from = calls_.find(caller);
  if (from == calls_.end()) from = calls_.try_emplace(std::string(caller)).first;
  auto to = from->second.find(callee);
  if (to == from->second.end()) {
    to = from->second.emplace(std::string(callee), 0).first;
    ++edges_;
  }
  to->second = std::min(to->second + calls, kMost);
  if (edges_ > limits_.max_edges) make_room();
}

// The rarest sixteenth at once, so that it is rarely done.
void Topology::make_room() {
  std::vector<std::tuple<double, std::string, std::string>> all;
  for (const auto& [caller, callees] : calls_) {
    for (const auto& [callee, calls] : callees) all.emplace_back(calls, caller, callee);
  }
  const size_t gone = std::max<size_t>(all.size() - limits_.max_edges, all.size() / 16);
  const auto cut = all.begin() + static_cast<std::ptrdiff_t>(std::min(gone, all.size()));
  std::partial_sort(all.begin(), cut, all.end());
  for (auto at = all.begin(); at != cut; ++at) {
    const auto from = calls_.find(std::get<1>(*at));
    from->second.erase(std::get<2>(*at));
    if (from->second.empty()) calls_.erase(from);
    --edges_;
    ++forgotten_;
  }
}

void Topology::decay(double factor) {
  for (auto from = calls_.begin(); from != calls_.end();) {
    for (auto& [callee, calls] : from->second) calls *= factor;
    edges_ -= std::erase_if(from->second, [](const auto& edge) { return edge.second < kGone; });
    from = from->second.empty() ? calls_.erase(from) : std::next(from);
  }
}

double Topology::calls(std::string_view caller, std::string_view callee) const noexcept {
  const auto from = calls_.find(caller);
  if (from == calls_.end()) return 0;
  const auto to = from->second.find(callee);
  return to == from->second.end() ? 0 : to->second;
}

std::vector<std::string> Topology::callees(std::string_view service) const {
  std::vector<std::string> out;
  std::set<std::string, std::less<>> seen{std::string(service)};
  std::vector<std::string> reached{std::string(service)};
  for (int hop = 0; hop < limits_.hops && !reached.empty(); ++hop) {
    std::vector<std::string> next;
    for (const std::string& caller : reached) {
      const auto from = calls_.find(caller);
      if (from == calls_.end()) continue;
      for (const auto& [callee, calls] : from->second) {
        if (calls >= limits_.least && seen.insert(callee).second) next.push_back(callee);
      }
    }
    out.insert(out.end(), next.begin(), next.end());
    reached = std::move(next);
  }
  return out;
}

bool Topology::depends(std::string_view caller, std::string_view callee) const {
  if (caller.empty() || callee.empty() || caller == callee) return false;
  const auto reached = callees(caller);
  return std::find(reached.begin(), reached.end(), callee) != reached.end();
}

std::string Topology::save() const {
  std::string out;
  char number[32];
  for (const auto& [caller, callees] : calls_) {
    for (const auto& [callee, calls] : callees) {
      const auto end = std::to_chars(number, number + sizeof number, calls).ptr;
      out += caller + "\t" + callee + "\t";
      out.append(number, end);
      out += '\n';
    }
  }
  return out;
}

Status Topology::merge_saved(std::string_view saved) {
  std::vector<Edge> edges;
  while (!saved.empty()) {
    const std::string_view line = saved.substr(0, saved.find('\n'));
    saved.remove_prefix(std::min(line.size() + 1, saved.size()));
    Edge edge;
    if (!read_edge(line, edge)) {
      return Error{
          Errc::corrupt,
          "a line of the saved topology is no edge: '" + std::string(line.substr(0, 80)) + "'", 0};
    }
    edges.push_back(edge);
  }
  for (const Edge& edge : edges) {
    const double known = calls(edge.caller, edge.callee);
    if (edge.calls > known) add_edge(edge.caller, edge.callee, edge.calls - known);
  }
  return Ok{};
}

}  // namespace nines::incident
