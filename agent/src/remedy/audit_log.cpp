#include "remedy/audit_log.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace nines::agent::remedy {
namespace {

using nines::remedy::AuditHead;
using nines::remedy::AuditRecord;

constexpr const char* kHead = "head";

// Sorts as the numbers do.
std::string key_of(uint64_t number) {
  char out[24];
  std::snprintf(out, sizeof out, "%020llu", static_cast<unsigned long long>(number));
  return out;
}

std::optional<Sha256> digest_of(std::string_view hex) {
  Sha256 out{};
  if (hex.size() != 2 * out.size()) return std::nullopt;
  for (size_t i = 0; i < hex.size(); ++i) {
    const char c = hex[i];
    const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (digit < 0) return std::nullopt;
    out[i / 2] = static_cast<uint8_t>(out[i / 2] << 4U | static_cast<unsigned>(digit));
  }
  return out;
}

std::string take_word(std::string_view& text) {
  const size_t blank = std::min(text.find(' '), text.size());
  std::string out(text.substr(0, blank));
  text.remove_prefix(std::min(blank + 1, text.size()));
  return out;
}

std::string text_of(const AuditHead& head) {
  return std::to_string(head.number) + ' ' + hex_of(head.hash);
}

AuditHead take_head(std::string_view& text) {
  AuditHead out;
  out.number = std::strtoull(take_word(text).c_str(), nullptr, 10);
  out.hash = digest_of(take_word(text)).value_or(Sha256{});
  return out;
}

// "HASH-BEFORE HASH BODY"
std::optional<AuditRecord> record_of(const store::Document& document) {
  std::string_view text = document.body;
  AuditRecord out;
  out.number = std::strtoull(document.key.c_str(), nullptr, 10);
  const auto before = digest_of(take_word(text));
  const auto hash = digest_of(take_word(text));
  if (!before || !hash) return std::nullopt;
  out.before = *before;
  out.hash = *hash;
  out.body = text;
  return out;
}

}  // namespace

void AuditLog::restore(const std::vector<store::Document>& documents) {
  for (const store::Document& document : documents) {
    if (document.key == kHead) {
      std::string_view text = document.body;
      written_ = take_head(text);
      from_ = take_head(text);
    } else if (auto record = record_of(document)) {
      records_.push_back(std::move(*record));
    }
  }
  std::sort(records_.begin(), records_.end(),
            [](const AuditRecord& a, const AuditRecord& b) { return a.number < b.number; });
  head_ = records_.empty() ? from_ : AuditHead{records_.back().number, records_.back().hash};
}

std::vector<store::Document> AuditLog::append(std::string body) {
  std::vector<store::Document> out;
  const AuditRecord& record =
      records_.emplace_back(nines::remedy::append_audit(head_, std::move(body)));
  out.push_back({kDocuments, key_of(record.number),
                 hex_of(record.before) + ' ' + hex_of(record.hash) + ' ' + record.body});
  while (records_.size() > kMaxRecords) {
    from_ = {records_.front().number, records_.front().hash};
    out.push_back({kDocuments, key_of(records_.front().number), {}});
    records_.pop_front();
  }
  out.push_back(head_document());
  return out;
}

store::Document AuditLog::head_document() const {
  return {kDocuments, kHead, text_of(head_) + ' ' + text_of(from_)};
}

std::optional<nines::remedy::AuditFault> AuditLog::fault(const std::vector<AuditHead>& seen) const {
  const std::vector<AuditRecord> all(records_.begin(), records_.end());
  if (auto fault = nines::remedy::verify_audit(all, from_, head_)) return fault;
  if (written_.number > head_.number) {
    return nines::remedy::AuditFault{head_.number + 1, "the end is missing"};
  }
  for (const AuditRecord& record : all) {
    if (record.number != written_.number || record.hash == written_.hash) continue;
    return nines::remedy::AuditFault{record.number, "it is another one than was written"};
  }
  // Records are let go one by one for as many that came behind them.
  if (from_.number > 0 && all.size() < kMaxRecords) {
    return nines::remedy::AuditFault{from_.number, "it is missing"};
  }
  for (const AuditHead& one : seen) {
    if (one.number < from_.number) continue;  // let go, and not kept
    if (one.number == from_.number && one.hash != from_.hash) {
      return nines::remedy::AuditFault{one.number, "it is another one than is known elsewhere"};
    }
    if (auto fault = nines::remedy::verify_audit(all, from_, one)) return fault;
  }
  return std::nullopt;
}

}  // namespace nines::agent::remedy
