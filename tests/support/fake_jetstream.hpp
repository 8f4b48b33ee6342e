// What JetStream does of what Nines uses, in memory and at the tests' pace: streams with one
// message a subject, expected sequences, message ids, ephemeral consumers. Connections can break
// with messages underway in either direction, and what a broken one had sent may still arrive
// later; the broker can lose its newest messages or a whole stream.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "nines/broker/bus.hpp"

namespace nines::test {

class FakeJetStream {
 public:
  struct Stored {
    uint64_t sequence = 0;
    std::string subject, body, id;
    int64_t ns = 0;
  };
  struct Stream {
    std::string prefix;  // of its subjects
    bool newest_only = false;
    uint64_t last = 0;
    std::vector<Stored> messages;
    std::map<std::string, uint64_t> ids;
  };
  struct Sent {
    std::string subject, reply, body;
    std::map<std::string, std::string> headers;
  };

  class Connection final : public broker::Bus {
   public:
    Connection(FakeJetStream& server, broker::Participant& who) : server_(server), who_(who) {}
    uint64_t subscribe(std::string_view subject, broker::Participant&) override {
      subscriptions[++sid_] = subject;
      return sid_;
    }
    void unsubscribe(uint64_t sid) override { subscriptions.erase(sid); }
    void publish(std::string_view subject, std::string_view reply,
                 std::span<const broker::Header> headers, std::string_view body) override {
      Sent sent{std::string(subject), std::string(reply), std::string(body), {}};
      for (const auto& [name, value] : headers) sent.headers.emplace(name, value);
      to_server.push_back(std::move(sent));
    }
    std::string inbox() override { return "_INBOX." + std::to_string(++server_.inboxes_); }
    size_t max_payload() const override { return 1024 * 1024; }
    size_t unsent() const override { return 0; }

    struct Incoming {
      std::string subject, reply, headers, body;
      int status = 0;
      uint64_t sid = 0;  // of a consumer's subscription; 0: as the subject says
    };
    std::map<uint64_t, std::string> subscriptions;
    std::deque<Sent> to_server;
    std::deque<Incoming> to_client;
    broker::Participant& who() { return who_; }

   private:
    FakeJetStream& server_;
    broker::Participant& who_;
    uint64_t sid_ = 0;
  };

  Connection& connect(broker::Participant& who, broker::Now now) {
    connections_.push_back(std::make_unique<Connection>(*this, who));
    who.connected(*connections_.back(), now);
    return *connections_.back();
  }
  // `arrive` of what it has sent is still taken, `late` more when late_arrivals() is called.
  void break_connection(Connection& c, size_t arrive, size_t late, broker::Now now) {
    for (; arrive > 0 && !c.to_server.empty(); --arrive) {
      serve(c, c.to_server.front(), now);
      c.to_server.pop_front();
    }
    for (; late > 0 && !c.to_server.empty(); --late) {
      late_.push_back(c.to_server.front());
      c.to_server.pop_front();
    }
    broker::Participant& who = c.who();
    std::erase_if(consumers_, [&](const auto& consumer) { return consumer.connection == &c; });
    std::erase_if(connections_, [&](const auto& one) { return one.get() == &c; });
    who.lost(now);
  }
  void late_arrivals(broker::Now now) {
    for (const Sent& sent : std::exchange(late_, {})) store(sent, now);
  }
  // Takes and gives what is underway; false: nothing was.
  bool turn(broker::Now now, size_t at_most = 1'000'000) {
    bool any = false;
    for (size_t i = 0; i < connections_.size(); ++i) {
      Connection& c = *connections_[i];
      for (size_t n = 0; n < at_most && !c.to_server.empty(); ++n, any = true) {
        const Sent sent = std::move(c.to_server.front());
        c.to_server.pop_front();
        serve(c, sent, now);
      }
      for (size_t n = 0; n < at_most && !c.to_client.empty(); ++n, any = true) {
        const auto incoming = std::move(c.to_client.front());
        c.to_client.pop_front();
        deliver(c, incoming, now);
      }
    }
    return any;
  }
  void lose_newest(size_t messages) {
    for (auto& [name, stream] : streams) {
      for (size_t i = 0; i < messages && !stream.messages.empty(); ++i) {
        stream.ids.erase(stream.messages.back().id);
        stream.messages.pop_back();
      }
      stream.last = stream.messages.empty() ? 0 : stream.messages.back().sequence;
    }
  }

