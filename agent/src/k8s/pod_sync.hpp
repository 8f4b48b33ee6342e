// PodSync: follows the pods of a node into a PodTable, by the protocol of ListWatch. Who else wants
// to hear of them is told, pod by pod, with what the table does not keep (status, images).
#pragma once

#include <string>

#include "k8s/list_watch.hpp"
#include "k8s/pod_table.hpp"

namespace nines::agent::k8s {

class PodListener {
 public:
  virtual ~PodListener() = default;
  virtual void list_began() = 0;
  virtual void pod(const RawPod& pod, bool deleted) = 0;
  virtual void list_ended() = 0;  // those not told since list_began() are gone
};

class PodResource : public Resource {
 public:
  // Both must outlive it; `listener` may be null.
  PodResource(std::string node, PodTable& table, PodListener* listener)
      : node_(std::move(node)), table_(table), listener_(listener) {}
  std::string target() const override;
  std::string name() const override { return "pods"; }
  void begin_list() override;
  void end_list() override;
  Taken take(const ApiObject& object, bool deleted) override;

 private:
  std::string node_;
  PodTable& table_;
  PodListener* listener_;
};

class PodSync : private PodResource, public ListWatch {
 public:
  PodSync(const SyncOptions& options, PodTable& table, uint64_t seed,
          PodListener* listener = nullptr)
      : PodResource(options.node, table, listener), ListWatch(options, *this, seed) {}
};

}  // namespace nines::agent::k8s
