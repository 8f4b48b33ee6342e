// What is learned from lines does not depend on how fast it is learned: digests of templates,
// counts and trails that were recorded with plain hash tables and one pass over every word. Whoever
// means to change what is learned records them anew; whoever makes it cheaper must not.
#include <array>
#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

#include "loghub.hpp"
#include "nines/incident/request_mark.hpp"
#include "nines/incident/request_trail.hpp"
#include "nines/incident/template_miner.hpp"
#include "nines/incident/template_watch.hpp"

namespace nines::incident {
namespace {

constexpr int64_t kStartS = 1'767'571'200;

class Digest {
 public:
  void add(uint64_t value) {
    for (int i = 0; i < 8; ++i) byte(static_cast<uint8_t>(value >> (8 * i)));
  }
  void add(std::string_view text) {
    add(text.size());
    for (const char c : text) byte(static_cast<uint8_t>(c));
  }
  uint64_t value() const { return hash_; }

 private:
  void byte(uint8_t value) { hash_ = (hash_ ^ value) * 0x100000001b3ULL; }
  uint64_t hash_ = 0xcbf29ce484222325ULL;
};

struct Logged {
  int64_t ms = 0;
  std::string service, message, request, span;
  bool error = false;
};

struct Limits {
  MinerLimits miner;
  WatchLimits watch;
  TrailLimits trail;
};

// As the agent does it, line by line.
class Learner {
 public:
  explicit Learner(Limits limits = {})
      : miner_(limits.miner), watch_(limits.watch), trail_(limits.trail) {}

  void line(const Logged& line) {
    const WallTime at{kStartS * kNsPerSecond + line.ms * kNsPerMs};
    advance(at);
    TemplateId id = 0;
    if (!line.message.empty()) {
      const TemplateMiner::Found found = miner_.add(line.message);
      id = found.id;
      lines_.add(id);
      lines_.add(found.fresh ? 1 : 0);
      for (const TemplateMiner::Merge& merge : miner_.take_merges()) {
        lines_.add(merge.from);
        lines_.add(merge.to);
        trail_.merge(merge.from, merge.to);
        watch_.merge(merge.from, merge.to);
      }
      RequestMark mark{line.request, line.span};
      if (mark.request.empty()) mark = find_request(line.message);
      trail_.add({at, mark.request, mark.span, line.service, id, line.error});
    }
    watch_.count(line.service, id, line.error, at);
  }

  uint64_t lines() const { return lines_.value(); }
  uint64_t templates() const {
    Digest out;
    out.add(miner_.save());
    const TemplateMiner::Stats stats = miner_.stats();
    for (const uint64_t number :
         {uint64_t{stats.templates}, stats.messages, stats.merges, stats.forgotten}) {
      out.add(number);
    }
    return out.value();
  }
  uint64_t trail() const {
    Digest out;
    out.add(trail_.save({INT64_MIN}, {INT64_MAX}));
    out.add(trail_.left_out());
    return out.value();
  }
  // Integers only: what is usual is computed by the C library's logarithms.
  uint64_t counts() const {
    Digest out;
    const WallTime since{(now_s_ - 300) * kNsPerSecond};
    for (const ServiceRate& rate : watch_.rates(since)) {
      out.add(rate.service);
      out.add(rate.lines);
      out.add(rate.errors);
    }
    for (const Hearing& one : watch_.hearing()) {
      out.add(one.service);
      for (const int64_t number : {one.last.ns, one.quiet_s, one.longest_s, int64_t{one.days}}) {
        out.add(static_cast<uint64_t>(number));
      }
    }
    for (const ErrorCourse& course : watch_.busy_errors(1)) {
      out.add(course.service);
      out.add(course.line);
      for (const uint32_t lines : course.slots) out.add(lines);
    }
    const TemplateWatch::Stats stats = watch_.stats();
    for (const uint64_t number :
         {uint64_t{stats.services}, uint64_t{stats.templates}, stats.lines, stats.late,
          stats.left_out, stats.forgotten, stats.first_seen_dropped}) {
      out.add(number);
    }
    out.add(first_seen_.value());
    return out.value();
  }

 private:
  void advance(WallTime at) {
    constexpr int64_t kSlotNs = TemplateWatch::kSlotS * kNsPerSecond;
    const int64_t slot_s = at.ns / kSlotNs * TemplateWatch::kSlotS;
    if (slot_s <= now_s_) return;
    // Now and then the input lags, or an incident is open.
    const int64_t which = slot_s / TemplateWatch::kSlotS;
    watch_.advance(WallTime::from_s(slot_s), {which % 50 != 0, which % 90 >= 9});
    now_s_ = slot_s;
    for (const FirstSeen& seen : watch_.take_first_seen()) {
      first_seen_.add(seen.service);
      first_seen_.add(seen.line);
    }
  }

  TemplateMiner miner_;
  TemplateWatch watch_;
  RequestTrail trail_;
  Digest lines_, first_seen_;
  int64_t now_s_ = 0;
};

// Requests that pass some of a dozen services, in messages of all kinds.
class Traffic {
 public:
  explicit Traffic(uint32_t seed) : chance_(seed) {}

  std::vector<Logged> lines(size_t count) {
    std::vector<Logged> out;
    int64_t ms = 0;
    while (out.size() < count) {
      ms += 1 + below(400);
      if (below(5000) == 0) ms += 120'000;  // a pause
      request(ms, out);
    }
    return out;
  }

