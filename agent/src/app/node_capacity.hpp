// NodeCapacity: reads the node's vitals once a minute, whether or not a source asks for them, keeps
// their daily maxima over restarts, and says how long CPU, memory and disks last.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "nines/base/result.hpp"
#include "nines/base/time.hpp"
#include "nines/collector/metrics_inputs.hpp"
#include "nines/slo/capacity.hpp"
#include "nines/store/state_store.hpp"

namespace nines::agent {

class NodeCapacity {
 public:
  static constexpr const char* kDocuments = "capacity";
  static constexpr int64_t kEveryS = 60;

  // `clock` must outlive it. proc and sys of `options` can be pointed elsewhere (tests).
  static Result<std::unique_ptr<NodeCapacity>> create(collector::VitalsOptions options,
                                                      const Clock& clock);
  ~NodeCapacity();

  void restore(const std::vector<store::Document>& documents);
  // Is told of every share that a sample tells ("disk_root", "memory"...), of what the node waits
  // for ("psi_io_some_avg60", per cent), its temperature, and of "undervoltage" as 0 or 1.
  using OnVital = std::function<void(std::string_view vital, double value, WallTime at)>;
  void tell(OnVital told);
  // Takes a sample when one is due. Reads a dozen small files of /proc and /sys.
  void sample();
  // What has changed since the last call.
  std::vector<store::Document> take_changes() { return documents_of(capacity_.take_changes()); }
  std::vector<slo::CapacityForecast> forecasts() const { return capacity_.forecasts(); }

 private:
  class Consumer;
  NodeCapacity();
  static std::vector<store::Document> documents_of(std::vector<slo::Capacity::Kept> kept);

  slo::Capacity capacity_;
  std::unique_ptr<Consumer> consumer_;
  std::unique_ptr<collector::VitalsInput> input_;  // hands lines to consumer_
};

}  // namespace nines::agent
