#include "nines/incident/request_trail.hpp"

#include <algorithm>
#include <bit>
#include <map>
#include <numeric>
#include <tuple>

#include "incident/hash.hpp"
#include "nines/incident/answer_line.hpp"
#include "nines/query/bytes.hpp"

namespace nines::incident {
namespace {

using namespace nines::query;

constexpr uint8_t kVersion = 2;
constexpr unsigned kMostThinning = 32;
constexpr size_t kMostAtOnce = 524'288;  // 12 MiB of addresses
constexpr size_t kMaxServiceBytes = 256;

// All of its bits are good: the upper ones decide which requests are kept.
uint64_t hash_of(std::string_view text) noexcept {
  return hash_text(text, [](uint64_t bytes) { return bytes; });
}

// Of one request in one service.
struct Stay {
  uint32_t service = 0;
  int64_t first = 0, last = 0;
  bool only_answers = true;
};
using Edges = std::map<std::pair<uint32_t, uint32_t>, uint64_t>;

// An access log is written when the answer is out. Of those heard last at the same time the one
// that began first.
const Stay* heard_before(const std::vector<Stay>& stays, const Stay& answer) {
  const Stay* before = nullptr;
  for (const Stay& stay : stays) {
    if (&stay == &answer || stay.last > answer.last) continue;
    if (stay.last == answer.last && stay.only_answers) continue;  // which was first is not known
    const bool later = before == nullptr || stay.last > before->last;
    if (later || (stay.last == before->last && stay.first < before->first)) before = &stay;
  }
  return before;
}

// What only logs answers was there before whoever it called. In the order in which they answered,
// since one may have called the other.
std::map<uint32_t, uint32_t> who_answers_called(std::vector<Stay>& stays) {
  std::vector<Stay*> answers;
  for (Stay& stay : stays) {
    if (stay.only_answers) answers.push_back(&stay);
  }
  std::stable_sort(answers.begin(), answers.end(),
                   [](const Stay* a, const Stay* b) { return a->last < b->last; });
  std::map<uint32_t, uint32_t> called;
  for (Stay* const answer : answers) {
    const Stay* const callee = heard_before(stays, *answer);
    if (callee == nullptr) continue;
    called[answer->service] = callee->service;
    answer->first = std::min(answer->first, callee->first);
  }
  return called;
}

// Whoever is around a service most closely has called it.
void count_calls(std::vector<Stay>& stays, Edges& counts) {
  for (const auto& call : who_answers_called(stays)) ++counts[call];
  for (const Stay& callee : stays) {
    const Stay* nearest = nullptr;
    for (const Stay& caller : stays) {
      if (caller.first >= callee.first || caller.last <= callee.last) continue;
      if (nearest == nullptr || caller.last - caller.first < nearest->last - nearest->first) {
        nearest = &caller;
      }
    }
    if (nearest != nullptr) ++counts[{nearest->service, callee.service}];
  }
}

}  // namespace

RequestTrail::RequestTrail(TrailLimits limits) : limits_(limits) {
  limits_.max_services = std::min<size_t>(limits_.max_services, 2'047);
  limits_.max_templates = std::min<size_t>(limits_.max_templates, kErrorBit);
}

inline bool RequestTrail::service_index(std::string_view name, uint32_t& out) {
  const bool last = last_service_ < services_.size() && same_text(services_[last_service_], name);
  if (!last && !find_service(name)) return false;
  out = last_service_;
  return true;
}

bool RequestTrail::find_service(std::string_view name) {
  const auto found = service_at_.find(name);
  if (found != service_at_.end()) {
    last_service_ = found->second;
    return true;
  }
  if (services_.size() >= limits_.max_services) return false;
  last_service_ = static_cast<uint32_t>(services_.size());
  services_.emplace_back(name);
  service_at_.emplace(services_.back(), last_service_);
  return true;
}

inline bool RequestTrail::template_index(TemplateId id, uint32_t& out) {
  uint32_t& guess = hints_[static_cast<size_t>(id % hints_.size())];
  if (guess >= templates_.size() || templates_[guess] != id) {
    uint32_t found = 0;
    if (!find_template(id, found)) return false;
    guess = found;
  }
  out = guess;
  return true;
}

bool RequestTrail::find_template(TemplateId id, uint32_t& out) {
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
  hints_.fill(UINT32_MAX);
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

// REQUIRES that it keeps the request.
inline void RequestTrail::push(const Entry& entry) {
  if (entries_.size() >= limits_.max_lines) return push_full(entry);
  // At once: pages that nobody wrote to take no memory, while growing would hold it twice.
  if (entries_.capacity() == 0) entries_.reserve(std::min(limits_.max_lines, kMostAtOnce));
  entries_.push_back(entry);
}

void RequestTrail::push_full(const Entry& entry) {
  if (oldest_ == 0) make_room();
  if (!keeps(entry.request)) return;
  if (entries_.size() < limits_.max_lines) {
    entries_.push_back(entry);
    return;
  }
  entries_[oldest_] = entry;
  if (++oldest_ == entries_.size()) oldest_ = 0;
}

// Full, once a round: either it reaches back far enough and goes round, or it thins.
void RequestTrail::make_room() {
  if (thinning_ >= kMostThinning) return;
  const auto [first, last] = std::minmax_element(
      entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) { return a.at < b.at; });
  if (last->at - first->at >= limits_.wanted_ns) return;
  // More than once where lines come in the order of their requests, as take() gives them: the first
  // of those are kept by every thinning.
  do {
    thin(thinning_ + 1);
  } while (entries_.size() >= limits_.max_lines && thinning_ < kMostThinning);
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
  hints_.fill(UINT32_MAX);
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

Status RequestTrail::take(std::string_view saved, int64_t ahead_ns) {
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
    entry.at =
        static_cast<int64_t>(static_cast<uint64_t>(entry.at) - static_cast<uint64_t>(ahead_ns));
    if (keeps(entry.request)) push(entry);
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

RequestTrail::Passed RequestTrail::passed(WallTime from, WallTime to) const {
  constexpr int64_t kBeforeNs = 120 * kNsPerSecond;
  struct Passing {
    uint64_t request = 0;
    uint32_t service = 0;
    bool error = false;
  };
  struct OfService {
    uint64_t requests = 0;
    int64_t first_error = INT64_MAX;
    bool error_before = false;
  };
  Passed out;
  std::vector<Passing> seen;
  std::map<uint32_t, OfService> services;
  int64_t oldest = INT64_MAX;
  for (const Entry& entry : entries_) {
    oldest = std::min(oldest, entry.at);
    if (entry.at < from.ns - kBeforeNs || entry.at >= to.ns) continue;
    const uint32_t service = entry.line >> kServiceShift;
    const bool error = (entry.line & kErrorBit) != 0;
    OfService& of = services[service];
    if (entry.at < from.ns) {
      of.error_before = of.error_before || error;
      continue;
    }
    if (error) of.first_error = std::min(of.first_error, entry.at);
    seen.push_back({entry.request, service, error});
  }
  out.reaches_back = {oldest == INT64_MAX ? 0 : oldest};
  std::sort(seen.begin(), seen.end(), [](const Passing& a, const Passing& b) {
    return a.request != b.request ? a.request < b.request : a.service < b.service;
  });
  for (size_t begin = 0, end = 0; begin < seen.size(); begin = end) {
    bool failed = false;
    for (; end < seen.size() && seen[end].request == seen[begin].request; ++end) {
      failed = failed || seen[end].error;
    }
    ++out.requests;
    if (!failed) continue;
    ++out.failed;
    for (size_t i = begin; i < end; ++i) {
      if (i > begin && seen[i].service == seen[i - 1].service) continue;
      ++services[seen[i].service].requests;
    }
  }
  for (const auto& [service, of] : services) {
    if (of.requests == 0) continue;
    out.services.push_back({services_[service],
                            of.requests,
                            {of.first_error == INT64_MAX ? 0 : of.first_error},
                            !of.error_before});
  }
  std::stable_sort(out.services.begin(), out.services.end(),
                   [](const Passage& a, const Passage& b) { return a.requests > b.requests; });
  return out;
}

std::vector<RequestTrail::Call> RequestTrail::calls(WallTime from, WallTime to) const {
  std::vector<uint32_t> chosen;
  for (size_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i].at >= from.ns && entries_[i].at < to.ns) {
      chosen.push_back(static_cast<uint32_t>(i));
    }
  }
  const auto service_of = [&](uint32_t i) { return entries_[i].line >> kServiceShift; };
  // By request and service. Requests are hashes: their lower bits put few into one bucket.
  const uint64_t buckets = std::bit_ceil(chosen.size() + 1);
  const auto bucket_of = [&](uint32_t i) {
    return static_cast<size_t>(entries_[i].request & (buckets - 1));
  };
  std::vector<uint32_t> ends(static_cast<size_t>(buckets) + 1), order(chosen.size());
  for (const uint32_t i : chosen) ++ends[bucket_of(i) + 1];
  std::partial_sum(ends.begin(), ends.end(), ends.begin());
  for (const uint32_t i : chosen) order[ends[bucket_of(i)]++] = i;
  for (size_t bucket = 0, begin = 0; bucket < buckets; begin = ends[bucket++]) {
    if (ends[bucket] - begin < 2) continue;
    std::sort(order.begin() + static_cast<ptrdiff_t>(begin),
              order.begin() + static_cast<ptrdiff_t>(ends[bucket]), [&](uint32_t x, uint32_t y) {
                if (entries_[x].request != entries_[y].request) {
                  return entries_[x].request < entries_[y].request;
                }
                return service_of(x) < service_of(y);
              });
  }
  Edges counts;
  std::vector<Stay> stays;
  for (size_t i = 0; i < order.size(); ++i) {
    const Entry& entry = entries_[order[i]];
    if (stays.empty() || stays.back().service != service_of(order[i])) {
      stays.push_back({service_of(order[i]), entry.at, entry.at});
    }
    stays.back().first = std::min(stays.back().first, entry.at);
    stays.back().last = std::max(stays.back().last, entry.at);
    stays.back().only_answers =
        stays.back().only_answers && is_answer(templates_[entry.line & (kErrorBit - 1)]);
    if (i + 1 < order.size() && entries_[order[i + 1]].request == entry.request) continue;
    count_calls(stays, counts);
    stays.clear();
  }
  std::vector<Call> out;
  for (const auto& [edge, requests] : counts) {
    out.push_back({services_[edge.first], services_[edge.second], requests});
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const Call& a, const Call& b) { return a.requests > b.requests; });
  return out;
}

std::vector<RequestTrail::Logged> RequestTrail::logged(WallTime from, WallTime to) const {
  std::unordered_map<TemplateId, Logged> counts;
  for (const Entry& entry : entries_) {
    if (entry.at < from.ns || entry.at >= to.ns) continue;
    Logged& one = counts[templates_[entry.line & (kErrorBit - 1)]];
    ++one.lines;
    one.errors += (entry.line & kErrorBit) != 0 ? 1U : 0U;
  }
  std::vector<Logged> out;
  for (auto& [line, one] : counts) {
    one.line = line;
    out.push_back(one);
  }
  std::sort(out.begin(), out.end(), [](const Logged& a, const Logged& b) {
    return std::tie(b.errors, b.lines, a.line) < std::tie(a.errors, a.lines, b.line);
  });
  return out;
}

std::vector<std::pair<std::string, uint64_t>> RequestTrail::speakers(WallTime from,
                                                                     WallTime to) const {
  std::vector<uint64_t> counts(services_.size());
  for (const Entry& entry : entries_) {
    if (entry.at >= from.ns && entry.at < to.ns) ++counts[entry.line >> kServiceShift];
  }
  std::vector<std::pair<std::string, uint64_t>> out;
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] > 0) out.emplace_back(services_[i], counts[i]);
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace nines::incident