 private:
  uint32_t below(uint32_t n) { return static_cast<uint32_t>(chance_() % n); }
  template <size_t N>
  std::string one_of(const std::array<const char*, N>& list) {
    return list[below(N)];
  }
  std::string number() { return std::to_string(below(below(2) == 0 ? 10 : 2'000'000)); }
  std::string hex(size_t size) {
    std::string out;
    for (size_t i = 0; i < size; ++i) out += "0123456789abcdef"[below(16)];
    return out;
  }

  // Of braces the parts are made from left to right, whatever the compiler.
  static std::string join(std::initializer_list<std::string> parts) {
    std::string out;
    for (const std::string& part : parts) out += part;
    return out;
  }

  std::string message() {
    constexpr std::array kThings{"session", "connection", "order", "payment", "lease", "token"};
    constexpr std::array kVerbs{"opened", "closed", "refused", "accepted", "lost", "retried"};
    constexpr std::array kNames{"alice", "bob", "carol", "dave", "erin", "frank", "grace"};
    constexpr std::array kWords{"checkpoint", "compaction", "rebalance", "snapshot", "élection"};
    switch (below(12)) {
      case 0: return "request done";
      case 1: return "request failed: upstream timed out";
      case 2:
        return join({one_of(kThings), " ", one_of(kVerbs), " for user ", one_of(kNames),
                     " from 10.0.", number(), ".", number(), ":", number()});
      case 3: return join({"took ", number(), " ms to read ", number(), ".", number(), " KB"});
      case 4: return join({one_of(kWords), " of shard-", number(), " at /var/lib/x/", hex(6)});
      case 5: return join({"blk_", number(), " blk_", number(), " received from db.example.org"});
      case 6: return join({"Fri Jul  ", number(), " 07:57:30 2005 it ended......", number()});
      case 7: return join({"x=", number(), ", y=(", number(), ") [", one_of(kNames), "]"});
      case 8: return join({"trace_id=", hex(16), " span_id=", hex(8), " ", one_of(kVerbs)});
      case 9: return join({"station FF:FE:9F:16:EB:", hex(2), " joined ", hex(8 + below(3))});
      case 10:
        return join({std::string(below(90), 'q'), " ", number(), std::string(below(30), '7')});
      default: return {};
    }
  }

  void request(int64_t ms, std::vector<Logged>& out) {
    const std::string id = below(4) == 0 ? "" : hex(below(2) == 0 ? 16 : 32);
    const uint32_t lines = 1 + below(8);
    for (uint32_t i = 0; i < lines; ++i) {
      Logged line;
      line.ms = ms + i * 3 + below(3);
      line.service = below(3) == 0 ? "shop" : "a-service-with-a-long-name-" + number();
      if (below(40) != 0) line.service.resize(std::min<size_t>(line.service.size(), 28));
      line.message = message();
      line.request = id;
      if (!id.empty() && below(3) != 0) line.span = hex(16);
      line.error = below(9) == 0;
      if (below(3000) == 0) line.ms -= 600'000;  // late
      if (below(3000) == 0) line.ms += 600'000;  // ahead
      out.push_back(std::move(line));
    }
  }

  std::mt19937 chance_;
};

struct Digests {
  uint64_t lines = 0, templates = 0, trail = 0, counts = 0;
  bool operator==(const Digests&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Digests& d) {
  return out << "{0x" << std::hex << d.lines << ", 0x" << d.templates << ", 0x" << d.trail << ", 0x"
             << d.counts << std::dec << "}";
}

Digests learned(const Limits& limits, const std::vector<Logged>& lines) {
  Learner learner(limits);
  for (const Logged& line : lines) learner.line(line);
  return {learner.lines(), learner.templates(), learner.trail(), learner.counts()};
}

}  // namespace

TEST_CASE("What is learned of generated lines is what the plain way learned", "[learning]") {
  Limits limits;
  limits.trail.max_lines = 30'000;
  limits.watch.learn_minutes = 10;
  CHECK(learned(limits, Traffic(1).lines(120'000)) ==
        Digests{0xc61ac5a9fb1679f3, 0xf0ee0d33e26149c8, 0x52141bb06d1803eb, 0xb7ee557273d5e527});
}

TEST_CASE("With little room the same is forgotten at the same time", "[learning]") {
  Limits limits;
  limits.miner.max_templates = 48;
  limits.watch = {5, 40, 4, 5};
  limits.trail.max_lines = 2'000;
  limits.trail.max_services = 6;
  limits.trail.max_templates = 30;
  CHECK(learned(limits, Traffic(2).lines(60'000)) ==
        Digests{0x40b3e41c1871eb7f, 0x78173095a780652b, 0x8c39f095398ae075, 0x8a5f210821914db8});
}

TEST_CASE("What is learned of the logs of LogHub is what the plain way learned", "[learning]") {
  constexpr std::array kSets{"Apache",    "BGL",   "HDFS",    "Hadoop",
                             "HealthApp", "Linux", "OpenSSH", "Zookeeper"};
  std::vector<Logged> lines;
  for (const char* const set : kSets) {
    for (test::LabelledLine& line : test::loghub(set)) {
      Logged& logged = lines.emplace_back();
      logged.ms = static_cast<int64_t>(lines.size()) * 20;
      logged.service = set;
      logged.message = std::move(line.content);
      logged.request = std::to_string(lines.size() / 5);
    }
  }
  if (lines.size() != kSets.size() * 2'000) {
    WARN("######## SKIPPED: no LogHub here ########");
    return;
  }
  CHECK(learned({}, lines) ==
        Digests{0x5c77c867f9d563c0, 0xf1dc66de63f8424d, 0x7b2711575d71369d, 0xbde9e1a5c0746927});
}

}  // namespace nines::incident
