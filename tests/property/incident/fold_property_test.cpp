// Whatever the order, repetition and partition in which events arrive, all nodes tell the same.
#include <rapidcheck.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <numeric>
#include <stdexcept>

#include "../../unit/incident/book_fixture.hpp"

using namespace nines;
using namespace nines::incident;
using namespace nines::incident::testing;

namespace {

constexpr int kNodes = 3;
const std::vector<std::string> kServices = {"web", "api", "db", "mail"};

std::vector<Node> three_nodes() {
  std::vector<Node> nodes;
  for (const char* name : {"a", "b", "c"}) {
    Node& n = nodes.emplace_back(name);
    n.book.topology().add_edge("web", "api", 10);
    n.book.topology().add_edge("api", "db", 10);
  }
  return nodes;
}

void do_something(Node& n, int64_t s) {
  const std::string service = *rc::gen::elementOf(kServices);
  const std::string key = *rc::gen::element<std::string>("slo/", "storm/") + service;
  const auto open = n.book.list({}, at(s));
  const std::string id = open.empty() ? "" : open[*rc::gen::inRange<size_t>(0, open.size())].id;
  const auto keep = [&](IncidentBook::Done done) {
    if (done) n.sent.push_back(*done);
  };
  switch (*rc::gen::inRange(0, 14)) {
    case 0:
    case 1:
    case 2:
    case 3: return n.begins(key, service, *rc::gen::inRange(0, 4), s);
    case 4:
    case 5:
    case 6: return n.ends(key, s);
    case 7: return keep(n.book.acknowledge(id, "ada", "", at(s)));
    case 8: return keep(n.book.resolve(id, "ada", "", *rc::gen::arbitrary<bool>(), at(s)));
    case 9: return keep(n.book.reopen(id, "bob", "", at(s)));
    case 10: return keep(n.book.set_severity(id, *rc::gen::inRange(0, 4), "bob", "", at(s)));
    case 11: return keep(n.book.add(id, EventKind::suspects, "", "api: errors", {}, at(s)));
    case 12: return keep(n.book.add_item(id, "do better", "bob", at(s), "", "ada", at(s)));
    default: return n.book.suspect(service, at(s + 60));
  }
}

// Three nodes with clocks that differ, of which now and then two hear each other.
int64_t live(std::vector<Node>& nodes) {
  int64_t s = 0;
  const int steps = *rc::gen::inRange(1, 40);
  for (int i = 0; i < steps; ++i) {
    s += *rc::gen::element(1, 5, 30, 200, 700, 2000, 4000);
    const auto who = *rc::gen::inRange(0, kNodes);
    const int64_t skew = who * 3;
    do_something(nodes[static_cast<size_t>(who)], s + skew);
    for (size_t n = 0; n < kNodes; ++n) nodes[n].tick(s + static_cast<int64_t>(n) * 3);
    if (*rc::gen::inRange(0, 3) == 0) {
      const auto from = static_cast<size_t>(*rc::gen::inRange(0, kNodes));
      const auto to = static_cast<size_t>(*rc::gen::inRange(0, kNodes));
      nodes[to].takes(nodes[from].sent, s + 60);
    }
  }
  return s + 100;
}

std::vector<IncidentEvent> all_events(const std::vector<Node>& nodes) {
  std::vector<IncidentEvent> all;
  for (const Node& n : nodes) all.insert(all.end(), n.sent.begin(), n.sent.end());
  return all;
}

template <class T>
std::vector<T> shuffled(std::vector<T> list) {
  for (size_t i = list.size(); i > 1; --i) {
    std::swap(list[i - 1], list[*rc::gen::inRange<size_t>(0, i)]);
  }
  return list;
}

}  // namespace

TEST_CASE("Nodes that have the same events tell the same incidents with the same ids") {
  CHECK(rc::check([] {
    auto nodes = three_nodes();
    const int64_t end = live(nodes);
    const auto all = all_events(nodes);
    std::vector<std::string> ids;
    for (Node& n : nodes) {
      auto given = shuffled(all);
      const auto twice = shuffled(all);
      given.insert(given.end(), twice.begin(), twice.end());
      // Asking in between must not matter.
      for (size_t i = 0; i < given.size(); ++i) {
        n.book.merge(given[i], at(end));
        if (i % 7 == 0) n.book.list({}, at(end));
      }
    }
    IncidentBook observer({"shop", "d", 1});
    for (const auto& e : shuffled(all)) {
      const auto copy = decode_event(encode_event(e));
      RC_ASSERT(copy.has_value());
      observer.merge(*copy, at(end));
    }
    for (const int64_t when : {end, end + 650, end + 4 * 3600}) {
      const std::string expected = story(observer, at(when));
      for (const Node& n : nodes) RC_ASSERT(story(n.book, at(when)) == expected);
    }
    const auto told = observer.list({}, at(end));
    for (const auto& i : told) ids.push_back(i.id);
    std::sort(ids.begin(), ids.end());
    RC_ASSERT(std::adjacent_find(ids.begin(), ids.end()) == ids.end());
    // Whatever id was ever told is found.
    for (const auto& e : all) RC_ASSERT(e.id.empty() || observer.find(e.id, at(end)).has_value());
    RC_ASSERT(observer.stats(at(end)).orphans == 0U);
  }));
}

TEST_CASE("A story is the same whether it was told as it happened or all at once") {
  CHECK(rc::check([] {
    auto nodes = three_nodes();
    const int64_t end = live(nodes);
    const auto all = all_events(nodes);
    IncidentBook slow({"shop", "d", 1}), quick({"shop", "e", 1});
    for (const auto& e : all) {
      slow.merge(e, at(end));
      for (const Incident& i : slow.list({}, at(end))) {
        RC_ASSERT(!i.id.empty());
        RC_ASSERT((i.resolved == WallTime{}) == (i.state != State::resolved));
        RC_ASSERT(i.began <= i.opened);
      }
    }
    for (auto e = all.rbegin(); e != all.rend(); ++e) quick.merge(*e, at(end));
    RC_ASSERT(story(slow, at(end)) == story(quick, at(end)));
  }));
}
