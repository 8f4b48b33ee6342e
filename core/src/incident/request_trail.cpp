#include "nines/incident/request_trail.hpp"

#include <algorithm>
#include <map>

#include "nines/query/bytes.hpp"

namespace nines::incident {
namespace {

using namespace nines::query;

constexpr uint8_t kVersion = 1;
constexpr unsigned kMostThinning = 32;
constexpr size_t kMaxServiceBytes = 256;

uint64_t hash_of(std::string_view text) noexcept {
  uint64_t hash = 0xcbf29ce484222325ULL;  // FNV-1a, and a finish that spreads it to all bits
  for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3ULL;
  hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccdULL;
  return hash ^ (hash >> 33);
}

}  // namespace

RequestTrail::RequestTrail(TrailLimits limits) : limits_(limits) {
  limits_.max_services = std::min<size_t>(limits_.max_services, 2'047);
  limits_.max_templates = std::min<size_t>(limits_.max_templates, kErrorBit);
}

bool RequestTrail::keeps(uint64_t request) const noexcept {
  return thinning_ == 0 || (request >> (64 - thinning_)) == 0;
}

bool RequestTrail::service_index(std::string_view name, uint32_t& out) {
  const auto found = service_at_.find(std::string(name));
  if (found != service_at_.end()) {
    out = found->second;
    return true;
  }
  if (services_.size() >= limits_.max_services) return false;
  out = static_cast<uint32_t>(services_.size());
  services_.emplace_back(name);
  service_at_.emplace(services_.back(), out);
  return true;
}

bool RequestTrail::template_index(TemplateId id, uint32_t& out) {
  const auto found = template_at_.find(id);
  if (found != template_at_.end()) {
    out = found->second;
    return true;
  }
  if (templates_.size() >= limits_.max_templates) sweep_templates();
  if (templates_.size() >= limits_.max_templates) return false;
  out = static_cast<uint32_t>(templates_.size());
  templates_.push_back(id);
  template_at_.emplace(id, out);
  return true;
}

// Those that no line has any more make room.
void RequestTrail::sweep_templates() {
  constexpr uint32_t kUnused = UINT32_MAX;
  std::vector<uint32_t> place(templates_.size(), kUnused);
  std::vector<TemplateId> kept;
  template_at_.clear();
  for (Entry& entry : entries_) {
    uint32_t& at = place[entry.line & (kErrorBit - 1)];
    if (at == kUnused) {
      at = static_cast<uint32_t>(kept.size());
      kept.push_back(templates_[entry.line & (kErrorBit - 1)]);
      template_at_.emplace(kept.back(), at);
    }
    entry.line = (entry.line & ~(kErrorBit - 1)) | at;
  }
  templates_ = std::move(kept);
}

void RequestTrail::add(const TrailLine& line) {
  if (line.request.empty()) return;
  Entry entry;
  entry.request = hash_of(line.request);
  if (!keeps(entry.request)) return;
  uint32_t service = 0, found = 0;
  if (!service_index(line.service, service) || !template_index(line.line, found)) {
    ++left_out_;
    return;
  }
  entry.at = line.at.ns;
  entry.line = (service << kServiceShift) | (line.error ? kErrorBit : 0) | found;
  entry.span = line.span.empty() ? 0 : static_cast<uint32_t>(hash_of(line.span) | 1);
  push(entry);
}

void RequestTrail::push(const Entry& entry) {
  if (entries_.size() >= limits_.max_lines) make_room();
  if (!keeps(entry.request)) return;
  if (entries_.size() < limits_.max_lines) {
    entries_.push_back(entry);
    return;
  }
  entries_[oldest_] = entry;
  oldest_ = (oldest_ + 1) % entries_.size();
}

// Full: either it reaches back far enough and goes round, or it thins.
void RequestTrail::make_room() {
  if (oldest_ != 0 || thinning_ >= kMostThinning) return;  // decided once a round
  const auto [first, last] = std::minmax_element(
      entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) { return a.at < b.at; });
  if (last->at - first->at >= limits_.wanted_ns) return;
  thin(thinning_ + 1);
}

void RequestTrail::thin(unsigned thinning) {
  std::rotate(entries_.begin(), entries_.begin() + static_cast<ptrdiff_t>(oldest_), entries_.end());
  oldest_ = 0;
  thinning_ = thinning;
  std::erase_if(entries_, [&](const Entry& entry) { return !keeps(entry.request); });
}

void RequestTrail::merge(TemplateId from, TemplateId to) {
  const auto found = template_at_.find(from);
  if (found == template_at_.end()) return;
  const uint32_t place = found->second;
  template_at_.erase(found);
  templates_[place] = to;  // two places may then mean one template: they are joined when read
  template_at_.emplace(to, place);
}

size_t RequestTrail::memory_bytes() const noexcept {
  constexpr size_t kNode = 56;  // of a hash table, with its bucket
  size_t bytes = entries_.capacity() * sizeof(Entry) + templates_.capacity() * sizeof(TemplateId) +
                 template_at_.size() * kNode;
  for (const std::string& name : services_) bytes += 2 * (sizeof(name) + name.capacity()) + kNode;
  return bytes;
}

std::string RequestTrail::save(WallTime from, WallTime to) const {
  std::vector<const Entry*> chosen;
  for (const Entry& entry : entries_) {
    if (entry.at >= from.ns && entry.at < to.ns) chosen.push_back(&entry);
  }
  // Lines of a request lie together, so that its hash is told once.
  std::stable_sort(chosen.begin(), chosen.end(), [](const Entry* a, const Entry* b) {
    return a->request != b->request ? a->request < b->request : a->at < b->at;
  });
  std::string out;
  put_byte(out, kVersion);
  put_varint(out, thinning_);
  put_varint(out, services_.size());
  for (const std::string& name : services_) put_text(out, name);
  put_varint(out, templates_.size());
  for (const TemplateId id : templates_) put_fixed64(out, id);
  put_varint(out, chosen.size());
  uint64_t request = 0;
  int64_t at = 0;
  uint32_t span = 0;
  for (const Entry* entry : chosen) {
    put_varint(out, entry->request - request);  // sorted: 0 within a request
    put_signed(out, entry->at - at);
    put_varint(out, entry->line);
    put_varint(out, entry->span ^ span);
    request = entry->request;
    at = entry->at;
    span = entry->span;
  }
  return out;
}

Status RequestTrail::take(std::string_view saved) {
  const Error corrupt{Errc::corrupt, "a trail of requests is damaged"};
  uint8_t version = 0;
  uint64_t thinning = 0, count = 0;
  if (!get_byte(saved, version) || version != kVersion || !get_varint(saved, thinning) ||
      thinning > kMostThinning || !get_varint(saved, count) || count > 2'047) {
    return corrupt;
  }
  std::vector<std::string_view> services(static_cast<size_t>(count));
  for (std::string_view& name : services) {
    if (!get_text(saved, name) || name.size() > kMaxServiceBytes) return corrupt;
  }
  if (!get_varint(saved, count) || count > saved.size() / 8 || count > kErrorBit) return corrupt;
  std::vector<TemplateId> templates(static_cast<size_t>(count));
  for (TemplateId& id : templates) {
    if (!get_fixed64(saved, id)) return corrupt;
  }
  if (!get_varint(saved, count) || count > saved.size() / 4) return corrupt;
  std::vector<Entry> entries(static_cast<size_t>(count));
  Entry before;
  for (Entry& entry : entries) {
    uint64_t request = 0, line = 0, span = 0;
    int64_t at = 0;
    if (!get_varint(saved, request) || !get_signed(saved, at) || !get_varint(saved, line) ||
        !get_varint(saved, span) || line > UINT32_MAX || span > UINT32_MAX) {
      return corrupt;
    }
    entry.request = before.request + request;
    entry.at = static_cast<int64_t>(static_cast<uint64_t>(before.at) + static_cast<uint64_t>(at));
    entry.line = static_cast<uint32_t>(line);
    entry.span = before.span ^ static_cast<uint32_t>(span);
    if ((entry.line >> kServiceShift) >= services.size() ||
        (entry.line & (kErrorBit - 1)) >= templates.size()) {
      return corrupt;
    }
    before = entry;
  }
  if (!saved.empty()) return corrupt;
  if (thinning > thinning_) thin(static_cast<unsigned>(thinning));
  for (Entry entry : entries) {
    uint32_t service = 0, found = 0;
    if (!service_index(services[entry.line >> kServiceShift], service) ||
        !template_index(templates[entry.line & (kErrorBit - 1)], found)) {
      ++left_out_;
      continue;
    }
    entry.line = (service << kServiceShift) | (entry.line & kErrorBit) | found;
    push(entry);
  }
  return Ok{};
}

std::vector<RequestTrail::Seen> RequestTrail::seen(WallTime from, WallTime to, size_t most) const {
  constexpr int64_t kAroundNs = 60 * kNsPerSecond;  // of a request that began or ended beyond
  std::unordered_map<uint64_t, Seen> all;
  for (const Entry& entry : entries_) {
    if (entry.at < from.ns - kAroundNs || entry.at >= to.ns + kAroundNs) continue;
    const WallTime at{entry.at};
    const auto [it, fresh] = all.try_emplace(entry.request, Seen{entry.request, at, at});
    it->second.first = std::min(it->second.first, at);
    it->second.last = std::max(it->second.last, at);
  }
  std::vector<Seen> out;
  for (const auto& [request, times] : all) {
    if (times.first >= from && times.first < to) out.push_back(times);
  }
  std::sort(out.begin(), out.end(),
            [](const Seen& a, const Seen& b) { return a.request < b.request; });
  if (out.size() > most) out.resize(most);
  return out;
}

std::vector<RequestTrail::Call> RequestTrail::calls(WallTime from, WallTime to) const {
  struct Span {
    uint64_t request = 0;
    uint32_t service = 0;
    int64_t first = 0, last = 0;
  };
  std::map<std::pair<uint64_t, uint32_t>, Span> spans;
  for (const Entry& entry : entries_) {
    if (entry.at < from.ns || entry.at >= to.ns) continue;
    const uint32_t service = entry.line >> kServiceShift;
    const auto [it, fresh] = spans.try_emplace({entry.request, service},
                                               Span{entry.request, service, entry.at, entry.at});
    if (fresh) continue;
    it->second.first = std::min(it->second.first, entry.at);
    it->second.last = std::max(it->second.last, entry.at);
  }
  std::map<std::pair<uint32_t, uint32_t>, uint64_t> counts;
  for (auto begin = spans.begin(); begin != spans.end();) {
    auto end = begin;
    while (end != spans.end() && end->second.request == begin->second.request) ++end;
    for (auto callee = begin; callee != end; ++callee) {
      const Span* nearest = nullptr;
      for (auto caller = begin; caller != end; ++caller) {
        const Span& outer = caller->second;
        const bool around = outer.first < callee->second.first && outer.last > callee->second.last;
        if (!around) continue;
        if (nearest == nullptr || outer.last - outer.first < nearest->last - nearest->first) {
          nearest = &outer;
        }
      }
      if (nearest != nullptr) ++counts[{nearest->service, callee->second.service}];
    }
    begin = end;
  }
  std::vector<Call> out;
  for (const auto& [edge, requests] : counts) {
    out.push_back({services_[edge.first], services_[edge.second], requests});
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const Call& a, const Call& b) { return a.requests > b.requests; });
  return out;
}

