// Audit: a log of what was decided and done that shows when it was altered. Each record holds the
// hash of the one before: hash = SHA-256(hash before | number, 8 bytes little endian | body). What
// was cut off at the end shows against a head that was kept elsewhere (told to peers, printed).
// Pure; the caller stores what append() gives in one transaction with what it is about.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "nines/base/sha256.hpp"

namespace nines::remedy {

struct AuditRecord {
  uint64_t number = 0;  // from 1, without a gap
  Sha256 before{};      // hash of the one before; of the first: zeros
  std::string body;
  Sha256 hash{};
  friend bool operator==(const AuditRecord&, const AuditRecord&) = default;
};

struct AuditHead {
  uint64_t number = 0;  // of the last record; 0: there is none
  Sha256 hash{};
  friend bool operator==(const AuditHead&, const AuditHead&) = default;
};

// The record behind `head`, which becomes the head.
AuditRecord append_audit(AuditHead& head, std::string body);

struct AuditFault {
  uint64_t number = 0;  // of the first record that cannot be trusted
  std::string why;
};
// `from`: the head before the first of `records` ({}: they begin at the beginning). `expected`: the
// head as it is known from elsewhere. nullopt: all is as it was written.
std::optional<AuditFault> verify_audit(std::span<const AuditRecord> records, AuditHead from = {},
                                       const std::optional<AuditHead>& expected = std::nullopt);

}  // namespace nines::remedy
