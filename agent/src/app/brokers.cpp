#include "app/brokers.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "app/fleet_stream.hpp"
#include "app/log.hpp"
#include "app/nats_queries.hpp"
#include "cli/commands.hpp"
#include "nines/broker/fleet_stream.hpp"
#include "nines/broker/mqtt_teller.hpp"
#include "nines/broker/nats_client.hpp"
#include "upstream/broker_settings.hpp"
#include "view/status_json.hpp"

namespace nines::agent {
namespace {

broker::TellerOptions teller_options(const UpstreamConfig& config, uint64_t seed) {
  broker::TellerOptions options;
  options.cluster = config.cluster;
  options.version = kVersion;
  options.domain = config.domain;
  options.replicas = static_cast<int>(config.replicas);
  options.seed = seed;
  return options;
}

broker::MqttOptions mqtt_options(const UpstreamConfig& config, const std::string& node,
                                 std::string will_topic) {
  broker::MqttOptions options;
  options.client_id = "nines-" + config.cluster + "-" + node;
  options.will_topic = std::move(will_topic);
  options.will = "false";
  return options;
}

void notice(const std::string& name, bool good, const std::string& text) {
  log::write(good ? log::Level::info : log::Level::warn, "upstream",
             name + (good ? " is " : " is not told for now: ") + text);
}

}  // namespace

struct Brokers::Nats {
  Nats(boost::asio::io_context& io, const Clock& clock, const UpstreamConfig& wanted,
       const NodeConfig& config, FleetLink& fleet, uint64_t seed)
      : name(wanted.name),
        upstream(wanted),
        client(nats_options(wanted, config.node, seed)),
        teller(teller_options(wanted, seed), fleet.state()),
        heard_by(fleet) {
    const broker::Now now{clock.mono(), clock.wall()};
    client.join(teller, now);
    if (wanted.fleet) {
      view.emplace(wanted);
      client.join(view->reader, now);
      fleet.hear_from(view->state);
    }
    auto settings = link_settings(wanted, seed);
    if (!settings.ok()) {  // the configuration was checked; nothing else can be wrong here
      log::error("upstream", name + ": " + settings.error().message);
      return;
    }
    link = std::make_unique<broker::BrokerLink>(
        io, clock, std::move(*settings), client,
        [this](bool good, const std::string& text) { notice(name, good, text); });
  }

  ~Nats() {
    if (view) heard_by.leave(view->state);
  }

  void look(broker::Now now) {
    teller.look();
    client.wake(teller, now);
    if (link) link->flush();
    if (!client.ready()) return;  // the link says why
    tell_denials(now);
    const std::string now_so = trouble(now);
    if (now_so == told) return;
    told = now_so;
    notice(name, told.empty(), told.empty() ? "told again" : told);
  }
  std::string trouble(broker::Now now) const {
    std::string why = teller.stats().trouble;
    if (why.empty()) return why;
    for (const std::string& denied : client.denials(now.mono)) why += "; " + denied;
    return why;
  }
  // What else it may not do: queries, the fleet.
  void tell_denials(broker::Now now) {
    std::vector<std::string> denied = client.denials(now.mono);
    for (const std::string& one : denied) {
      if (std::find(told_denied.begin(), told_denied.end(), one) != told_denied.end()) continue;
      log::warn("upstream", name + ": " + one);
    }
    told_denied = std::move(denied);
  }

  std::string name, told;
  std::vector<std::string> told_denied;
  const UpstreamConfig upstream;
  broker::NatsClient client;
  broker::FleetTeller teller;
  FleetLink& heard_by;
  std::optional<StreamView> view;
  std::optional<NatsQueries> queries;
  std::unique_ptr<broker::BrokerLink> link;  // drives client
};

struct Brokers::Mqtt {
  Mqtt(boost::asio::io_context& io, const Clock& clock, const UpstreamConfig& wanted,
       const FleetLink& fleet, std::string_view cursor, uint64_t seed)
      : name(wanted.name),
        teller(wanted.cluster, kVersion, fleet.state(), cursor),
        client(mqtt_options(wanted, fleet.state().self(), teller.topic("online")),
               wanted.url.starts_with("mqtts://"), teller) {
    teller.set_client(client);
    auto settings = link_settings(wanted, seed);
    if (!settings.ok()) {  // the configuration was checked; nothing else can be wrong here
      log::error("upstream", name + ": " + settings.error().message);
      return;
    }
    link = std::make_unique<broker::BrokerLink>(
        io, clock, std::move(*settings), client,
        [this](bool good, const std::string& text) { notice(name, good, text); });
  }

  void look(broker::Now now) {
    teller.look();
    if (client.ready()) teller.tick(now);
    if (link) link->flush();
  }

