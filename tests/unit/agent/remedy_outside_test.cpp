#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "manual_clock.hpp"
#include "remedy/outside.hpp"

using namespace nines;                 // NOLINT(google-build-using-namespace)
using namespace nines::agent::remedy;  // NOLINT(google-build-using-namespace)
using nines::remedy::Verb;

namespace {

// 2015-08-30T12:36:00Z, the time of AWS's published examples.
constexpr WallTime kThen{1'440'938'160 * kNsPerSecond};
const AwsIdentity kExample{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ""};

std::string signature(const AwsRequest& request, std::string_view service) {
  const auto headers = sign_aws(request, kExample, "us-east-1", service, kThen);
  const std::string value = headers.back().second;
  return value.substr(value.find("Signature=") + 10);
}

Order order(Verb verb, std::string name, Mode mode) {
  Order out;
  out.action = {verb, std::move(name)};
  out.target = {"shop", "api", ""};
  out.key = "INC-2026-1122-001/1";
  out.intended = kThen;
  out.mode = mode;
  return out;
}

OutsideAllowed allowed() {
  OutsideAllowed out;
  out.hooks["reset"] = {"http://127.0.0.1:1/reset", [] {
                          return Headers{{"Authorization", "Bearer x"}};
                        }};
  out.hooks["careful"] = {"http://127.0.0.1:1/careful", {}, true};
  out.functions["heal"] = {"heal:live", "eu-west-1", "", [] { return kExample; }};
  out.node = "n1";
  return out;
}

const agent::http::ClientRequest& request_of(const Turn& turn) {
  return std::get<agent::http::ClientRequest>(std::get<Step>(turn));
}
Became became(const Turn& turn) { return std::get<Outcome>(turn).became; }

std::string header(const agent::http::ClientRequest& request, const std::string& name) {
  for (const auto& [key, value] : request.headers) {
    if (key == name) return value;
  }
  return {};
}

}  // namespace

TEST_CASE("signatures are those of AWS's published examples", "[remedy]") {
  AwsRequest list{"GET", "iam.amazonaws.com", "/", "Action=ListUsers&Version=2010-05-08", {}, ""};
  list.headers = {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}};
  CHECK(signature(list, "iam") ==
        "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
  AwsRequest vanilla{"GET", "example.amazonaws.com", "/", "", {}, ""};
  CHECK(signature(vanilla, "service") ==
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
  vanilla.method = "POST";
  CHECK(signature(vanilla, "service") ==
        "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
}

TEST_CASE("a hook is told the key of the intent, and only asked what it understands", "[remedy]") {
  const OutsideAllowed of = allowed();
  const auto act = call_hook(of, order(Verb::webhook, "reset", Mode::act));
  const Turn turn = act->begin();
  CHECK(request_of(turn).url == "http://127.0.0.1:1/reset");
  CHECK(header(request_of(turn), "Idempotency-Key") == "INC-2026-1122-001/1");
  const auto body = nlohmann::json::parse(request_of(turn).body);
  CHECK(body["target"] == "api");
  CHECK(body["dry_run"] == false);
  CHECK(became(act->answered({.status = 204})) == Became::done);

  CHECK(became(call_hook(of, order(Verb::webhook, "reset", Mode::try_out))->begin()) ==
        Became::would);
  const auto careful = call_hook(of, order(Verb::webhook, "careful", Mode::try_out));
  const Turn tried = careful->begin();
  CHECK(nlohmann::json::parse(request_of(tried).body)["dry_run"] == true);
  CHECK(became(careful->answered({.status = 200})) == Became::would);
  CHECK(became(call_hook(of, order(Verb::webhook, "none", Mode::act))->begin()) == Became::refused);
}

TEST_CASE("what the other side may have done is unknown, what it refused is refused", "[remedy]") {
  const OutsideAllowed of = allowed();
  const auto after = [&](const Answer& answer) {
    const auto run = call_hook(of, order(Verb::webhook, "reset", Mode::act));
    (void)run->begin();
    return became(run->answered(answer));
  };
  CHECK(after({.status = 500}) == Became::unknown);
  CHECK(after({.failure = "timed out"}) == Became::unknown);
  CHECK(after({.status = 409}) == Became::refused);
  CHECK(after({.status = 429, .retry_after_ms = 5}) == Became::refused);
  CHECK(became(call_hook(of, order(Verb::webhook, "reset", Mode::recheck))->begin()) ==
        Became::unknown);
}

TEST_CASE("a function that raises an error answers 200 and has failed", "[remedy]") {
  const OutsideAllowed of = allowed();
  nines::test::ManualClock clock(kThen);
  const auto run = invoke_function(of, clock, order(Verb::lambda, "heal", Mode::act));
  const Turn turn = run->begin();
  CHECK(request_of(turn).url ==
        "https://lambda.eu-west-1.amazonaws.com/2015-03-31/functions/heal%3Alive/invocations");
  CHECK(header(request_of(turn), "X-Amz-Invocation-Type") == "RequestResponse");
  CHECK(header(request_of(turn), "Authorization").find("/eu-west-1/lambda/aws4_request") !=
        std::string::npos);
  CHECK(became(run->answered({.status = 200, .raised = true})) == Became::failed);
  const auto tried = invoke_function(of, clock, order(Verb::lambda, "heal", Mode::try_out));
  CHECK(header(request_of(tried->begin()), "X-Amz-Invocation-Type") == "DryRun");
  CHECK(became(tried->answered({.status = 204})) == Became::would);
}

TEST_CASE("what was sent as a secret is struck out of what is told", "[remedy]") {
  OutsideAllowed of = allowed();
  of.hooks["reset"] = {
      "https://hooks.example.com/T0/B7/k9x2", [] {
        return Headers{{"Authorization", "Bearer s3cr3t-token"}, {"X-Key", "another one"}};
      }};
  const auto told = [&](const std::string& text) {
    const auto act = call_hook(of, order(Verb::webhook, "reset", Mode::act));
    (void)act->begin();
    return std::get<Outcome>(act->answered({.status = 403, .text = text})).text;
  };
  const std::string text = told(
      "{\"authorization\":\"Bearer s3cr3t-token\",\"x-key\":\"another one\",\"to\":"
      "\"/T0/B7/k9x2\"} s3cr3t-token of worker");
  CHECK(text.find("s3cr3t") == std::string::npos);
  CHECK(text.find("another") == std::string::npos);
  CHECK(text.find("k9x2") == std::string::npos);
  CHECK(text.find("403: {\"authorization\":\"***\"") != std::string::npos);
  CHECK(text.find("of worker") != std::string::npos);
  // Also where it would be cut in its middle.
  CHECK(told(std::string(295, 'x') + "s3cr3t-token").find("s3c") == std::string::npos);
  // A function's session is told by nobody.
  of.functions["heal"].identity = [] {
    AwsIdentity identity = kExample;
    identity.session_token = "FwoGZXIvYXdzEXAMPLETOKEN";
    return Result<AwsIdentity>(identity);
  };
  nines::test::ManualClock clock(kThen);
  const auto call = invoke_function(of, clock, order(Verb::lambda, "heal", Mode::act));
  const Turn turn = call->begin();
  const std::string signed_as = header(request_of(turn), "Authorization");
  REQUIRE_FALSE(signed_as.empty());
  const std::string answer =
      std::get<Outcome>(
          call->answered({.status = 400, .text = "FwoGZXIvYXdzEXAMPLETOKEN " + signed_as}))
          .text;
  CHECK(answer.find("FwoGZX") == std::string::npos);
  CHECK(answer.find("Signature=") == std::string::npos);
}
