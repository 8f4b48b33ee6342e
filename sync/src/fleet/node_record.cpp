#include "fleet/node_record.hpp"

#include <algorithm>

#include "store/codec.hpp"

namespace nines::fleet {
namespace {

constexpr uint64_t kFormat = 1;
constexpr size_t kRecordBytes = 512, kSeriesBytes = 256;  // of maps and objects

}  // namespace

std::string encode_info(const NodeInfo& info) {
  store::ByteWriter out;
  out.varint(kFormat);
  out.varint(info.version.boot);
  out.varint(info.version.counter);
  out.varint(info.incarnation);
  out.zigzag(info.at.ns);
  out.zigzag(info.isolated_since.ns);
  out.varint(info.capabilities);
  uint64_t previous = 0;
  for (const uint64_t id : info.series) {
    out.varint(id - previous);
    previous = id;
  }
  return out.take();
}

std::optional<NodeInfo> decode_info(std::string_view body, const FleetLimits& limits) {
  store::ByteReader in(body);
  if (in.varint() != kFormat) return std::nullopt;
  NodeInfo info;
  info.version.boot = in.varint();
  info.version.counter = in.varint();
  info.incarnation = in.varint();
  info.at.ns = in.zigzag();
  info.isolated_since.ns = in.zigzag();
  info.capabilities = in.varint();
  uint64_t previous = 0;
  while (in.ok() && !in.complete()) {
    const uint64_t id = previous + in.varint();
    const bool ascends = info.series.empty() || id > previous;
    if (!ascends || info.series.size() == limits.max_series) return std::nullopt;
    info.series.push_back(id);
    previous = id;
  }
  if (!in.complete() || info.version.boot == 0) return std::nullopt;
  return info;
}

bool NodeRecord::names(uint64_t id) const {
  return std::binary_search(info.series.begin(), info.series.end(), id);
}

void NodeRecord::set_info(const NodeInfo& told) {
  info = told;
  info_hash = hash64(encode_info(told));
  std::erase_if(series, [this](const auto& entry) { return !names(entry.first); });
}

uint64_t NodeRecord::hash() const {
  uint64_t hash = part_hash({PartKind::info}, info_hash) ^ events.hash();
  for (const auto& [id, one] : series) hash ^= part_hash({PartKind::series, id}, one.hash());
  return hash;
}

size_t NodeRecord::bytes() const {
  size_t bytes = kRecordBytes + info.series.size() * sizeof(uint64_t) + events.bytes();
  for (const auto& [id, one] : series) bytes += kSeriesBytes + one.bytes();
  return bytes;
}

}  // namespace nines::fleet
