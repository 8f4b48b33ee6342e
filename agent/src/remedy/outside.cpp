#include "remedy/outside.hpp"

#include <functional>
#include <nlohmann/json.hpp>

#include "view/text.hpp"

namespace nines::agent::remedy {
namespace {

using nlohmann::json;

constexpr size_t kMostTold = 300;
constexpr size_t kLeastSecret = 4;  // what is shorter is none, and stands in every text

// What stands after the scheme of an Authorization header is the secret, too.
void add_secret(std::vector<std::string>& secrets, const std::string& value) {
  const size_t space = value.rfind(' ');
  if (value.size() >= kLeastSecret) secrets.push_back(value);
  if (space != std::string::npos) add_secret(secrets, value.substr(space + 1));
}

// Who is asked may say what it was sent, and what is told is kept in the audit log.
std::string without(std::string text, const std::vector<std::string>& secrets) {
  for (const std::string& secret : secrets) {
    for (size_t at = 0; (at = text.find(secret, at)) != std::string::npos; at += 3) {
      text.replace(at, secret.size(), "***");
    }
  }
  return text;
}

std::string told(const Answer& answer, const std::vector<std::string>& secrets) {
  if (answer.status == 0) return "no answer (" + without(answer.failure, secrets) + ")";
  return std::to_string(answer.status) + ": " +
         view::printable(without(answer.text, secrets).substr(0, kMostTold));
}

class OutsideExecution : public Execution {
 public:
  OutsideExecution(const OutsideAllowed& allowed, Order order)
      : allowed_(allowed), order_(std::move(order)) {}

  Turn begin() final {
    if (order_.mode == Mode::recheck) {
      return outcome(Became::unknown, "nothing tells whether it was carried out");
    }
    return ask();
  }

  Turn answered(const Answer& answer) final {
    const bool tried = order_.mode == Mode::try_out;
    Outcome out = outcome(Became::failed, told(answer, secrets_));
    out.retry_after_ms = answer.retry_after_ms;
    if (answer.status / 100 == 2) {
      out.became = tried ? Became::would : raised(answer) ? Became::failed : Became::done;
    } else if (answer.status == 0 || answer.status >= 500) {
      out.became = tried ? Became::failed : Became::unknown;
    } else {
      out.became = Became::refused;
    }
    return out;
  }

 protected:
  virtual Turn ask() = 0;
  virtual bool raised(const Answer&) const { return false; }

  Outcome outcome(Became became, const std::string& text) const {
    return {became, order_.action.key() + ' ' + order_.target.name + ": " + text, {}, {}};
  }
  json body() const {
    return {{"action", verb_name(order_.action.verb)},
            {"name", order_.action.parameter},
            {"key", order_.key},
            {"incident", order_.incident},
            {"node", allowed_.node},
            {"namespace", order_.target.ns},
            {"target", order_.target.name},
            {"intended", format_rfc3339(order_.intended)},
            {"dry_run", order_.mode == Mode::try_out}};
  }

  // That are sent, and not to be told.
  void hide(const Headers& headers) {
    for (const auto& [name, value] : headers) add_secret(secrets_, value);
  }
  void hide_path(const std::string& url) {
    const size_t scheme = url.find("://");
    const size_t path = url.find('/', scheme == std::string::npos ? 0 : scheme + 3);
    if (path != std::string::npos) add_secret(secrets_, url.substr(path));
  }

  const OutsideAllowed& allowed_;
  const Order order_;

 private:
  std::vector<std::string> secrets_;
};

class Hook final : public OutsideExecution {
 public:
  using OutsideExecution::OutsideExecution;

 private:
  Turn ask() override {
    const auto found = allowed_.hooks.find(order_.action.parameter);
    if (found == allowed_.hooks.end()) {
      return outcome(Became::refused, "there is no such hook in remediation.webhooks");
    }
    const AllowedHook& hook = found->second;
    if (order_.mode == Mode::try_out && !hook.dry_runs) {
      return outcome(Became::would, "it would be called; it knows no dry run");
    }
    auto secrets = hook.secrets ? hook.secrets() : Result<Headers>(Headers{});
    if (!secrets.ok()) return outcome(Became::refused, secrets.error().message);
    http::ClientRequest request;
    request.method = "POST";
    request.url = hook.url;
    request.headers = {{"Content-Type", "application/json"}, {"Idempotency-Key", order_.key}};
    request.headers.insert(request.headers.end(), secrets->begin(), secrets->end());
    hide(*secrets);
    hide_path(hook.url);  // of many services it is the secret
    request.body = body().dump();
    request.ca_file = hook.ca_file;
    request.timeout_ms = hook.timeout_ms;
    return Step(std::move(request));
  }
};

class Function final : public OutsideExecution {
 public:
  Function(const OutsideAllowed& allowed, const Clock& clock, Order order)
      : OutsideExecution(allowed, std::move(order)), clock_(clock) {}

 private:
  Turn ask() override {
    const auto found = allowed_.functions.find(order_.action.parameter);
    if (found == allowed_.functions.end()) {
      return outcome(Became::refused, "there is no such function in remediation.functions");
    }
    const AllowedFunction& function = found->second;
    if (!is_plain_name(function.function) || !is_plain_name(function.region)) {
      return outcome(Became::refused, "that is no name of a function or a region");
    }
    const std::string endpoint = function.endpoint.empty()
                                     ? "https://lambda." + function.region + ".amazonaws.com"
                                     : function.endpoint;
    const auto url = http::parse_url(endpoint);
    if (!url.ok()) return outcome(Became::refused, url.error().message);
    auto identity = function.identity
                        ? function.identity()
                        : Result<AwsIdentity>(Error{Errc::not_found, "there are no credentials"});
    if (!identity.ok()) return outcome(Became::refused, identity.error().message);
    return Step(signed_request(function, *identity, endpoint, url->authority()));
  }

  http::ClientRequest signed_request(const AllowedFunction& function, const AwsIdentity& identity,
                                     const std::string& endpoint, std::string host) {
    const bool tried = order_.mode == Mode::try_out;
    AwsRequest aws;
    aws.method = "POST";
    aws.host = std::move(host);
    aws.path = "/2015-03-31/functions/" + encoded(function.function) + "/invocations";
    aws.headers = {{"X-Amz-Invocation-Type", tried ? "DryRun" : "RequestResponse"}};
    aws.body = body().dump();
    http::ClientRequest request;
    request.method = aws.method;
    request.url = endpoint + aws.path;
    request.headers = sign_aws(aws, identity, function.region, "lambda", clock_.wall());
    hide(request.headers);
    request.headers.insert(request.headers.end(), aws.headers.begin(), aws.headers.end());
    request.headers.emplace_back("Content-Type", "application/json");
    request.body = std::move(aws.body);
    request.timeout_ms = function.timeout_ms;
    return request;
  }

  // Of a plain name only the colon is not unreserved.
  static std::string encoded(const std::string& name) {
    std::string out;
    for (const char c : name) {
      if (c == ':') {
        out += "%3A";
      } else if (c == '@') {
        out += "%40";
      } else {
        out += c;
      }
    }
    return out;
  }

  bool raised(const Answer& answer) const override { return answer.raised; }

  const Clock& clock_;
};

}  // namespace

std::unique_ptr<Execution> call_hook(const OutsideAllowed& allowed, Order order) {
  return std::make_unique<Hook>(allowed, std::move(order));
}
std::unique_ptr<Execution> invoke_function(const OutsideAllowed& allowed, const Clock& clock,
                                           Order order) {
  return std::make_unique<Function>(allowed, clock, std::move(order));
}

}  // namespace nines::agent::remedy
