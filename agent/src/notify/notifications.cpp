#include "notify/notifications.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "app/log.hpp"
#include "net/asio.hpp"
#include "nines/base/json_writer.hpp"

namespace nines::agent::notify {
namespace {

constexpr const char* kDeadKind = "dead-letter";
constexpr const char* kChainKind = "notify-chain";
constexpr size_t kMaxEventsPerFetch = 64;
constexpr size_t kMaxLetterBytes = 16 * 1024;  // of what was to be told

struct NumberedLetter {
  uint64_t number = 0;
  DeadLetter letter;
};

std::string slot_of(uint64_t number) {
  char text[16];
  std::snprintf(text, sizeof text, "%04u",
                static_cast<unsigned>(number % Notifications::kMaxDeadLetters));
  return text;
}

void write_letter(JsonWriter& json, const NumberedLetter& dead) {
  const DeadLetter& letter = dead.letter;
  json.begin_object().member("number", dead.number).member("notifier", letter.notifier);
  json.member("key", letter.key).member("title", letter.title).member("status", letter.status);
  json.member("reason", letter.why).member("at", letter.at).member("at_ns", letter.at.ns);
  json.member("message", letter.json).end_object();
}

std::optional<NumberedLetter> read_letter(const std::string& text) {
  const auto from = nlohmann::json::parse(text, nullptr, false);
  if (!from.is_object()) return std::nullopt;
  try {
    NumberedLetter dead;
    dead.number = from.at("number").get<uint64_t>();
    dead.letter = {from.at("notifier"), from.at("key"),    from.at("title"),
                   from.at("reason"),   from.at("status"), {from.at("at_ns").get<int64_t>()},
                   from.at("message")};
    return dead;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

// webhooks: is the short form of notifiers: of that kind. Its cursors keep their name.
NotifierConfig notifier_of(const WebhookConfig& webhook) {
  NotifierConfig config;
  config.name = webhook.name;
  config.url = webhook.url;
  config.secret.text = webhook.bearer_token;
  config.timeout_ms = webhook.timeout_ms;
  return config;
}

}  // namespace

// Jobs of the store hold it: it may be there longer than who posted them.
struct Notifications::Shared : std::enable_shared_from_this<Shared> {
  Shared(boost::asio::io_context& context, store::StateStore& kept, StoreWork post)
      : io(context), store(kept), work(std::move(post)) {}

  void events_after(uint64_t after, size_t max, EventSource::Reply reply) {
    work([self = shared_from_this(), after, max, reply = std::move(reply)] {
      auto events = self->store.events_after(after, std::min(max, kMaxEventsPerFetch));
      std::vector<slo::AlertEvent> found;
      if (events.ok()) found = std::move(*events);
      net::asio::post(self->io, [self, reply, found = std::move(found)] {
        if (self->prepare && !found.empty()) return self->prepare(found, reply);
        reply(found);
      });
    });
  }

  void advance(const std::string& destination, uint64_t cursor) {
    work([self = shared_from_this(), destination, cursor] {
      const Status done = self->store.set_cursor(destination, cursor);
      if (!done.ok()) log::warn("store", done.error().message);
    });
  }

  void put(store::Document document) {
    work([self = shared_from_this(), document = std::move(document)] {
      const Status done = self->store.put_documents({document});
      if (!done.ok()) log::warn("store", document.kind + " not kept: " + done.error().message);
    });
  }

  // A crash between a letter and the cursor behind it has the event told, and refused, once more.
  void bury(DeadLetter letter) {
    letter.json = cut(std::move(letter.json), kMaxLetterBytes);
    auto place = std::find_if(letters.begin(), letters.end(), [&](const NumberedLetter& known) {
      return known.letter.notifier == letter.notifier && known.letter.key == letter.key;
    });
    if (place == letters.end()) {
      letters.push_back({++last_number, {}});
      if (letters.size() > kMaxDeadLetters) letters.pop_front();
      place = std::prev(letters.end());
    }
    place->letter = std::move(letter);
    std::string body;
    JsonWriter json(body);
    write_letter(json, *place);
    put({kDeadKind, slot_of(place->number), std::move(body)});
  }

  Status read_letters() {
    NINES_TRY(const auto kept, store.documents(kDeadKind));
    for (const store::Document& document : kept) {
      if (auto letter = read_letter(document.body)) letters.push_back(std::move(*letter));
    }
    std::sort(letters.begin(), letters.end(),
              [](const auto& a, const auto& b) { return a.number < b.number; });
    if (!letters.empty()) last_number = letters.back().number;
    return Ok{};
  }

  EventSource source(const std::string& destination, const std::string& chain) {
    EventSource out;
    out.events_after = [this](uint64_t after, size_t max, EventSource::Reply reply) {
      events_after(after, max, std::move(reply));
    };
    out.advance = [this, destination](uint64_t cursor) { advance(destination, cursor); };
    out.bury = [this](DeadLetter letter) { bury(std::move(letter)); };
    out.delivered = [this](const std::string& name, const char* kind, const slo::AlertEvent& e) {
      if (delivered) delivered(name, kind, e);
    };
    out.refused = [this](const std::vector<std::string>& names, const slo::AlertEvent& e) {
      if (refused) refused(names, e);
    };
    if (!chain.empty()) {
      out.remember = [this, chain](const std::string& memory) { put({kChainKind, chain, memory}); };
    }
    return out;
  }

  boost::asio::io_context& io;
  store::StateStore& store;
  StoreWork work;
  Delivered delivered;
  Refused refused;
  Prepare prepare;
  LinksFor links;
  std::deque<NumberedLetter> letters;
  uint64_t last_number = 0;
};

namespace {

struct Plan {
  std::string chain, destination;
  std::vector<Teller::Step> steps;
};

// Who is told on his own, and who as a step of a chain.
std::vector<Plan> plans_of(const NodeConfig& config) {
  std::map<std::string, NotifierConfig> by_name;
  std::vector<Plan> plans;
  for (const WebhookConfig& webhook : config.webhooks) {
    plans.push_back({"", "webhook:" + webhook.name, {{notifier_of(webhook), 0}}});
  }
  for (const NotifierConfig& notifier : config.notifiers) by_name[notifier.name] = notifier;
  for (const ChainConfig& chain : config.chains) {
    Plan plan{chain.name, "chain:" + chain.name, {}};
    for (const ChainConfig::Step& step : chain.steps) {
      plan.steps.push_back({by_name[step.notify], step.within_ms});
    }
    plans.push_back(std::move(plan));
  }
  for (const NotifierConfig& notifier : config.notifiers) {
    const auto in_chain = [&](const ChainConfig& chain) {
      return std::any_of(chain.steps.begin(), chain.steps.end(),
                         [&](const auto& step) { return step.notify == notifier.name; });
    };
    if (std::any_of(config.chains.begin(), config.chains.end(), in_chain)) continue;
    plans.push_back({"", "notifier:" + notifier.name, {{notifier, 0}}});
  }
  return plans;
}

}  // namespace

Result<std::unique_ptr<Notifications>> Notifications::start(
    boost::asio::io_context& io, const Clock& clock, const NodeConfig& config,
    const Identity& identity, store::StateStore& store, StoreWork work, uint64_t seed) {
  std::unique_ptr<Notifications> out(new Notifications());
  out->shared_ = std::make_shared<Shared>(io, store, std::move(work));
  Shared& shared = *out->shared_;
  NINES_CHECK(shared.read_letters());
  NINES_TRY(const auto memories, store.documents(kChainKind));
  for (Plan& plan : plans_of(config)) {
    Teller::Setup setup{plan.chain, std::move(plan.steps),
                        identity,   shared.source(plan.destination, plan.chain),
                        {},         0,
                        seed += 16, {},
                        {}};
    setup.links = [&shared](const slo::AlertEvent& event, const std::string& notifier) {
      return shared.links ? shared.links(event, notifier) : LinksFor::result_type();
    };
    NINES_TRY(setup.cursor, store.cursor(plan.destination));
    for (const store::Document& memory : memories) {
      if (memory.key == plan.chain) setup.memory = memory.body;
    }
    out->tellers_.push_back(std::make_unique<Teller>(io, clock, std::move(setup)));
  }
  for (const UpstreamConfig& cluster : config.upstream) {
    if (cluster.kind != UpstreamConfig::Kind::alertmanager) continue;
    AlertmanagerTeller::Setup setup{cluster, identity, {}, {}, {}, {}, seed += 16};
    std::vector<std::string> destinations;
    for (const std::string& url : cluster.urls) {
      destinations.push_back("alertmanager:" + cluster.name + ":" + url);
      NINES_TRY(const uint64_t cursor, store.cursor(destinations.back()));
      setup.cursors.push_back(cursor);
    }
    setup.events_after = [&shared](uint64_t after, size_t max, EventSource::Reply reply) {
      shared.events_after(after, max, std::move(reply));
    };
    setup.advance = [&shared, destinations](size_t replica, uint64_t cursor) {
      shared.advance(destinations[replica], cursor);
    };
    setup.bury = [&shared](DeadLetter letter) { shared.bury(std::move(letter)); };
    out->alertmanagers_.push_back(
        std::make_unique<AlertmanagerTeller>(io, clock, std::move(setup)));
  }
  return out;
}

Notifications::~Notifications() {
  if (!shared_) return;
  shared_->delivered = nullptr;
  shared_->refused = nullptr;
  shared_->prepare = nullptr;
  shared_->links = nullptr;
}

void Notifications::on_links(LinksFor links) { shared_->links = std::move(links); }

void Notifications::on_telling(Prepare prepare) { shared_->prepare = std::move(prepare); }

void Notifications::on_delivered(Delivered delivered) { shared_->delivered = std::move(delivered); }

void Notifications::on_refused(Refused refused) { shared_->refused = std::move(refused); }

void Notifications::notify() {
  for (auto& teller : tellers_) teller->notify();
  for (auto& alertmanager : alertmanagers_) alertmanager->notify();
}

bool Notifications::post(const std::string& notifier, const Message& document) {
  return std::any_of(tellers_.begin(), tellers_.end(),
                     [&](auto& teller) { return teller->post(notifier, document); });
}

Chain::Hope Notifications::hope(const slo::AlertEvent& event,
                                const std::vector<std::string>& names) const {
  Chain::Hope out = Chain::Hope::refused;
  for (const auto& teller : tellers_) {
    if (teller->is_among(names)) out = std::min(out, teller->hope(event));
  }
  return out;
}

void Notifications::told_elsewhere(uint64_t sequence, const std::vector<std::string>& names) {
  for (const auto& teller : tellers_) {
    if (teller->is_among(names)) teller->told_elsewhere(sequence);
  }
}

std::vector<NotifierShown> Notifications::notifiers() const {
  std::vector<NotifierShown> out;
  for (const auto& teller : tellers_) {
    for (NotifierShown& shown : teller->shown()) out.push_back(std::move(shown));
  }
  return out;
}

std::vector<ReplicaShown> Notifications::alertmanagers() const {
  std::vector<ReplicaShown> out;
  for (const auto& alertmanager : alertmanagers_) {
    for (ReplicaShown& shown : alertmanager->shown()) out.push_back(std::move(shown));
  }
  return out;
}

std::string Notifications::outbox_json() const {
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("notifiers").begin_array();
  for (const NotifierShown& n : notifiers()) {
    json.begin_object().member("name", n.name).member("kind", n.kind);
    if (!n.chain.empty()) json.member("chain", n.chain).member("step", n.step);
    json.member("cursor", n.cursor).member("pending", n.stats.pending);
    json.member("sent", n.stats.sent).member("dead", n.stats.dead);
    json.member("attempts", n.stats.attempts).member("failures", n.stats.failures);
    json.member("late", n.stats.late).member("passed_over", n.stats.passed_over);
    json.member("filtered", n.stats.filtered).member("dropped", n.stats.dropped);
    json.member("failures_in_row", n.stats.failures_in_row);
    json.member("last_error", n.last_error).end_object();
  }
  json.end_array().key("alertmanagers").begin_array();
  for (const ReplicaShown& r : alertmanagers()) {
    json.begin_object().member("name", r.name).member("url", r.url).member("cursor", r.cursor);
    json.member("pending", r.stats.pending).member("requests", r.stats.requests);
    json.member("alerts", r.stats.alerts).member("dead", r.stats.dead);
    json.member("replayed", r.stats.replayed).member("failures", r.stats.failures);
    json.member("failures_in_row", r.stats.failures_in_row);
    json.member("last_error", r.last_error).end_object();
  }
  json.end_array().key("dead_letters").begin_array();
  for (auto letter = shared_->letters.rbegin(); letter != shared_->letters.rend(); ++letter) {
    write_letter(json, *letter);
  }
  json.end_array().end_object();
  return out;
}

}  // namespace nines::agent::notify
