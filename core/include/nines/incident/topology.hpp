// Topology: which service calls which, learned from requests that pass through both. Counts decay,
// so that a call that is no longer made is forgotten. Bounded: the rarest makes room. Not
// thread-safe.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/result.hpp"

namespace nines::incident {

struct TopologyLimits {
  size_t max_edges = 4096;
  double least = 3;  // calls (decayed) that make an edge; fewer may be chance
  int hops = 3;      // how far trouble is followed
};

class Topology {
 public:
  explicit Topology(TopologyLimits limits = {}) : limits_(limits) {}

  void add_edge(std::string_view caller, std::string_view callee, double calls = 1);
  // Once per period: 0.5 for a half-life. Edges below a tenth of a call go.
  void decay(double factor);

  double calls(std::string_view caller, std::string_view callee) const noexcept;
  // `caller` calls `callee`, itself or through others, within `hops`.
  bool depends(std::string_view caller, std::string_view callee) const;
  bool connected(std::string_view a, std::string_view b) const {
    return depends(a, b) || depends(b, a);
  }
  // All that `service` depends on, the nearest first; without itself.
  std::vector<std::string> callees(std::string_view service) const;

  // "caller\tcallee\tcount\n"..., for the store. merge_saved() takes the higher count of each edge.
  std::string save() const;
  Status merge_saved(std::string_view saved);  // corrupt: nothing was taken

  struct Stats {
    size_t edges = 0;
    uint64_t forgotten = 0;  // for want of room
  };
  Stats stats() const noexcept { return {edges_, forgotten_}; }

 private:
  void make_room();

  TopologyLimits limits_;
  std::map<std::string, std::map<std::string, double, std::less<>>, std::less<>> calls_;
  size_t edges_ = 0;
  uint64_t forgotten_ = 0;
};

}  // namespace nines::incident