  std::map<std::string, Stream> streams;
  uint64_t stored = 0, duplicates = 0, refused = 0;

 private:
  struct Consumer {
    std::string name, stream, filter, deliver;
    Connection* connection = nullptr;
    uint64_t delivered = 0;
  };

  void deliver(Connection& c, const Connection::Incoming& m, broker::Now now) {
    for (const auto& [sid, subject] : std::map(c.subscriptions)) {
      const bool all = subject.ends_with(".*");
      const std::string head = subject.substr(0, subject.size() - 1);
      const bool fits = all ? m.subject.starts_with(head) : m.subject == subject;
      if (m.sid == 0 ? !fits : sid != m.sid) continue;
      c.who().received(sid, {m.subject, m.reply, m.headers, m.body, m.status}, c, now);
      return;
    }
  }
  static void reply(Connection& c, const std::string& to, const nlohmann::json& body) {
    if (!to.empty()) c.to_client.push_back({to, "", "", body.dump(), 0, 0});
  }
  static nlohmann::json failure(int code) {
    return {{"error", {{"code", 400}, {"err_code", code}, {"description", "no"}}}};
  }
  void serve(Connection& c, const Sent& sent, broker::Now now) {
    const std::string api = "$JS.API.";
    if (!sent.subject.starts_with(api)) {
      const auto answer = store(sent, now);
      if (answer.is_null()) {
        c.to_client.push_back({sent.reply, "", "NATS/1.0 503\r\n\r\n", "", 503, 0});
      } else {
        reply(c, sent.reply, answer);
      }
      return;
    }
    const std::string call = sent.subject.substr(api.size());
    const std::string name = call.substr(call.find('.', call.find('.') + 1) + 1);
    if (call.starts_with("STREAM.CREATE")) return create(c, sent);
    if (call.starts_with("CONSUMER.DELETE")) {
      const std::string which = call.substr(call.rfind('.') + 1);
      std::erase_if(consumers_, [&](const Consumer& one) { return one.name == which; });
      return;
    }
    const bool get = call.starts_with("STREAM.MSG.GET");
    const auto stream = streams.find(get ? call.substr(call.rfind('.') + 1) : name);
    if (stream == streams.end()) return reply(c, sent.reply, failure(10059));
    if (get) return last(c, sent, stream->second);
    if (call.starts_with("CONSUMER.CREATE")) return consume(c, sent, stream->first, now);
    reply(c, sent.reply,
          {{"config", {{"max_msgs_per_subject", stream->second.newest_only ? 1 : -1}}}});
  }
  void create(Connection& c, const Sent& sent) {
    const auto wish = nlohmann::json::parse(sent.body);
    Stream stream;
    stream.prefix = wish["subjects"][0].get<std::string>();
    stream.prefix.pop_back();
    stream.newest_only = wish["max_msgs_per_subject"] == 1;
    streams.emplace(wish["name"].get<std::string>(), stream);
    reply(c, sent.reply, {{"config", wish}});
  }
  static std::string base64(const std::string& text) {
    static const char* letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (size_t i = 0; i < text.size(); i += 3) {
      uint32_t bits = 0;
      for (size_t k = 0; k < 3; ++k) {
        bits = bits << 8 | (i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0);
      }
      for (size_t k = 0; k < 4; ++k)
        out += i + k > text.size() ? '=' : letters[bits >> (18 - 6 * k) & 63];
    }
    return out;
  }
  void last(Connection& c, const Sent& sent, const Stream& stream) {
    const auto wish = nlohmann::json::parse(sent.body);
    for (auto m = stream.messages.rbegin(); m != stream.messages.rend(); ++m) {
      if (m->subject != wish["last_by_subj"]) continue;
      return reply(c, sent.reply,
                   {{"message",
                     {{"seq", m->sequence},
                      {"hdrs", base64("NATS/1.0\r\nNats-Msg-Id: " + m->id + "\r\n\r\n")}}}});
    }
    reply(c, sent.reply, failure(10037));
  }
  // All without a filter, one that ends in '>', or one with a single '*'.
  static bool wanted(const std::string& subject, std::string filter) {
    if (filter.ends_with('>')) filter.pop_back();
    const size_t star = filter.find('*');
    if (star == std::string::npos) return subject.starts_with(filter);
    const std::string tail = filter.substr(star + 1);
    return subject.starts_with(filter.substr(0, star)) && subject.ends_with(tail) &&
           subject.find('.', star) == subject.size() - tail.size();
  }
  void consume(Connection& c, const Sent& sent, const std::string& name, broker::Now) {
    const auto wish = nlohmann::json::parse(sent.body)["config"];
    Consumer consumer{"c" + std::to_string(++inboxes_), name, wish.value("filter_subject", ""),
                      wish["deliver_subject"],          &c,   0};
    consumers_.push_back(consumer);
    size_t count = 0;
    for (const Stored& m : streams[name].messages) count += wanted(m.subject, consumer.filter);
    reply(c, sent.reply, {{"name", consumer.name}, {"num_pending", count}});
    for (const Stored& m : streams[name].messages) push(consumers_.back(), m);
  }
  void push(Consumer& consumer, const Stored& m) {
    if (!wanted(m.subject, consumer.filter)) return;
    const std::string ack =
        "$JS.ACK." + consumer.stream + "." + consumer.name + ".1." + std::to_string(m.sequence) +
        "." + std::to_string(++consumer.delivered) + "." + std::to_string(m.ns) + ".1";
    for (const auto& [sid, subject] : consumer.connection->subscriptions) {
      if (subject != consumer.deliver) continue;
      consumer.connection->to_client.push_back({m.subject, ack, "", m.body, 0, sid});
    }
  }

