#include "query/remote_record.hpp"

#include <algorithm>
#include <utility>

namespace nines::agent::query {
namespace {

constexpr int kMaxDepth = 64;
constexpr size_t kMaxWords = 300;  // of an error that a system tells

bool is_too_deep(std::string_view text) {
  int depth = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      quoted = c != '"';
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kMaxDepth) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

std::string_view meaning(int status) {
  switch (status) {
    case 400: return "it does not understand the query";
    case 401: return "it does not know who we are: see token_file, or user and password_file";
    case 403: return "this login may not read it";
    case 404: return "there is no such API or index: see url and index";
    case 429: return "too many requests";
    case 503: return "it is not ready";
    default: return status / 100 == 3 ? "it sends elsewhere: see url" : "";
  }
}

// Control bytes of a hostile answer do not reach the terminal.
std::string printable(std::string_view words) {
  std::string out(words.substr(0, kMaxWords));
  std::replace_if(
      out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return out;
}

}  // namespace

Result<Json> parse_answer(std::string_view body) {
  if (is_too_deep(body)) return Error{Errc::unavailable, "its answer is nested too deeply"};
  Json json = Json::parse(body, nullptr, false);
  if (json.is_discarded()) {
    return Error{Errc::unavailable,
                 "its answer is not whole JSON: " +
                     (body.empty() ? std::string("it is empty") : printable(body.substr(0, 60)))};
  }
  return json;
}

Result<Json> parse_ok_answer(const http::ClientResponse& answer) {
  if (answer.status != 200) return refusal(answer);
  return parse_answer(answer.body);
}

Error refusal(const http::ClientResponse& answer) {
  std::string out = "it answers " + std::to_string(answer.status);
  std::string why(meaning(answer.status));
  if (const auto wait = http::retry_after_ms(answer)) {
    why += std::string(why.empty() ? "" : "; ") + "it asks to wait " +
           std::to_string((*wait + 999) / 1000) + " s";
  }
  if (!why.empty()) out += " (" + why + ")";
  if (!answer.body.empty()) out += ": " + printable(answer.body);
  return {Errc::unavailable, std::move(out), answer.status};
}

void append_record(std::string& out, Json&& record) {
  out += record.dump(-1, ' ', false, Json::error_handler_t::replace);
  out += '\n';
}

const Json* child(const Json& json, std::string_view key) {
  if (!json.is_object()) return nullptr;
  const auto found = json.find(key);
  return found == json.end() ? nullptr : &*found;
}

std::string_view text_of(const Json& json, std::string_view key) {
  const Json* value = child(json, key);
  return value != nullptr && value->is_string()
             ? std::string_view(value->get_ref<const std::string&>())
             : std::string_view();
}

std::string epoch_seconds(WallTime time) {
  int64_t seconds = time.ns / kNsPerSecond, rest = time.ns % kNsPerSecond;
  if (rest < 0) {
    rest += kNsPerSecond;
    --seconds;
  }
  const std::string fraction = std::to_string(rest);
  return std::to_string(seconds) + "." + std::string(9 - fraction.size(), '0') + fraction;
}

bool Overlap::is_new(WallTime time, std::string identity) {
  if (time < from_) return false;
  if (time > from_) {
    from_ = time;
    seen_.clear();
  }
  if (!seen_.insert(std::move(identity)).second) return false;
  fresh_ = true;
  return true;
}

}  // namespace nines::agent::query
