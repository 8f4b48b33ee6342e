#include <nlohmann/json.hpp>

#include "nines/base/time.hpp"
#include "nines/base/utf.hpp"
#include "remedy/kube.hpp"
#include "remedy/kube_call.hpp"

namespace nines::agent::remedy {
namespace {

using nines::remedy::Scope;
using nlohmann::json;

json regarding(const Order& order) {
  const Scope scope = scope_of(order.action.verb);
  json out = {{"name", order.target.name}};
  if (!order.target.uid.empty()) out["uid"] = order.target.uid;
  if (scope == Scope::node) {
    out["kind"] = "Node";
    out["apiVersion"] = "v1";
    return out;
  }
  out["namespace"] = order.target.ns;
  out["kind"] = scope == Scope::pod ? "Pod" : "Deployment";
  out["apiVersion"] = scope == Scope::pod ? "v1" : "apps/v1";
  return out;
}

// A MicroTime has six digits after the point, no more and no less.
std::string micro_time(WallTime at) {
  const std::string seconds = format_rfc3339({at.ns / kNsPerSecond * kNsPerSecond});
  const std::string micros = std::to_string(1'000'000 + at.ns % kNsPerSecond / 1000);
  return seconds.substr(0, seconds.size() - 1) + '.' + micros.substr(1) + 'Z';
}

}  // namespace

ApiCall audit_event(const Order& order, const Outcome& outcome, std::string_view node,
                    WallTime now) {
  constexpr size_t kMostNote = 1024;  // events.k8s.io/v1: note, in bytes
  const std::string ns = order.target.ns.empty() ? "default" : order.target.ns;
  const bool well = outcome.became == Became::done || outcome.became == Became::idle;
  const json body = {{"apiVersion", "events.k8s.io/v1"},
                     {"kind", "Event"},
                     {"metadata", {{"generateName", "nines-"}, {"namespace", ns}}},
                     {"eventTime", micro_time(now)},
                     {"reportingController", "nines.io/agent"},
                     {"reportingInstance", node},
                     {"action", verb_name(order.action.verb)},
                     {"reason", well ? "Remedied" : "RemedyNotDone"},
                     {"type", well ? "Normal" : "Warning"},
                     {"note", cut_utf8(outcome.text + " [" + order.key + "]", kMostNote)},
                     {"regarding", regarding(order)}};
  return {"POST", "/apis/events.k8s.io/v1/namespaces/" + ns + "/events", body.dump()};
}

}  // namespace nines::agent::remedy
