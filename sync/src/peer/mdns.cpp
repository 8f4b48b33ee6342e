#include "nines/peer/mdns.hpp"

#include <algorithm>

#include "peer/dns_packet.hpp"

namespace nines::peer {
namespace {

const std::string kService = "_nines._tcp.local";
constexpr uint32_t kTtlS = 120;
constexpr uint32_t kMostTtlS = 3600;
constexpr int64_t kFirstAskMs = 1'000, kMostAskMs = 60'000;
constexpr int64_t kAnnounceMs = 1'000;
constexpr int kAnnouncements = 2;
constexpr int64_t kAnswerEveryMs = 1'000;  // RFC 6762, 6: a record at most once a second
constexpr size_t kMaxAddresses = 8;        // of one node

Instant plus_ms(Instant t, int64_t ms) { return {t.ns + ms * kNsPerMs}; }

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

std::string to_text(const Mdns::Address& address) {
  std::string text;
  for (const uint8_t part : address) text += (text.empty() ? "" : ".") + std::to_string(part);
  return text;
}

// A host name has letters, digits and hyphens.
std::string host_of(std::string_view node) {
  std::string host;
  for (const char c : node.substr(0, 63)) {
    const bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    host += good ? c : '-';
  }
  return host + ".local";
}

}  // namespace

Mdns::Mdns(MdnsSettings settings, Instant now)
    : settings_(std::move(settings)),
      instance_(dns::as_label(settings_.node) + "." + kService),
      host_(host_of(settings_.node)),
      ask_at_(now),
      announce_at_(now),
      answered_at_(plus_ms(now, -kAnswerEveryMs)),
      ask_every_ms_(kFirstAskMs),
      random_(settings_.seed) {
  ask_at_ = plus_ms(now, 20 + static_cast<int64_t>(chance(100)));  // RFC 6762, 5.2
}

uint64_t Mdns::chance(uint64_t below) {
  random_ = random_ * 6364136223846793005ULL + 1442695040888963407ULL;
  return (random_ >> 33) % below;
}

void Mdns::set_addresses(std::vector<Address> addresses, Instant now) {
  std::sort(addresses.begin(), addresses.end());
  addresses.resize(std::min(addresses.size(), kMaxAddresses));
  if (addresses == addresses_) return;
  addresses_ = std::move(addresses);
  announcements_ = kAnnouncements;
  announce_at_ = now;
  ask_every_ms_ = kFirstAskMs;  // another network: who is there?
  ask_at_ = std::min(ask_at_, plus_ms(now, kFirstAskMs));
}

void Mdns::announce(uint32_t ttl_s) {
  if (settings_.port == 0 || addresses_.empty()) return;
  dns::Message message;
  message.response = true;
  const auto record = [&](const std::string& name, dns::Type type, bool unique) -> dns::Record& {
    dns::Record one;
    one.name = name;
    one.type = type;
    one.ttl_s = ttl_s;
    one.unique = unique;
    message.records.push_back(std::move(one));
    return message.records.back();
  };
  record(kService, dns::Type::ptr, false).target = instance_;
  dns::Record& where = record(instance_, dns::Type::srv, true);
  where.port = settings_.port;
  where.target = host_;
  record(instance_, dns::Type::txt, true).texts = {"cluster=" + settings_.cluster};
  for (const Address& address : addresses_) {
    record(host_, dns::Type::a, true).data.assign(address.begin(), address.end());
  }
  out_.push_back(dns::encode(message));
}

// With what is known, so that those need not answer (RFC 6762, 7.1).
void Mdns::ask(Instant now) {
  dns::Message message;
  message.questions.push_back({kService, dns::Type::ptr});
  for (const auto& [name, node] : nodes_) {
    const int64_t left_s = (node.until.ns - now.ns) / kNsPerSecond;
    if (!node.ours || left_s < kTtlS / 2) continue;
    dns::Record known;
    known.name = kService;
    known.type = dns::Type::ptr;
    known.ttl_s = static_cast<uint32_t>(left_s);
    known.target = name;
    message.records.push_back(std::move(known));
  }
  out_.push_back(dns::encode(message));
  ++counters_.asked;
}

void Mdns::tick(Instant now) {
  forget(now);
  if (now >= ask_at_) {
    ask(now);
    ask_at_ = plus_ms(now, ask_every_ms_ + static_cast<int64_t>(chance(100)));
    ask_every_ms_ = std::min(ask_every_ms_ * 2, kMostAskMs);
  }
  if (announcements_ > 0 && now >= announce_at_) {
    announce(kTtlS);
    --announcements_;
    announce_at_ = plus_ms(now, kAnnounceMs);
  }
}

void Mdns::leave() { announce(0); }

std::vector<std::string> Mdns::take() {
  std::vector<std::string> out;
  out.swap(out_);
  return out;
}

Mdns::Node* Mdns::node_of(const std::string& instance) {
  const auto it = nodes_.find(instance);
  if (it != nodes_.end()) return &it->second;
  if (nodes_.size() >= kMaxFound) {
    ++counters_.refused;
    return nullptr;
  }
  return &nodes_[instance];
}

void Mdns::received(std::string_view datagram, Instant now) {
  const auto message = dns::decode(datagram);
  if (!message.ok()) {
    ++counters_.damaged;
    return;
  }
  if (!message->response) {
    bool asks = false, knows = false;
    for (const auto& question : message->questions) {
      const bool type = question.type == dns::Type::ptr || question.type == dns::Type::any;
      asks = asks || (type && dns::same_name(question.name, kService));
    }
    for (const auto& record : message->records) {
      knows = knows || (record.type == dns::Type::ptr && record.ttl_s >= kTtlS / 2 &&
                        dns::same_name(record.target, instance_));
    }
    if (!asks || knows || now < plus_ms(answered_at_, kAnswerEveryMs)) return;
    answered_at_ = now;
    ++counters_.answered;
    announce(kTtlS);
    return;
  }
  const std::string service = "." + kService;
  for (const auto& record : message->records) {
    const Instant until = plus_ms(now, int64_t{std::min(record.ttl_s, kMostTtlS)} * 1000);
    const std::string name = lower(record.name);
    if (record.type == dns::Type::a) {
      if (hosts_.size() >= kMaxFound && hosts_.count(name) == 0) continue;
      Host& host = hosts_[name];
      Address address{};
      std::copy(record.data.begin(), record.data.end(), address.begin());
      const bool there =
          std::find(host.addresses.begin(), host.addresses.end(), address) != host.addresses.end();
      if (!there && host.addresses.size() < kMaxAddresses) host.addresses.push_back(address);
      host.until = until;
      continue;
    }
    if (!name.ends_with(service) || dns::same_name(record.name, instance_)) continue;
    if (record.type != dns::Type::srv && record.type != dns::Type::txt) continue;
    Node* const node = node_of(name);
    if (node == nullptr) continue;
    node->until = until;
    if (record.type == dns::Type::srv) {
      node->port = record.port;
      node->host = lower(record.target);
      hosts_.erase(node->host);  // its addresses follow
    } else {
      const std::string wanted = "cluster=" + settings_.cluster;
      node->ours =
          std::find(record.texts.begin(), record.texts.end(), wanted) != record.texts.end();
    }
  }
}

void Mdns::forget(Instant now) {
  std::erase_if(nodes_, [now](const auto& entry) { return entry.second.until <= now; });
  std::erase_if(hosts_, [now](const auto& entry) { return entry.second.until <= now; });
}

std::vector<std::string> Mdns::found(Instant now) const {
  std::vector<std::string> out;
  for (const auto& [name, node] : nodes_) {
    const auto host = hosts_.find(node.host);
    if (!node.ours || node.port == 0 || node.until <= now || host == hosts_.end()) continue;
    for (const Address& address : host->second.addresses) {
      out.push_back(to_text(address) + ":" + std::to_string(node.port));
    }
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace nines::peer