  std::string name;
  broker::MqttTeller teller;
  broker::MqttClient client;
  std::unique_ptr<broker::BrokerLink> link;  // drives client
};

Brokers::Brokers(boost::asio::io_context& io, const Clock& clock, const NodeConfig& config,
                 FleetLink& fleet, const std::vector<store::Document>& kept, uint64_t seed)
    : io_(io), clock_(clock), node_(config.node) {
  for (UpstreamConfig wanted : config.upstream) {
    if (wanted.cluster.empty()) wanted.cluster = config.peers.cluster;
    if (wanted.kind == UpstreamConfig::Kind::nats) {
      nats_.push_back(std::make_unique<Nats>(io, clock, wanted, config, fleet, ++seed));
    } else if (wanted.kind == UpstreamConfig::Kind::mqtt) {
      const auto found = std::find_if(
          kept.begin(), kept.end(), [&](const store::Document& d) { return d.key == wanted.name; });
      const std::string cursor = found == kept.end() ? std::string() : found->body;
      mqtt_.push_back(std::make_unique<Mqtt>(io, clock, wanted, fleet, cursor, ++seed));
    }
  }
}

Brokers::~Brokers() = default;

void Brokers::look() {
  const broker::Now now{clock_.mono(), clock_.wall()};
  for (const auto& one : nats_) one->look(now);
  for (const auto& one : mqtt_) one->look(now);
}

bool Brokers::wants_status(WallTime now) const {
  return !mqtt_.empty() && now.seconds() / 60 != shown_minute_;
}

void Brokers::show(const std::vector<slo::SloStatus>& slos, WallTime now) {
  shown_minute_ = now.seconds() / 60;
  std::map<std::string, std::string> documents;
  for (const slo::SloStatus& slo : slos) {
    std::string& text = documents[slo.slo];
    JsonWriter out(text);
    view::write_slo(out, slo);
  }
  for (const auto& one : mqtt_) one->teller.show(documents);
  look();
}

std::vector<store::Document> Brokers::progress() const {
  std::vector<store::Document> out;
  for (const auto& one : mqtt_) out.push_back({kDocuments, one->name, one->teller.cursor()});
  return out;
}

bool Brokers::has_fleet() const {
  return std::any_of(nats_.begin(), nats_.end(),
                     [](const auto& one) { return one->view.has_value(); });
}

std::string Brokers::fleet_json() const {
  for (const auto& one : nats_) {
    if (one->view) return one->view->json(node_, clock_.wall());
  }
  return {};
}

void Brokers::serve_queries(const broker::ServeQuery& serve) {
  for (const auto& one : nats_) {
    if (!one->upstream.asks && !one->upstream.answers) continue;
    one->queries.emplace(NatsQueries::Parts{io_, clock_, one->upstream, node_, one->client,
                                            one->view ? &one->view->state : nullptr,
                                            [nats = one.get()] {
                                              if (nats->link) nats->link->flush();
                                            }},
                         serve);
  }
}

std::vector<query::NodeLink> Brokers::askable() const {
  std::vector<query::NodeLink> links;
  for (const auto& one : nats_) {
    if (!one->queries) continue;
    for (const std::string& node : one->queries->askable()) {
      links.push_back({node, [queries = &*one->queries, node](Instant deadline) {
                         return queries->open(node, deadline);
                       }});
    }
  }
  return links;
}

void Brokers::stop_queries() {
  for (const auto& one : nats_) {
    if (one->queries) one->queries->stop();
  }
}

std::vector<BrokerStatus> Brokers::status() const {
  std::vector<BrokerStatus> out;
  const broker::Now now{clock_.mono(), clock_.wall()};
  for (const auto& one : nats_) {
    const auto& stats = one->teller.stats();
    BrokerStatus status{one->name,     "nats",       one->trouble(now), 0,
                        stats.units,   stats.events, stats.bytes,       stats.oversized,
                        stats.missing, stats.waiting};
    if (one->queries) status.queries = one->queries->stats();
    status.denied = one->client.denials(now.mono);
    if (one->link) {
      status.connects = one->link->stats().connects;
      if (!one->link->stats().trouble.empty()) status.trouble = one->link->stats().trouble;
    }
    out.push_back(std::move(status));
  }
  for (const auto& one : mqtt_) {
    const auto& stats = one->teller.stats();
    BrokerStatus status{
        one->name,      "mqtt",        "not connected yet", 0, stats.retained, stats.events, 0,
        stats.left_out, stats.rewound, stats.waiting};
    if (one->link) {
      status.connects = one->link->stats().connects;
      status.trouble = one->link->stats().trouble;
    }
    out.push_back(std::move(status));
  }
  return out;
}

}  // namespace nines::agent
