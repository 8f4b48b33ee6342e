#include "nines/remedy/audit.hpp"

#include "nines/query/bytes.hpp"

namespace nines::remedy {
namespace {

Sha256 hash_of_record(const AuditRecord& record) {
  std::string bytes(record.before.begin(), record.before.end());
  query::put_fixed64(bytes, record.number);
  bytes += record.body;
  return sha256(bytes);
}

}  // namespace

AuditRecord append_audit(AuditHead& head, std::string body) {
  AuditRecord out{head.number + 1, head.hash, std::move(body), {}};
  out.hash = hash_of_record(out);
  head = {out.number, out.hash};
  return out;
}

std::optional<AuditFault> verify_audit(std::span<const AuditRecord> records, AuditHead from,
                                       const std::optional<AuditHead>& expected) {
  AuditHead head = from;
  for (const AuditRecord& record : records) {
    const uint64_t number = head.number + 1;
    if (record.number != number) return AuditFault{number, "it is missing"};
    if (record.before != head.hash) return AuditFault{number, "it does not follow the one before"};
    if (record.hash != hash_of_record(record)) return AuditFault{number, "its content was altered"};
    head = {number, record.hash};
    if (expected && expected->number == number && expected->hash != head.hash) {
      return AuditFault{number, "it is another one than is known elsewhere"};
    }
  }
  if (expected && expected->number > head.number) {
    return AuditFault{head.number + 1, "it is missing: the log was cut off"};
  }
  return std::nullopt;
}

}  // namespace nines::remedy
