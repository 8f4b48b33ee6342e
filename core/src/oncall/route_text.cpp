#include <algorithm>

#include "nines/oncall/router.hpp"

namespace nines::oncall {
namespace {

std::string padded(std::string text, size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

std::string instant_text(int64_t at_s) { return format_rfc3339(WallTime::from_s(at_s)); }

std::string share_text(const PageLedger::Tally& tally) {
  return std::to_string(tally.resolved) + " of " + std::to_string(tally.told);
}

std::string expert_text(const Expert& one) {
  std::string out = "resolved " + share_text(one.on_signature) + " like it and " +
                    share_text(one.on_service) + " others of the service";
  if (one.knows) out += ", knows it";
  if (one.away) out += ", is away";
  return out;
}

}  // namespace

std::string milli_text(int64_t milli) {
  const int64_t size = milli < 0 ? -milli : milli;
  std::string fraction = std::to_string(size % 1000);
  fraction.insert(0, 3 - fraction.size(), '0');
  return (milli < 0 ? "-" : "") + std::to_string(size / 1000) + "." + fraction;
}

std::string explain(const Plan& plan, const Request& request, const Route& route) {
  const auto id = [&](uint32_t person) { return plan.roster->people[person].id; };
  std::string out = "P" + std::to_string(request.severity) + " of " +
                    (request.service.empty() ? "the node" : request.service) + " at " +
                    instant_text(request.at_s);
  if (route.policy == nullptr) return out + ": no policy is for it\n";
  out += ", policy " + route.policy->name + "\n";
  if (route.digest_s) out += "nobody is paged: digest of " + instant_text(*route.digest_s) + "\n";
  if (route.hold_s) out += "held until " + instant_text(*route.hold_s) + "\n";
  if (route.chain.empty() && !route.digest_s) out += "nobody may be paged now\n";
  for (size_t i = 0; i < route.chain.size(); ++i) {
    out += (i == 0 ? "page      " : "then      ") + instant_text(route.chain[i].at_s) + " " +
           id(route.chain[i].person) + "\n";
  }
  for (const Candidate& one : route.candidates) {
    out += "candidate " + padded(id(one.person), 12) + " cost " + milli_text(one.cost_milli) +
           (one.free() ? "" : "  not: " + one.blocked) + "\n";
    for (const Term& term : one.terms) {
      out += "          " + padded(term.name, 12) + "      " + padded(milli_text(term.milli), 8) +
             " " + term.why + "\n";
    }
  }
  for (const Expert& one : route.experts) {
    out += "expert    " + padded(id(one.person), 12) + " " + expert_text(one) + "\n";
  }
  return out;
}

void write_json(JsonWriter& out, const Plan& plan, const Request& request, const Route& route) {
  const auto id = [&](uint32_t person) { return plan.roster->people[person].id; };
  out.begin_object().member("at", WallTime::from_s(request.at_s));
  out.member("severity", "P" + std::to_string(request.severity));
  out.member("service", request.service).member("signature", request.signature);
  out.key("policy");
  route.policy == nullptr ? out.null() : out.value(route.policy->name);
  out.key("digest");
  route.digest_s ? out.value(WallTime::from_s(*route.digest_s)) : out.null();
  out.key("held_until");
  route.hold_s ? out.value(WallTime::from_s(*route.hold_s)) : out.null();
  out.key("chain").begin_array();
  for (const Step& step : route.chain) {
    out.begin_object().member("person", id(step.person));
    out.member("at", WallTime::from_s(step.at_s));
    out.key("notify").begin_array();
    for (const std::string& name : plan.roster->people[step.person].notify) out.value(name);
    out.end_array().end_object();
  }
  out.end_array().key("candidates").begin_array();
  for (const Candidate& one : route.candidates) {
    out.begin_object().member("person", id(one.person)).member("level", one.level + 1);
    out.member("cost", Decimal{one.cost_milli, -3});
    out.key("blocked");
    one.free() ? out.null() : out.value(one.blocked);
    out.key("terms").begin_array();
    for (const Term& term : one.terms) {
      out.begin_object().member("name", std::string_view(term.name));
      out.member("cost", Decimal{term.milli, -3}).member("why", term.why).end_object();
    }
    out.end_array().end_object();
  }
  out.end_array().key("experts").begin_array();
  for (const Expert& one : route.experts) {
    out.begin_object().member("person", id(one.person));
    out.member("score", Decimal{one.score_milli, -3}).member("why", expert_text(one));
    out.end_object();
  }
  out.end_array().end_object();
}

}  // namespace nines::oncall
