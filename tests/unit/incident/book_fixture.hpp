// A book of one node and how tests speak to it.
#pragma once

#include <string>
#include <vector>

#include "nines/incident/incident_book.hpp"

namespace nines::incident::testing {

inline const WallTime kStart = WallTime::from_s(1'772'366'400);  // 2026-03-01 12:00:00 UTC
inline WallTime at(int64_t s) { return {kStart.ns + s * kNsPerSecond}; }

inline Condition condition(std::string key, std::string service, int priority, WallTime since) {
  Condition c;
  c.key = std::move(key);
  c.service = std::move(service);
  c.priority = priority;
  c.kind = ConditionKind::burn_rate;
  c.since = c.at = since;
  c.text = c.service + " burns its budget";
  return c;
}

inline IncidentBook book_of(std::string node, BookRules rules = {}, BookLimits limits = {}) {
  return IncidentBook({"shop", std::move(node), 1}, rules, limits);
}

struct Node {
  explicit Node(std::string name) : book(book_of(std::move(name))) {}
  explicit Node(std::string name, BookLimits limits) : book(book_of(std::move(name), {}, limits)) {}

  void keep(IncidentBook::Events events) {
    for (auto& e : events) sent.push_back(std::move(e));
  }
  IncidentEvent keep(IncidentBook::Done done) {
    if (!done) throw std::runtime_error(done.error().message);
    sent.push_back(*done);
    return *done;
  }
  void begins(const std::string& key, const std::string& service, int priority, int64_t s) {
    keep(book.observe(condition(key, service, priority, at(s)), at(s)));
  }
  void ends(const std::string& key, int64_t s) {
    Condition c = condition(key, "", 3, at(s));
    c.holds = false;
    c.text = "within its limits again";
    keep(book.observe(c, at(s)));
  }
  void tick(int64_t s) { keep(book.tick(at(s))); }
  // Every ten seconds, as the agent does.
  void run(int64_t from, int64_t to) {
    for (int64_t s = from; s <= to; s += 10) tick(s);
  }
  void takes(const std::vector<IncidentEvent>& events, int64_t s) {
    for (const auto& e : events) book.merge(e, at(s));
  }
  std::vector<Incident> all(int64_t s) const { return book.list({}, at(s)); }

  IncidentBook book;
  std::vector<IncidentEvent> sent;
};

inline std::string story(const IncidentBook& book, WallTime now) {
  std::string out;
  JsonWriter json(out);
  json.begin_array();
  for (const Incident& i : book.list({}, now)) write_json(json, i, now);
  json.end_array();
  return out;
}

}  // namespace nines::incident::testing
