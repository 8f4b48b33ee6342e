// One incident with everything in it: a deploy that broke the checkout, as two nodes and three
// people told it.
#pragma once

#include <stdexcept>

#include "book_fixture.hpp"
#include "nines/incident/postmortem.hpp"

namespace nines::incident::testing {

inline slo::Change deploy(const std::string& service, int64_t s, const std::string& text) {
  slo::Change c;
  c.kind = slo::ChangeKind::deploy;
  c.at = at(s);
  c.service = service;
  c.who = "pipeline";
  c.text = text;
  return c;
}

struct CheckoutStory {
  CheckoutStory() : a("pi-1"), b("pi-2") {
    Condition burn = condition("slo/checkout/fast", "checkout", 1, at(-120));
    burn.text = "checkout: burn rate 14.4 times over 1 h, 6.2 % of the budget spent";
    burn.node = "pi-1";
    a.keep(a.book.observe(burn, at(0)));
    id = a.all(0)[0].id;
    a.keep(a.book.add(id, EventKind::diagnostics, "", "41 new lines 'no field total' in 60 s",
                      {{"template", "decode order: no field <*>"}}, at(10)));
    a.keep(a.book.add(id, EventKind::suspects, "",
                      "1. checkout (error lines in 31.0 % of requests, 0.2 % before)",
                      {{"wrong_if",
                        "the errors are also seen on requests that never reach "
                        "checkout"}},
                      at(20)));
    a.keep(
        a.book.add(id, EventKind::impact, "", "412 of 1329 requests failed; 97 users", {}, at(30)));
    early = a.all(60)[0];
    b.takes(a.sent, 40);
    b.keep(b.book.acknowledge(id, "ada", "looking at the deploy", at(180)));
    b.keep(b.book.assign(id, Role::commander, "ada", "ada", at(200)));
    b.keep(b.book.assign(id, Role::resolver, "bob", "ada", at(210)));
    b.keep(b.book.add(id, EventKind::communication_sent, "ada", "told in #shop",
                      {{"template", "initial"}, {"channel", "slack"}}, at(240)));
    b.keep(b.book.add(id, EventKind::action, "bob", "restarted pod checkout-7",
                      {{"outcome", "no effect"}}, at(300)));
    b.keep(b.book.mitigate(id, "bob", "rolled back checkout to 1.4.1", at(600)));
    a.takes(b.sent, 610);
    a.ends("slo/checkout/fast", 900);
    b.takes(a.sent, 910);
    b.keep(b.book.resolve(id, "ada", "1.4.1 is live on all nodes", false, at(1200)));
    b.keep(b.book.add(id, EventKind::cause_stated, "bob",
                      "1.4.2 renamed the field total, which the decoder of orders needs", {},
                      at(3600)));
    b.keep(b.book.add_item(id, "contract test for orders | decoder", "bob", at(5 * 86400), "High",
                           "ada", at(3700)));
    b.keep(b.book.add_item(id, "canary deploys", "", at(60 * 86400), "", "ada", at(3710)));
    b.keep(b.book.finish_item(id, "A2", "ada", at(86400)));
    facts.changes = {deploy("checkout", -420, "1.4.2")};
  }
  Incident incident(int64_t s) const { return *b.book.find(id, at(s)); }

  Node a, b;
  std::string id;
  Incident early;  // before anybody answered
  PostmortemFacts facts;
};

}  // namespace nines::incident::testing