struct TrailReader {
  static TrailEvidence read(const RequestTrail& trail, const TrailQuestion& question);
};

TrailEvidence TrailReader::read(const RequestTrail& trail, const TrailQuestion& question) {
  using Entry = RequestTrail::Entry;
  std::vector<const Entry*> order;
  order.reserve(trail.entries_.size());
  for (const Entry& entry : trail.entries_) {
    if (entry.at < question.now.ns) order.push_back(&entry);
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const Entry* a, const Entry* b) { return a->at < b->at; });
  RequestFlow flow;
  const auto healthy = [&](int64_t at) {
    return at < question.onset.ns &&
           std::none_of(question.unhealthy.begin(), question.unhealthy.end(),
                        [&](const Stretch& s) { return s.from.ns <= at && at < s.to.ns; });
  };
  for (const Entry* entry : order) {
    flow.advance({entry->at}, healthy(entry->at));
    char request[8];
    for (unsigned i = 0; i < 8; ++i) request[i] = static_cast<char>(entry->request >> (8 * i));
    flow.add({{entry->at},
              std::string_view(request, sizeof request),
              entry->span,
              entry->line >> RequestTrail::kServiceShift,
              trail.templates_[entry->line & (RequestTrail::kErrorBit - 1)],
              (entry->line & RequestTrail::kErrorBit) != 0});
  }
  flow.advance(question.now, healthy(question.now.ns));
  return {flow.findings(question.minutes), trail.services_, flow.stats()};
}

TrailEvidence ask_trail(const RequestTrail& trail, const TrailQuestion& question) {
  return TrailReader::read(trail, question);
}

}  // namespace nines::incident