 public:
  nlohmann::json store(const Sent& sent, broker::Now now) {
    for (auto& [name, stream] : streams) {
      if (!sent.subject.starts_with(stream.prefix)) continue;
      const auto header = [&](const char* key) {
        const auto found = sent.headers.find(key);
        return found == sent.headers.end() ? std::string() : found->second;
      };
      const std::string id = header("Nats-Msg-Id"),
                        after = header("Nats-Expected-Last-Subject-Sequence");
      const auto known = stream.ids.find(id);
      if (!id.empty() && known != stream.ids.end()) {
        ++duplicates;
        return {{"stream", name}, {"seq", known->second}, {"duplicate", true}};
      }
      uint64_t held = 0;
      for (const Stored& m : stream.messages) {
        if (m.subject == sent.subject) held = m.sequence;
      }
      if (!after.empty() && std::stoull(after) != held) {
        ++refused;
        return failure(10071);
      }
      if (stream.newest_only) {
        std::erase_if(stream.messages, [&](const Stored& m) { return m.subject == sent.subject; });
      }
      stream.messages.push_back({++stream.last, sent.subject, sent.body, id, now.wall.ns});
      stream.ids[id] = stream.last;
      ++stored;
      for (Consumer& consumer : consumers_) {
        if (consumer.stream == name) push(consumer, stream.messages.back());
      }
      return {{"stream", name}, {"seq", stream.last}};
    }
    return nullptr;
  }

 private:
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<Consumer> consumers_;
  std::vector<Sent> late_;
  uint64_t inboxes_ = 0;
};

}  // namespace nines::test
