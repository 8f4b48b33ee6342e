#include "broker/ordered_consumer.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "broker/json_fields.hpp"
#include "nines/base/json_writer.hpp"

namespace nines::broker {
namespace {

constexpr int64_t kHeartbeatNs = 5 * kNsPerSecond, kSilenceNs = 3 * kHeartbeatNs;
constexpr int64_t kRetryNs = 5 * kNsPerSecond, kInactiveNs = 30 * kNsPerSecond;
constexpr int64_t kRewindNs = 300 * kNsPerSecond;

struct Place {
  uint64_t sequence = 0, number = 0, pending = 0;
  int64_t stored_ns = 0;
};

// $JS.ACK.[domain.account.]stream.consumer.delivered.sequence.number.time.pending[.random]
std::optional<Place> place_of(std::string_view reply) {
  std::array<std::string_view, 12> tokens;
  size_t count = 0;
  for (; count < tokens.size() && !reply.empty(); ++count) {
    const size_t dot = reply.find('.');
    tokens[count] = reply.substr(0, dot);
    reply = dot == std::string_view::npos ? std::string_view() : reply.substr(dot + 1);
  }
  if (count < 9 || count == 10 || tokens[0] != "$JS" || tokens[1] != "ACK") return std::nullopt;
  const size_t at = count == 9 ? 5 : 7;
  Place place;
  const auto read = [](std::string_view text, auto& out) {
    return std::from_chars(text.data(), text.data() + text.size(), out).ec == std::errc{};
  };
  const bool good = read(tokens[at], place.sequence) && read(tokens[at + 1], place.number) &&
                    read(tokens[at + 2], place.stored_ns) && read(tokens[at + 3], place.pending);
  return good ? std::optional(place) : std::nullopt;
}

}  // namespace

OrderedConsumer::OrderedConsumer(std::string api, std::string stream, std::string filter)
    : api_(std::move(api)), stream_(std::move(stream)), filter_(std::move(filter)) {}

void OrderedConsumer::start(Bus& bus, Participant& owner, Now now) {
  const std::string inbox = inbox_ = bus.inbox();
  reply_sid_ = bus.subscribe(inbox + ".r", owner);
  sid_ = bus.subscribe(inbox + ".d", owner);
  created_ = false;
  delivered_ = wanted_ = 0;
  pending_ = 1;
  heard_ = now.mono;
  retry_ = {};
  std::string body;
  JsonWriter out(body);
  out.begin_object().member("stream_name", stream_).key("config").begin_object();
  out.member("deliver_subject", inbox + ".d").member("ack_policy", "none").member("max_deliver", 1);
  if (newest_.ns == 0) {
    out.member("deliver_policy", "all");
  } else {
    out.member("deliver_policy", "by_start_time");
    out.member("opt_start_time", format_rfc3339({newest_.ns - kRewindNs}));
  }
  if (!filter_.empty()) out.member("filter_subject", filter_);
  out.member("replay_policy", "instant").member("flow_control", true);
  out.member("idle_heartbeat", kHeartbeatNs).member("inactive_threshold", kInactiveNs);
  out.member("mem_storage", true).member("num_replicas", 1).end_object().end_object();
  bus.publish(api_ + "CONSUMER.CREATE." + stream_, inbox + ".r", {}, body);
}

void OrderedConsumer::stop(Bus& bus) {
  if (!name_.empty()) bus.publish(api_ + "CONSUMER.DELETE." + stream_ + "." + name_, "", {}, "");
  bus.unsubscribe(std::exchange(reply_sid_, 0));
  bus.unsubscribe(std::exchange(sid_, 0));
  name_.clear();
  created_ = false;
}

void OrderedConsumer::lost() {
  reply_sid_ = sid_ = 0;
  name_.clear();
  created_ = false;
}

bool OrderedConsumer::uses(const Denied& what) const {
  if (sid_ == 0) return false;
  if (what.publish) return what.subject == api_ + "CONSUMER.CREATE." + stream_;
  return what.subject == inbox_ + ".r" || what.subject == inbox_ + ".d";
}

void OrderedConsumer::restart(Bus& bus, Participant& owner, Now now) {
  ++restarts_;
  stop(bus);
  start(bus, owner, now);
}

bool OrderedConsumer::received(uint64_t sid, const BusMessage& message, Bus& bus,
                               Participant& owner, Now now, const Take& take) {
  if (sid == 0 || (sid != sid_ && sid != reply_sid_)) return false;
  heard_ = now.mono;
  if (sid == reply_sid_) {
    on_created(message, now);
    return true;
  }
  if (message.status != 0) {
    on_control(message, bus, owner, now);
    return true;
  }
  const auto place = place_of(message.reply);
  if (!place) return true;
  if (place->number != delivered_ + 1) {
    restart(bus, owner, now);
    return true;
  }
  ++delivered_;
  pending_ = place->pending;
  newest_.ns = std::max(newest_.ns, place->stored_ns);
  take({message.subject, message.body, place->sequence, {place->stored_ns}});
  return true;
}

void OrderedConsumer::on_created(const BusMessage& message, Now now) {
  const JsonFields json(message.body);
  if (message.status == 503) {
    trouble_ = "JetStream is not there";
  } else if (json.has("/error")) {
    trouble_ = "the stream " + stream_ + " cannot be read: " + json.text("/error/description");
  } else if (!json.text("/name").empty()) {
    trouble_.clear();
    name_ = json.text("/name");
    created_ = true;
    wanted_ = static_cast<uint64_t>(
        std::max<int64_t>(0, json.number("/num_pending").value_or(0)) +
        std::max<int64_t>(0, json.number("/delivered/consumer_seq").value_or(0)));
    return;
  } else {
    trouble_ = "the stream " + stream_ + " cannot be read: no answer that is understood";
  }
  retry_ = {now.mono.ns + kRetryNs};
}

// Heartbeats, flow control, and that the consumer is no more.
void OrderedConsumer::on_control(const BusMessage& message, Bus& bus, Participant& owner, Now now) {
  if (message.status != 100) return restart(bus, owner, now);
  if (!message.reply.empty()) return bus.publish(message.reply, "", {}, "");
  const std::string stalled(header_of(message, "Nats-Consumer-Stalled"));
  if (!stalled.empty()) bus.publish(stalled, "", {}, "");
  const std::string_view last = header_of(message, "Nats-Last-Consumer");
  uint64_t number = 0;
  const auto read = std::from_chars(last.data(), last.data() + last.size(), number);
  if (read.ec == std::errc{} && number != delivered_) restart(bus, owner, now);
}

void OrderedConsumer::tick(Bus& bus, Participant& owner, Now now) {
  if (sid_ == 0) return;
  const bool again = retry_.ns != 0 && now.mono >= retry_;
  if (again || now.mono.ns - heard_.ns > kSilenceNs) restart(bus, owner, now);
}

}  // namespace nines::broker
