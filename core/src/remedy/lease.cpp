#include "nines/remedy/lease.hpp"

#include "nines/base/contract.hpp"
#include "nines/query/bytes.hpp"

namespace nines::remedy {

std::string encode_lease(const Lease& lease) {
  NINES_ASSERT(lease.ledger.size() <= kMaxLedger);
  std::string out;
  query::put_byte(out, 1);
  query::put_text(out, lease.holder);
  query::put_varint(out, lease.token);
  query::put_varint(out, lease.renewals);
  query::put_varint(out, lease.ledger.size());
  for (const std::string& event : lease.ledger) query::put_text(out, event);
  return out;
}

std::optional<Lease> decode_lease(std::string_view in) {
  Lease out;
  uint8_t version = 0;
  uint64_t count = 0;
  std::string_view text;
  if (in.size() > kMaxLeaseBytes) return std::nullopt;
  if (!query::get_byte(in, version) || version != 1) return std::nullopt;
  if (!query::get_text(in, text)) return std::nullopt;
  out.holder = text;
  if (!query::get_varint(in, out.token) || !query::get_varint(in, out.renewals))
    return std::nullopt;
  if (!query::get_varint(in, count) || count > kMaxLedger) return std::nullopt;
  for (; count > 0; --count) {
    if (!query::get_text(in, text)) return std::nullopt;
    out.ledger.emplace_back(text);
  }
  if (!in.empty()) return std::nullopt;
  return out;
}

void LeaseHand::see(const Lease& lease, Instant answered) {
  const bool same =
      known_ && lease.holder == holder_ && lease.token == token_ && lease.renewals == renewals_;
  if (same) return;
  known_ = true;
  holder_ = lease.holder;
  token_ = lease.token;
  renewals_ = lease.renewals;
  since_ = answered;
  // Someone else wrote: what this hand held is gone.
  if (mine_ && (lease.holder != node_ || lease.token != *mine_)) mine_.reset();
}

bool LeaseHand::expired(const Lease& seen, Instant now) const {
  if (seen.holder.empty()) return true;
  const bool same =
      known_ && seen.holder == holder_ && seen.token == token_ && seen.renewals == renewals_;
  return same && now.ns - since_.ns > (rules_.ttl_ms + rules_.margin_ms) * kNsPerMs;
}

std::optional<Lease> LeaseHand::bid(const Lease& seen, Instant now) const {
  Lease out = seen;
  ++out.renewals;
  if (holds(now) && seen.holder == node_ && seen.token == *mine_) return out;
  // An earlier life of this node may still be about to act: it is waited for like any other.
  if (!expired(seen, now)) return std::nullopt;
  out.holder = node_;
  ++out.token;
  return out;
}

void LeaseHand::won(const Lease& written, Instant asked) {
  NINES_ASSERT(written.holder == node_);
  see(written, asked);
  mine_ = written.token;
  until_ = Instant{asked.ns + rules_.ttl_ms * kNsPerMs};
}

void LeaseHand::lost() { mine_.reset(); }

std::optional<uint64_t> LeaseHand::holds(Instant now) const {
  return mine_ && now < until_ ? mine_ : std::nullopt;
}

Lease LeaseHand::given_back(const Lease& seen) const {
  Lease out = seen;
  out.holder.clear();
  ++out.renewals;
  return out;
}

}  // namespace nines::remedy
