#include "remedy/audit_anchors.hpp"

#include <algorithm>
#include <tuple>

#include "nines/query/bytes.hpp"

namespace nines::agent::remedy {
namespace {

using nines::remedy::AuditHead;

constexpr uint8_t kVersion = 1;

void put_hash(std::string& out, const Sha256& hash) {
  out.append(reinterpret_cast<const char*>(hash.data()), hash.size());
}

bool get_hash(std::string_view& in, Sha256& hash) {
  if (in.size() < hash.size()) return false;
  std::transform(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(hash.size()), hash.begin(),
                 [](char c) { return static_cast<uint8_t>(c); });
  in.remove_prefix(hash.size());
  return true;
}

bool comes_before(const Anchor& a, const Anchor& b) {
  return std::tie(a.boot, a.head.number) < std::tie(b.boot, b.head.number);
}

// What two heads of one log cannot both be.
std::optional<AuditAnchors::Fault> contradiction(const Anchor& a, const Anchor& b) {
  const Anchor& first = comes_before(a, b) ? a : b;
  const Anchor& then = comes_before(a, b) ? b : a;
  if (first.head.number == then.head.number && first.head.hash != then.head.hash) {
    return AuditAnchors::Fault{{}, then.head.number, "it is another one than it told before", {}};
  }
  if (first.boot < then.boot && first.head.number > then.head.number) {
    return AuditAnchors::Fault{
        {},
        then.head.number + 1,
        "its log was cut back: it told of record " + std::to_string(first.head.number) + " before",
        {}};
  }
  return std::nullopt;
}

}  // namespace

std::string encode_anchor(const AuditHead& head) {
  std::string out;
  query::put_byte(out, kVersion);
  query::put_varint(out, head.number);
  put_hash(out, head.hash);
  return out;
}

std::optional<AuditHead> decode_anchor(std::string_view bytes) {
  AuditHead out;
  uint8_t version = 0;
  const bool whole = query::get_byte(bytes, version) && version == kVersion &&
                     query::get_varint(bytes, out.number) && get_hash(bytes, out.hash);
  if (!whole || !bytes.empty() || out.number == 0) return std::nullopt;
  return out;
}

void AuditAnchors::restore(const std::vector<store::Document>& documents) {
  for (const store::Document& document : documents) {
    std::string_view in = document.body;
    uint8_t version = 0;
    uint64_t anchors = 0, faults = 0;
    if (known_.size() >= kMostNodes || !query::get_byte(in, version) || version != kVersion)
      continue;
    Known& known = known_[document.key];
    bool whole = query::get_varint(in, anchors) && anchors <= kKept + 1;
    for (; whole && anchors > 0; --anchors) {
      Anchor& one = known.anchors.emplace_back();
      whole = query::get_varint(in, one.boot) && query::get_varint(in, one.head.number) &&
              get_hash(in, one.head.hash);
      if (!whole) known.anchors.pop_back();
    }
    whole = whole && query::get_varint(in, faults) && faults <= kMostFaults;
    for (; whole && faults > 0; --faults) {
      Fault& one = known.faults.emplace_back();
      std::string_view why;
      one.node = document.key;
      whole = query::get_varint(in, one.number) && query::get_signed(in, one.at.ns) &&
              query::get_text(in, why);
      one.why = why;
      if (!whole) known.faults.pop_back();
    }
    std::sort(known.anchors.begin(), known.anchors.end(), comes_before);
  }
}

store::Document AuditAnchors::document_of(const std::string& node, const Known& known) {
  std::string out;
  query::put_byte(out, kVersion);
  query::put_varint(out, known.anchors.size());
  for (const Anchor& one : known.anchors) {
    query::put_varint(out, one.boot);
    query::put_varint(out, one.head.number);
    put_hash(out, one.head.hash);
  }
  query::put_varint(out, known.faults.size());
  for (const Fault& one : known.faults) {
    query::put_varint(out, one.number);
    query::put_signed(out, one.at.ns);
    query::put_text(out, one.why);
  }
  return {kDocuments, node, std::move(out)};
}

std::optional<store::Document> AuditAnchors::heard(const std::string& node, const Anchor& anchor,
                                                   WallTime now, std::optional<Fault>& found) {
  found.reset();
  if (!known_.contains(node) && known_.size() >= kMostNodes) {
    ++refused_;
    return std::nullopt;
  }
  Known& known = known_[node];
  auto& all = known.anchors;
  if (std::find(all.begin(), all.end(), anchor) != all.end()) return std::nullopt;
  for (const Anchor& one : all) {
    if (found) break;
    found = contradiction(one, anchor);
  }
  if (found) {
    found->node = node;
    found->at = now;
    if (known.faults.size() < kMostFaults) known.faults.push_back(*found);
  }
  all.insert(std::upper_bound(all.begin(), all.end(), anchor, comes_before), anchor);
  // The oldest goes, and never the highest: many lives do not make it forgotten.
  while (all.size() > kKept) {
    const auto highest = std::max_element(
        all.begin(), all.end(),
        [](const Anchor& a, const Anchor& b) { return a.head.number < b.head.number; });
    all.erase(highest == all.begin() ? all.begin() + 1 : all.begin());
  }
  if (std::find(all.begin(), all.end(), anchor) == all.end() && !found) return std::nullopt;
  return document_of(node, known);
}

std::vector<Anchor> AuditAnchors::of(const std::string& node) const {
  const auto found = known_.find(node);
  return found == known_.end() ? std::vector<Anchor>{} : found->second.anchors;
}

std::vector<std::string> AuditAnchors::nodes() const {
  std::vector<std::string> out;
  for (const auto& [node, known] : known_) out.push_back(node);
  return out;
}

std::vector<AuditAnchors::Fault> AuditAnchors::faults() const {
  std::vector<Fault> out;
  for (const auto& [node, known] : known_) {
    out.insert(out.end(), known.faults.begin(), known.faults.end());
  }
  return out;
}

}  // namespace nines::agent::remedy
