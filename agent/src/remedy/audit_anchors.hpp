// AuditAnchors: heads of the audit logs of all nodes, as they told them and this node has kept
// them. Who alters his log, or cuts it back, would have to alter the memory of all others, too: a
// log is held against what others have heard of it (own()), and a node against what it said before
// (faults()). A head is told once its record is on the disk, so that a crash takes nothing back.
//
// Bounded: kMostNodes; of each the kKept newest and the highest. Beyond, what is heard is counted.
// Control thread; no I/O, no clock.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/time.hpp"
#include "nines/remedy/audit.hpp"
#include "nines/store/state_store.hpp"

namespace nines::agent::remedy {

struct Anchor {
  uint64_t boot = 0;  // life in which it was told
  nines::remedy::AuditHead head;
  friend bool operator==(const Anchor&, const Anchor&) = default;
};
// As it is told: boot and number are those of the fleet event.
std::string encode_anchor(const nines::remedy::AuditHead& head);
std::optional<nines::remedy::AuditHead> decode_anchor(std::string_view bytes);

class AuditAnchors {
 public:
  static constexpr const char* kDocuments = "remedy-anchor";
  static constexpr size_t kMostNodes = 64, kKept = 8, kMostFaults = 4;

  // A node whose log is not what it was.
  struct Fault {
    std::string node;
    uint64_t number = 0;  // first record that is another one, or is missing
    std::string why;
    WallTime at{};  // when this node found out
  };

  void restore(const std::vector<store::Document>& documents);
  // What `node` told; `found` is set when it contradicts what it said before. The document to be
  // kept; nullopt: it was known, or there is no room.
  std::optional<store::Document> heard(const std::string& node, const Anchor& anchor, WallTime now,
                                       std::optional<Fault>& found);
  // In the order of lives and numbers.
  std::vector<Anchor> of(const std::string& node) const;
  std::vector<std::string> nodes() const;
  std::vector<Fault> faults() const;  // sticky: kept until the state of this node is gone
  uint64_t refused() const noexcept { return refused_; }

 private:
  struct Known {
    std::vector<Anchor> anchors;
    std::vector<Fault> faults;
  };
  static store::Document document_of(const std::string& node, const Known& known);
  std::map<std::string, Known> known_;
  uint64_t refused_ = 0;
};

}  // namespace nines::agent::remedy
