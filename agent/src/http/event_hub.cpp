#include "http/event_hub.hpp"

#include <algorithm>
#include <charconv>
#include <deque>
#include <set>
#include <utility>

namespace nines::agent::http {
namespace {

constexpr size_t kPiece = 16 * 1024;  // written at a time

}  // namespace

struct EventHub::Ring {
  Ring(uint64_t life, EventLimits bounds) : boot(life), limits(bounds) {}

  uint64_t boot;
  EventLimits limits;
  uint64_t first = 1;              // sequence of events.front()
  std::deque<std::string> events;  // as they are sent
  EventStats stats;
  std::set<Listener*> listeners;
  std::string last_tick;
  uint64_t ticks = 0;

  uint64_t end() const { return first + events.size(); }  // sequence of the next one

  // Where one who heard `id` last goes on; nullopt: what he missed is not known any more.
  std::optional<uint64_t> after(std::string_view id) const {
    uint64_t life = 0, sequence = 0;
    const size_t dot = std::min(id.find('.'), id.size());
    const auto a = std::from_chars(id.data(), id.data() + dot, life);
    if (dot == id.size() || a.ec != std::errc() || a.ptr != id.data() + dot || life != boot)
      return std::nullopt;
    const char* const last = id.data() + id.size();
    const auto b = std::from_chars(id.data() + dot + 1, last, sequence);
    const bool known =
        b.ec == std::errc() && b.ptr == last && sequence + 1 >= first && sequence < end();
    return known ? std::optional(sequence + 1) : std::nullopt;
  }

  void add(std::string text) {
    stats.bytes += text.size();
    events.push_back(std::move(text));
    while (events.size() > limits.max_events || stats.bytes > limits.max_bytes) {
      stats.bytes -= events.front().size();
      events.pop_front();
      ++first;
    }
  }
  void wake();
};

class EventHub::Listener : public Stream {
 public:
  Listener(std::shared_ptr<Ring> ring, uint64_t from, std::string hello)
      : ring_(std::move(ring)), place_(from), seen_ticks_(ring_->ticks), hello_(std::move(hello)) {
    ring_->listeners.insert(this);
  }
  ~Listener() override { ring_->listeners.erase(this); }

  std::optional<std::string> next() override {
    if (!hello_.empty()) return std::exchange(hello_, {});
    if (place_ < ring_->first) {
      ++ring_->stats.dropped;
      return std::nullopt;
    }
    std::string out;
    for (; place_ < ring_->end() && out.size() < kPiece; ++place_) {
      out += ring_->events[place_ - ring_->first];
    }
    if (place_ == ring_->end() && seen_ticks_ != ring_->ticks) {
      seen_ticks_ = ring_->ticks;
      out += ring_->last_tick;
    }
    return out;
  }
  void on_more(std::function<void()> wake) override { wake_ = std::move(wake); }
  void wake() const {
    if (wake_) wake_();
  }

 private:
  std::shared_ptr<Ring> ring_;
  uint64_t place_;  // sequence of what he hears next
  uint64_t seen_ticks_;
  std::string hello_;
  std::function<void()> wake_;
};

void EventHub::Ring::wake() {
  for (const Listener* one : listeners) one->wake();
}

EventHub::EventHub(uint64_t boot, EventLimits limits)
    : ring_(std::make_shared<Ring>(boot, limits)) {}
EventHub::~EventHub() = default;

void EventHub::publish(std::string_view type, std::string_view data) {
  Ring& ring = *ring_;
  if (data.size() > ring.limits.max_event) {
    ++ring.stats.too_large;
    return;
  }
  std::string text = "id: " + std::to_string(ring.boot) + "." + std::to_string(ring.end());
  text += "\nevent: " + std::string(type) + "\ndata: " + std::string(data) + "\n\n";
  ++ring.stats.published;
  ring.add(std::move(text));
  ring.wake();
}

void EventHub::tick(std::string_view data) {
  ring_->last_tick = "event: tick\ndata: " + std::string(data) + "\n\n";
  ++ring_->ticks;
  ring_->wake();
}

std::shared_ptr<Stream> EventHub::listen(std::string_view last_event_id, std::string hello) {
  Ring& ring = *ring_;
  if (ring.listeners.size() >= ring.limits.max_clients) {
    ++ring.stats.refused;
    return nullptr;
  }
  const auto from = ring.after(last_event_id);
  hello.pop_back();  // its brace
  hello += std::string(hello.size() > 1 ? "," : "") + "\"resumed\":" + (from ? "true" : "false");
  std::string first = "retry: 3000\nevent: hello\ndata: " + hello + "}\n\n";
  return std::make_shared<Listener>(ring_, from.value_or(ring.end()), std::move(first));
}

EventStats EventHub::stats() const {
  EventStats out = ring_->stats;
  out.clients = ring_->listeners.size();
  return out;
}

}  // namespace nines::agent::http
