#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

#include "broker/json_fields.hpp"
#include "broker/ordered_consumer.hpp"
#include "broker/units.hpp"
#include "nines/base/bytes_text.hpp"
#include "nines/base/json_writer.hpp"
#include "nines/broker/fleet_stream.hpp"

namespace nines::broker {
namespace {

constexpr int64_t kNoStream = 10059, kStreamExists = 10058, kWrongLast = 10071, kNoMessage = 10037;
constexpr int64_t kDuplicatesS = 120;
constexpr size_t kMaxUnsent = 2 * 1024 * 1024;
constexpr int64_t kCeilingS = 2 * 3600;

// "node/boot/alert/sequence" -> (boot, sequence).
std::optional<std::pair<uint64_t, uint64_t>> read_event_id(std::string_view id) {
  const size_t last = id.rfind('/');
  if (last == std::string_view::npos || last < 7 || id.substr(last - 6, 6) != "/alert") {
    return std::nullopt;
  }
  const std::string_view head = id.substr(0, last - 6), tail = id.substr(last + 1);
  const size_t slash = head.rfind('/');
  if (slash == std::string_view::npos) return std::nullopt;
  std::pair<uint64_t, uint64_t> out;
  const auto read = [](std::string_view text, uint64_t& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc{} && end == text.data() + text.size();
  };
  const bool good = read(head.substr(slash + 1), out.first) && read(tail, out.second);
  return good ? std::optional(out) : std::nullopt;
}

}  // namespace

FleetSubjects::FleetSubjects(const std::string& cluster, const std::string& domain) {
  const std::string token = token_of(cluster);
  api = domain.empty() ? "$JS.API." : "$JS." + token_of(domain) + ".API.";
  state_stream = "NINES-STATE-" + token;
  event_stream = "NINES-EVENTS-" + token;
  state = "nines." + token + ".state.";
  event = "nines." + token + ".event.";
}

FleetTeller::FleetTeller(TellerOptions options, fleet::FleetState& state)
    : options_(std::move(options)),
      subjects_(options_.cluster, options_.domain),
      node_(token_of(state.self())),
      state_(state),
      backoff_({1'000, 60'000, 200, 0}, options_.seed) {}

FleetTeller::~FleetTeller() = default;

// --- the connection

void FleetTeller::connected(Bus& bus, Now now) {
  stats_.trouble.clear();
  begin(bus, now);
}

void FleetTeller::lost(Now) {
  if (consumer_) consumer_->lost();
  phase_ = Phase::away;
  sid_ = 0;
  stats_.trouble = "not connected";
}

void FleetTeller::begin(Bus& bus, Now now) {
  inbox_ = bus.inbox();
  sid_ = bus.subscribe(inbox_ + ".*", *this);
  requests_.clear();
  underway_.clear();
  underway_bytes_ = 0;
  event_underway_ = false;
  consumer_.reset();
  for (const auto& [name, told] : told_) before_[name] = told.content;
  told_.clear();
  read_list_ = 0;
  phase_ = Phase::streams;
  ask(Kind::state_info, "STREAM.INFO." + subjects_.state_stream, "", bus, now);
}

void FleetTeller::pause(Bus& bus, Now now, std::string why) {
  if (consumer_) consumer_->stop(bus);
  consumer_.reset();
  bus.unsubscribe(std::exchange(sid_, 0));
  requests_.clear();
  stats_.trouble = std::move(why);
  phase_ = Phase::pausing;
  resume_ = backoff_.next(now.mono);
}

void FleetTeller::ask(Kind kind, const std::string& subject, std::string_view body, Bus& bus,
                      Now now) {
  const uint64_t number = ++next_request_;
  Request request;
  request.kind = kind;
  request.deadline = {now.mono.ns + options_.answer_ms * kNsPerMs};
  requests_[number] = std::move(request);
  bus.publish(subjects_.api + subject, inbox_ + "." + std::to_string(number), {}, body);
}

void FleetTeller::received(uint64_t sid, const BusMessage& message, Bus& bus, Now now) {
  if (consumer_ &&
      consumer_->received(sid, message, bus, *this, now, [&](const Delivered& delivered) {
        read_back(delivered.subject, delivered.body, delivered.sequence, now);
      })) {
    if (phase_ == Phase::reading && !consumer_->trouble().empty()) {
      return pause(bus, now, consumer_->trouble());
    }
    if (phase_ == Phase::reading && consumer_->caught_up()) all_read(bus, now);
    return;
  }
  if (sid != sid_ || phase_ == Phase::pausing || phase_ == Phase::away) return;
  const std::string_view last = message.subject.substr(message.subject.rfind('.') + 1);
  uint64_t number = 0;
  std::from_chars(last.data(), last.data() + last.size(), number);
  const auto found = requests_.find(number);
  if (found == requests_.end()) return;
  const Request request = std::move(found->second);
  requests_.erase(found);
  answered(request, message, bus, now);
}

void FleetTeller::answered(const Request& request, const BusMessage& message, Bus& bus, Now now) {
  if (message.status == 503) {
    return pause(bus, now, "no stream takes it: JetStream is off, or the stream is gone");
  }
  const JsonFields json(message.body);
  if (!json.ok()) return pause(bus, now, "the broker's answer is no JSON");
  switch (request.kind) {
    case Kind::last_event: return on_last_event(json, bus, now);
    case Kind::unit:
    case Kind::event: return acknowledged(request, json, bus, now);
    default: return on_stream(request, json, bus, now);
  }
}

void FleetTeller::tick(Bus& bus, Now now) {
  if (phase_ == Phase::away) return;
  if (phase_ == Phase::pausing) {
    if (now.mono >= resume_) begin(bus, now);
    return;
  }
  for (const auto& [number, request] : requests_) {
    if (now.mono >= request.deadline) return pause(bus, now, "the broker does not answer in time");
  }
  if (phase_ == Phase::reading) return consumer_->tick(bus, *this, now);
  if (phase_ != Phase::telling) return;
  if (looked_ || now.mono.ns - looked_at_.ns >= options_.look_every_ms * kNsPerMs) {
    looked_ = false;
    looked_at_ = now.mono;
    compare();
  }
  fill(bus, now);
}

// --- streams

void FleetTeller::make_stream(bool events, Bus& bus, Now now) {
  const std::string& name = events ? subjects_.event_stream : subjects_.state_stream;
  std::string body;
  JsonWriter out(body);
  out.begin_object().member("name", name);
  out.key("subjects").begin_array();
  out.value(events ? subjects_.event + "*" : subjects_.state + ">").end_array();
  out.member("retention", "limits").member("storage", "file").member("discard", "old");
  out.member("max_msgs_per_subject", events ? -1 : 1).member("max_consumers", -1);
  out.member("max_msgs", -1).member("max_bytes", -1).member("max_msg_size", -1);
  out.member("max_age", (events ? options_.events_kept_s : options_.state_kept_s) * kNsPerSecond);
  out.member("num_replicas", options_.replicas);
  out.member("duplicate_window", kDuplicatesS * kNsPerSecond).end_object();
  ask(events ? Kind::event_made : Kind::state_made, "STREAM.CREATE." + name, body, bus, now);
}

void FleetTeller::on_stream(const Request& request, const JsonFields& json, Bus& bus, Now now) {
  const bool events = request.kind == Kind::event_info || request.kind == Kind::event_made;
  const std::string& name = events ? subjects_.event_stream : subjects_.state_stream;
  const bool asked = request.kind == Kind::state_info || request.kind == Kind::event_info;
  const int64_t error = json.number("/error/err_code").value_or(json.has("/error") ? 1 : 0);
  if (asked && error == kNoStream) return make_stream(events, bus, now);
  if (error == kStreamExists) {  // another node was faster, or it is made otherwise
    return pause(bus, now, "the stream " + name + " exists with other settings");
  }
  if (error != 0) {
    return pause(bus, now, "the stream " + name + ": " + json.text("/error/description"));
  }
  if (!events && json.number("/config/max_msgs_per_subject") != 1) {
    return pause(bus, now, "the stream " + name + " must have max_msgs_per_subject 1");
  }
  stats_.streams_made += !asked;
  if (!events) return ask(Kind::event_info, "STREAM.INFO." + subjects_.event_stream, "", bus, now);
  start_reading(bus, now);
}

// --- what the stream has

void FleetTeller::start_reading(Bus& bus, Now now) {
  phase_ = Phase::reading;
  ++stats_.resyncs;
  consumer_ = std::make_unique<OrderedConsumer>(subjects_.api, subjects_.state_stream,
                                                subjects_.state + node_ + ".>");
  consumer_->start(bus, *this, now);
}

void FleetTeller::read_back(std::string_view subject, std::string_view body, uint64_t sequence,
                            Now now) {
  const std::string prefix = subjects_.state + node_ + ".";
  if (!subject.starts_with(prefix)) return;
  const std::string_view name = subject.substr(prefix.size());
  const auto message = decode_unit(name, body);
  Told& told = told_[std::string(name)];
  told = {0, sequence, 0};
  if (!message || message->origin != state_.self()) return;  // it is told anew
  told.content = message->content;
  if (name == kWho) read_list_ = message->list;
  const WallTime ceiling{now.wall.ns + kCeilingS * kNsPerSecond};
  for (const auto& piece : message->pieces) {
    state_.merge(piece, ceiling);
    // A later life of this node than any that its store knows: its cells are adopted by a later
    // one.
    if (state_.foreign_boot() >= state_.boot()) state_.raise_boot(state_.foreign_boot() + 1);
  }
}

void FleetTeller::all_read(Bus& bus, Now now) {
  consumer_->stop(bus);
  consumer_.reset();
  for (const auto& [name, content] : std::exchange(before_, {})) {
    const auto held = told_.find(name);
    stats_.missing += held == told_.end() || held->second.content != content;
  }
  const auto info = state_.info(state_.self());
  list_hash_ = list_hash(info->series);
  ++lists_;
  if (read_list_ == list_hash_) {
    for (auto& [name, told] : told_) told.lists = lists_;
  }
  phase_ = Phase::cursor;
  std::string body;
  JsonWriter(body).begin_object().member("last_by_subj", subjects_.event + node_).end_object();
  ask(Kind::last_event, "STREAM.MSG.GET." + subjects_.event_stream, body, bus, now);
}

void FleetTeller::on_last_event(const JsonFields& json, Bus& bus, Now now) {
  const int64_t error = json.number("/error/err_code").value_or(json.has("/error") ? 1 : 0);
  if (error != 0 && error != kNoMessage) {
    return pause(bus, now, "the last event: " + json.text("/error/description"));
  }
  event_cursor_ = {};
  event_sequence_ = 0;
  if (error == 0) {
    event_sequence_ = static_cast<uint64_t>(json.number("/message/seq").value_or(0));
    const std::string headers = bytes_of_base64(json.text("/message/hdrs")).value_or(std::string());
    BusMessage message;
    message.headers = headers;
    const auto id = read_event_id(header_of(message, "Nats-Msg-Id"));
    if (id) event_cursor_ = *id;
  }
  phase_ = Phase::telling;
  stats_.trouble.clear();
  compare();
  fill(bus, now);
}

// --- telling

void FleetTeller::compare() {
  const std::string& self = state_.self();
  const auto info = state_.info(self);
  const uint64_t list = list_hash(info->series);
  if (list != list_hash_) {
    list_hash_ = list;
    ++lists_;
  }
  units_.clear();
  const auto add = [this](const fleet::PartDigest& part) {
    const std::string name = unit_of(part.key);
    if (name.empty()) return;
    Unit& unit = units_[name];
    unit.content ^= content_of(part.key, part.hash);
    unit.keys.push_back(part.key);
  };
  for (const auto& part : state_.parts(self)) {
    if (part.key.kind != fleet::PartKind::series) {
      add(part);
      continue;
    }
    for (const auto& inner : state_.parts(self, part.key.id)) add(inner);
  }
  dirty_.clear();
  for (const auto& [name, unit] : units_) {
    const auto told = told_.find(name);
    const bool same = told != told_.end() && told->second.content == unit.content &&
                      (told->second.lists == lists_ || name == kWho);
    if (!same && !underway_.contains(name)) dirty_.insert(name);
  }
  events_.clear();
  for (auto& event : state_.events(self, fleet::FleetEvent::Stream::alerts)) {
    if (EventId{event.boot, event.sequence} > event_cursor_) events_.push_back(std::move(event));
  }
  const auto id = [](const fleet::FleetEvent& e) { return EventId{e.boot, e.sequence}; };
  std::sort(events_.begin(), events_.end(),
            [&](const auto& a, const auto& b) { return id(a) > id(b); });  // the next one is last
  count_waiting();
}

void FleetTeller::count_waiting() {
  stats_.waiting = dirty_.size() + underway_.size() + events_.size() + (event_underway_ ? 1 : 0);
}

bool FleetTeller::settled() const {
  return phase_ == Phase::telling && !looked_ && stats_.waiting == 0;
}

void FleetTeller::fill(Bus& bus, Now now) {
  tell_event(bus, now);
  const auto room = [&] {
    return underway_.size() < options_.window && underway_bytes_ < options_.window_bytes &&
           bus.unsent() < kMaxUnsent;
  };
  for (auto next = dirty_.begin(); next != dirty_.end() && room();) {
    const bool who = *next == kWho;
    if (who && (dirty_.size() > 1 || !underway_.empty())) {  // it is told when all else is there
      ++next;
      continue;
    }
    const std::string name = *next;
    next = dirty_.erase(next);
    if (tell(name, bus, now)) underway_.insert(name);
  }
  count_waiting();
}

bool FleetTeller::tell(const std::string& name, Bus& bus, Now now) {
  const Unit& unit = units_[name];
  const std::string body = encode_unit(state_, unit.keys);
  constexpr size_t kHeaderRoom = 1024;
  if (body.empty() || body.size() + kHeaderRoom > bus.max_payload()) {
    ++stats_.oversized;
    told_[name].content = unit.content;  // nothing that trying again would change
    told_[name].lists = lists_;
    return false;
  }
  const std::string after = std::to_string(told_[name].sequence);
  const std::string id = node_ + "/" + std::to_string(state_.boot()) + "/" + name + "/" +
                         hex_of(unit.content) + "/" + std::to_string(lists_) + "/" + after;
  const uint64_t number = ++next_request_;
  requests_[number] = {Kind::unit, name,        unit.content,
                       lists_,     body.size(), {now.mono.ns + options_.answer_ms * kNsPerMs}};
  underway_bytes_ += body.size();
  const std::array<Header, 2> headers = {Header{"Nats-Msg-Id", id},
                                         {"Nats-Expected-Last-Subject-Sequence", after}};
  bus.publish(subjects_.state + node_ + "." + name, inbox_ + "." + std::to_string(number), headers,
              body);
  return true;
}

void FleetTeller::tell_event(Bus& bus, Now now) {
  if (event_underway_ || events_.empty() || bus.unsent() >= kMaxUnsent) return;
  const fleet::FleetEvent& event = events_.back();
  const std::string after = std::to_string(event_sequence_), id = event_id(state_.self(), event);
  const std::string body = event_json(state_.self(), options_.version, event);
  const uint64_t number = ++next_request_;
  requests_[number] = {Kind::event,    {},          event.boot,
                       event.sequence, body.size(), {now.mono.ns + options_.answer_ms * kNsPerMs}};
  const std::array<Header, 2> headers = {Header{"Nats-Msg-Id", id},
                                         {"Nats-Expected-Last-Subject-Sequence", after}};
  event_underway_ = true;
  bus.publish(subjects_.event + node_, inbox_ + "." + std::to_string(number), headers, body);
}

void FleetTeller::acknowledged(const Request& request, const JsonFields& json, Bus& bus, Now now) {
  const int64_t error = json.number("/error/err_code").value_or(json.has("/error") ? 1 : 0);
  if (error == kWrongLast) {
    ++stats_.conflicts;
    return pause(bus, now, "the stream has another message than the last one told");
  }
  const auto sequence = json.number("/seq");
  if (error != 0 || !sequence || *sequence <= 0) {
    return pause(bus, now, "not stored: " + json.text("/error/description"));
  }
  backoff_.succeeded();
  stats_.duplicates += json.flag("/duplicate");
  stats_.bytes += request.bytes;
  if (request.kind == Kind::event) {
    ++stats_.events;
    event_underway_ = false;
    event_sequence_ = static_cast<uint64_t>(*sequence);
    event_cursor_ = {request.content, request.lists};
    while (!events_.empty() &&
           EventId{events_.back().boot, events_.back().sequence} <= event_cursor_) {
      events_.pop_back();
    }
  } else {
    ++stats_.units;
    underway_.erase(request.unit);
    underway_bytes_ -= request.bytes;
    told_[request.unit] = {request.content, static_cast<uint64_t>(*sequence), request.lists};
    const Unit& unit = units_[request.unit];
    const bool same = unit.content == request.content && request.lists == lists_;
    if (!same) dirty_.insert(request.unit);
  }
  fill(bus, now);
}

}  // namespace nines::broker
