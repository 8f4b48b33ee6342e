#include "incident/rewriter.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "http/client.hpp"
#include "http/credentials.hpp"
#include "nines/base/json_writer.hpp"

namespace nines::agent::incident {
namespace {

constexpr size_t kMaxAnswerBytes = 64 * 1024;
constexpr int kMaxTokens = 1024;

constexpr const char* kTask =
    "You put the state of services into plain, calm words for people on call. Use only what the "
    "sentences say. Keep every number, name and incident id exactly as it stands; add none. Write "
    "one paragraph and nothing else.";

std::string trimmed(std::string text) {
  const auto blank = [](char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; };
  while (!text.empty() && blank(text.back())) text.pop_back();
  size_t begin = 0;
  while (begin < text.size() && blank(text[begin])) ++begin;
  return text.substr(begin);
}

Result<std::string> text_of(const Result<http::ClientResponse>& response) {
  if (!response.ok()) return response.error();
  if (response->status != 200) {
    return Error{Errc::unavailable, "it answers " + std::to_string(response->status)};
  }
  return rewrite_answer(response->body);
}

}  // namespace

std::string rewrite_request(const std::string& model, const nines::incident::Narrative& narrative) {
  std::string body;
  JsonWriter json(body);
  json.begin_object().member("model", model).member("temperature", 0);
  json.member("max_tokens", kMaxTokens).member("stream", false).key("messages").begin_array();
  json.begin_object().member("role", "system").member("content", kTask).end_object();
  json.begin_object().member("role", "user").member("content", narrative.text()).end_object();
  json.end_array().end_object();
  return body;
}

Result<std::string> rewrite_answer(const std::string& body) {
  const Error strange{Errc::corrupt, "its answer is not that of a chat completion"};
  const auto tree = nlohmann::json::parse(body, nullptr, false);
  if (!tree.is_object()) return strange;
  const auto choices = tree.find("choices");
  if (choices == tree.end() || !choices->is_array() || choices->empty()) return strange;
  const auto& first = (*choices)[0];
  if (!first.is_object() || !first.contains("message") || !first["message"].is_object()) {
    return strange;
  }
  const auto content = first["message"].find("content");
  if (content == first["message"].end() || !content->is_string()) return strange;
  return trimmed(content->get<std::string>());
}

Rewriter::Rewriter(boost::asio::io_context& io, NarrativeConfig config)
    : io_(io), config_(std::move(config)) {}
Rewriter::~Rewriter() = default;

void Rewriter::tell(const nines::incident::Narrative& narrative, std::vector<std::string> known,
                    Done done) {
  const std::string plain = narrative.text();
  if (!last_text_.empty() && plain == last_plain_) {
    ++counters_.repeated;
    return done({last_text_, true, {}});
  }
  if (asking_) {
    ++counters_.busy;
    return done({plain, false, "the language model is busy: these are the plain sentences"});
  }
  auto login = http::authorization({config_.token_file, {}, {}});
  if (!login.ok()) {
    ++counters_.failed;
    return done({plain, false, "the language model is not asked: " + login.error().message});
  }
  http::ClientRequest request;
  request.method = "POST";
  request.url = config_.url + "/chat/completions";
  request.timeout_ms = config_.timeout_ms;
  request.max_response_bytes = kMaxAnswerBytes;
  request.headers.emplace_back("Content-Type", "application/json");
  if (!login->empty()) request.headers.emplace_back("Authorization", *login);
  request.body = rewrite_request(config_.model, narrative);
  asking_ = true;
  http::async_fetch(
      io_, std::move(request),
      [this, alive = std::weak_ptr<bool>(alive_), narrative, plain, known = std::move(known),
       done = std::move(done)](const Result<http::ClientResponse>& response) {
        if (alive.expired()) return;
        asking_ = false;
        const auto text = text_of(response);
        if (!text.ok()) {
          ++counters_.failed;
          return done({plain, false,
                       "the language model was asked, but " + text.error().message +
                           ": these are the plain sentences"});
        }
        const auto verdict = nines::incident::accepts_rewrite(*text, narrative, known);
        if (!verdict.accepted) {
          ++counters_.refused;
          return done({plain, false,
                       "what the language model wrote is not shown, since " + verdict.reason +
                           ": these are the plain sentences"});
        }
        ++counters_.accepted;
        last_plain_ = plain;
        last_text_ = *text;
        done({*text, true, {}});
      });
}

}  // namespace nines::agent::incident
