#include "remedy/kube_call.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "view/text.hpp"

namespace nines::agent::remedy {
namespace {

constexpr int kMostRaces = 3;

bool is_ok(const Answer& answer) { return answer.status / 100 == 2; }

// "evicting pod shop/api-1: 429: Cannot evict pod as it would violate the pod's disruption budget."
std::string told(const Answer& answer) {
  if (answer.status == 0) return "no answer (" + answer.failure + ")";
  const auto status = nlohmann::json::parse(answer.text, nullptr, false);
  std::string message = text_of(status, {"message"});
  if (message.empty()) message = answer.text;
  return std::to_string(answer.status) + ": " + view::printable(message.substr(0, 300));
}

}  // namespace

std::string_view became_name(Became became) noexcept {
  switch (became) {
    case Became::done: return "done";
    case Became::would: return "would";
    case Became::idle: return "idle";
    case Became::refused: return "refused";
    case Became::failed: return "failed";
    case Became::unknown: break;
  }
  return "unknown";
}

bool is_plain_name(std::string_view name) noexcept {
  constexpr std::string_view kSigns = "-._@:";
  const auto plain = [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kSigns.find(c) != std::string_view::npos;
  };
  return !name.empty() && name.size() <= 253 && name.front() != '-' && name.front() != '.' &&
         name.find("..") == std::string_view::npos && std::all_of(name.begin(), name.end(), plain);
}

const nlohmann::json& member(const nlohmann::json& of, std::initializer_list<const char*> names) {
  static const nlohmann::json kNothing;
  const nlohmann::json* at = &of;
  for (const char* name : names) {
    if (!at->is_object()) return kNothing;
    const auto it = at->find(name);
    if (it == at->end()) return kNothing;
    at = &*it;
  }
  return *at;
}

std::string text_of(const nlohmann::json& of, std::initializer_list<const char*> names) {
  const nlohmann::json& found = member(of, names);
  return found.is_string() ? found.get<std::string>() : std::string();
}

int64_t number_of(const nlohmann::json& of, std::initializer_list<const char*> names) {
  const nlohmann::json& found = member(of, names);
  return found.is_number_integer() ? found.get<int64_t>() : 0;
}

std::string deployments(const Target& target) {
  return "/apis/apps/v1/namespaces/" + target.ns + "/deployments/" + target.name;
}

Outcome KubeExecution::outcome(Became became, std::string text) const {
  const std::string where = order_.target.ns.empty() ? "" : order_.target.ns + "/";
  return {became,
          std::string(verb_name(order_.action.verb)) + ' ' + where + order_.target.name + ": " +
              std::move(text),
          {}};
}

std::optional<Outcome> KubeExecution::moved_on(const std::string& present) const {
  if (order_.mode != Mode::act || order_.before.empty() || order_.before == present) {
    return std::nullopt;
  }
  return outcome(Became::refused, "somebody was faster: it was '" + order_.before +
                                      "' when that was decided, and is '" + present + "'");
}

std::optional<Outcome> KubeExecution::out_of_bounds() const {
  const bool on_node = is(nines::remedy::Verb::cordon) || is(nines::remedy::Verb::uncordon);
  if (!is_plain_name(order_.target.name) || (!on_node && !is_plain_name(order_.target.ns))) {
    return outcome(Became::refused, "that is no name of an object");
  }
  if (order_.target.ns == "kube-system") {
    return outcome(Became::refused, "objects of kube-system are left alone");
  }
  return std::nullopt;
}

Turn KubeExecution::answered(const Answer& answer) { return std::exchange(next_, nullptr)(answer); }

Turn KubeExecution::read(std::string path, std::function<Turn(const Json&)> next, Outcome gone) {
  const std::string what = path;
  next_ = [this, what, next = std::move(next),
           gone = std::move(gone)](const Answer& answer) -> Turn {
    if (answer.status == 404) return gone;
    // Nothing was changed yet; of a recheck it says that we still do not know.
    const Became nothing = recheck() ? Became::unknown : Became::failed;
    if (answer.status == 401 || answer.status == 403) {
      return outcome(recheck() ? Became::unknown : Became::refused,
                     "the service account may not read " + what + ": " + told(answer));
    }
    if (!is_ok(answer)) {
      Outcome out = outcome(nothing, "reading " + what + ": " + told(answer));
      out.retry_after_ms = answer.retry_after_ms;
      return out;
    }
    const Json object = Json::parse(answer.text, nullptr, false);
    if (!object.is_object()) {
      return outcome(nothing, "reading " + what + ": the answer is no JSON object");
    }
    return next(object);
  };
  ApiCall call;
  call.path = std::move(path);
  return Step(std::move(call));
}

Turn KubeExecution::read_deployment(std::function<Turn(const Json&)> next) {
  if (auto refused = out_of_bounds()) return std::move(*refused);
  return read(deployments(order_.target), std::move(next),
              outcome(Became::idle, "there is no such Deployment"));
}

Turn KubeExecution::change(const Change& change) {
  NINES_ASSERT(!recheck());
  return send(change, false);
}

Turn KubeExecution::send(const Change& change, bool for_good) {
  ApiCall call = for_good ? change.call : change.tried_by.value_or(change.call);
  const char joined = call.path.find('?') == std::string::npos ? '?' : '&';
  call.path += joined + std::string("fieldManager=nines");
  if (!for_good) call.path += "&dryRun=All";
  next_ = [this, change, for_good](const Answer& answer) { return sent(change, for_good, answer); };
  return Step(std::move(call));
}

Turn KubeExecution::sent(Change change, bool for_good, const Answer& answer) {
  if (is_ok(answer) && !for_good) {
    if (order_.mode == Mode::act) return send(change, true);
    Outcome out = outcome(Became::would, "the API server would do it");
    out.before = std::move(change.before);
    out.ready = change.ready;
    return out;
  }
  if (is_ok(answer)) {
    Outcome out = outcome(Became::done, std::move(change.done));
    out.before = std::move(change.before);
    return out;
  }
  // A change whose answer is lost, or that broke the server, may stand all the same.
  if (for_good && (answer.status == 0 || answer.status >= 500)) {
    Outcome out = outcome(Became::unknown, told(answer));
    out.before = std::move(change.before);
    return out;
  }
  return not_done(change, answer);
}

Turn KubeExecution::not_done(const Change& change, const Answer& answer) {
  const int status = answer.status;
  const bool raced = status == 409 || (status == 422 && change.call.type == kJsonPatch);
  if (raced && change.again && ++races_ < kMostRaces) return change.again();
  if (status == 404) return outcome(Became::idle, "it is gone");
  const bool refused = raced || status == 400 || status == 401 || status == 403 || status == 405 ||
                       status == 422 || status == 429;
  Outcome out = outcome(refused ? Became::refused : Became::failed, told(answer));
  out.retry_after_ms = answer.retry_after_ms;
  return out;
}

}  // namespace nines::agent::remedy
