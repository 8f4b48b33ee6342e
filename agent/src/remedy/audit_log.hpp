// AuditLog: the audit records of this node as documents of the store, and the head of their chain.
// The newest kMaxRecords are kept; the chain goes on over those that were let go, whose last hash
// is kept with the head.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "nines/remedy/audit.hpp"
#include "nines/store/state_store.hpp"

namespace nines::agent::remedy {

class AuditLog {
 public:
  static constexpr const char* kDocuments = "remedy-audit";
  static constexpr size_t kMaxRecords = 4096;

  // What does not fit together is kept as it is, and told by fault().
  void restore(const std::vector<store::Document>& documents);
  // The documents belong into the transaction of what the record is about.
  std::vector<store::Document> append(std::string body);

  const std::deque<nines::remedy::AuditRecord>& records() const noexcept { return records_; }
  const nines::remedy::AuditHead& head() const noexcept { return head_; }
  // The first record that was altered, or is missing. `seen`: heads that other nodes have heard.
  std::optional<nines::remedy::AuditFault> fault(
      const std::vector<nines::remedy::AuditHead>& seen = {}) const;

 private:
  store::Document head_document() const;
  std::deque<nines::remedy::AuditRecord> records_;
  nines::remedy::AuditHead head_, from_;  // of the newest; before the first that is kept
  // As it was written: it may be older than the newest, when a write was tried again, and never
  // newer.
  nines::remedy::AuditHead written_;
};

}  // namespace nines::agent::remedy
