#include "nines/broker/nats_client.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "broker/json_fields.hpp"
#include "broker/nats_parser.hpp"
#include "broker/nkey.hpp"
#include "nines/base/bytes_text.hpp"
#include "nines/base/json_writer.hpp"

namespace nines::broker {
namespace {

constexpr size_t kLeastPayload = 4 * 1024, kMostPayload = 64 * 1024 * 1024;

bool past(Instant from, int64_t ms, Now now) { return now.mono.ns - from.ns > ms * kNsPerMs; }

// Of what the server says, for people: bounded, without control characters.
std::string view_of_server(std::string_view text) {
  std::string out(text.substr(0, 256));
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7F) c = '?';
  }
  return out;
}

// Of errors that only a change of the server or of the login can mend.
bool is_login(std::string_view text) {
  return text.find("uthorization") != std::string_view::npos ||
         text.find("uthentication") != std::string_view::npos ||
         text.find("xpired") != std::string_view::npos;
}

// A server may repeat what it could not take: of our CONNECT, which has the login in it, nothing is
// kept.
std::string without_login(std::string text) {
  const size_t echoed = std::min(text.find("CONNECT"), text.find('{'));
  if (echoed != std::string::npos) text.replace(echoed, std::string::npos, "...");
  return text;
}

}  // namespace

NatsClient::NatsClient(NatsOptions options)
    : options_(std::move(options)), chance_(options_.seed) {}
NatsClient::~NatsClient() = default;

void NatsClient::fail(Errc code, std::string why) {
  if (!broken_) broken_ = Error{code, std::move(why)};
}

void NatsClient::join(Participant& who, Now now) {
  participants_.push_back(&who);
  if (ready()) who.connected(*this, now);
}

void NatsClient::wake(Participant& who, Now now) {
  if (ready()) who.tick(*this, now);
}

void NatsClient::opened(const Login& login, Now now) {
  login_ = login;
  parser_ = std::make_unique<NatsParser>(options_.max_message);
  out_.clear();
  denials_.clear();
  on_socket_ = 0;
  broken_.reset();
  refused_ = pinging_ = false;
  since_ = heard_ = pinged_ = now.mono;
  state_ = State::greeting;
}

void NatsClient::received(std::string_view bytes, Now now) {
  if (state_ == State::closed || broken_) return;
  heard_ = now.mono;
  counters_.bytes_in += bytes.size();
  parser_->feed(bytes);
  while (!broken_ && !wants_tls()) {
    auto frame = parser_->next();
    if (!frame.ok()) return fail(frame.error().code, frame.error().message);
    if (!*frame) return;
    using Kind = NatsFrame::Kind;
    const NatsFrame& f = **frame;
    switch (f.kind) {
      case Kind::ok: break;
      case Kind::info: on_info(f.text, now); break;
      case Kind::error: on_error(f.text, now); break;
      case Kind::ping: out_ += "PONG\r\n"; break;
      case Kind::pong:
        pinging_ = false;
        if (state_ != State::logging_in) break;
        state_ = State::ready;
        for (size_t i = 0; i < participants_.size(); ++i) participants_[i]->connected(*this, now);
        break;
      case Kind::message:
        if (state_ != State::ready) return fail(Errc::corrupt, "a message before the login");
        deliver(f.sid, {f.subject, f.reply, f.headers, f.body, f.status}, now);
        break;
    }
  }
}

void NatsClient::on_info(const std::string& json, Now now) {
  const JsonFields info(json);
  if (!info.ok()) return fail(Errc::corrupt, "the NATS server's INFO is no JSON object");
  const auto payload = info.number("/max_payload");
  if (payload && *payload > 0) {
    max_payload_ = std::clamp(static_cast<size_t>(std::min<int64_t>(*payload, kMostPayload)),
                              kLeastPayload, kMostPayload);
  }
  if (state_ != State::greeting) return;  // told again: its limits, its other servers
  if (!info.flag("/headers")) {
    return fail(Errc::unsupported, "the NATS server knows no headers (before 2.2)");
  }
  server_ = info.text("/server_name").substr(0, 64) + " " + info.text("/version").substr(0, 16);
  nonce_ = info.text("/nonce").substr(0, 256);
  const bool offered = info.flag("/tls_required") || info.flag("/tls_available");
  if (options_.tls && !offered) {
    return fail(Errc::unavailable, "the NATS server speaks no TLS, and tls:// asks for it");
  }
  if (!options_.tls && !info.flag("/tls_required")) return log_in(now);
  // What came behind INFO without encryption is nothing to be believed.
  if (parser_->buffered() > 0) return fail(Errc::corrupt, "bytes before TLS stands");
  state_ = State::handshake;
}

void NatsClient::secured(Now now) {
  if (state_ != State::handshake) return;
  heard_ = now.mono;
  log_in(now);
}

void NatsClient::log_in(Now now) {
  std::string text = "CONNECT ";
  JsonWriter out(text);
  out.begin_object().member("verbose", false).member("pedantic", false);
  out.member("tls_required", state_ == State::handshake).member("name", options_.name);
  out.member("lang", "c++").member("version", "1").member("protocol", 1).member("echo", true);
  out.member("headers", true).member("no_responders", true);
  if (!login_.token.empty()) out.member("auth_token", login_.token);
  if (!login_.user.empty()) out.member("user", login_.user).member("pass", login_.password);
  if (!login_.seed.empty()) {
    auto key = parse_seed(login_.seed);
    auto signature = key.ok() ? sign(*key, nonce_) : Result<std::string>(key.error());
    if (!signature.ok()) {
      refused_ = true;
      return fail(signature.error().code, signature.error().message);
    }
    if (login_.jwt.empty()) {
      out.member("nkey", key->public_key);
    } else {
      out.member("jwt", login_.jwt);
    }
    out.member("sig", base64_url_of(*signature));
  }
  out.end_object();
  out_ += text + "\r\nPING\r\n";
  login_ = {};
  state_ = State::logging_in;
  pinged_ = now.mono;
}

// Of one subject, not of the connection: what is published there is never acknowledged.
// Permissions Violation for Publish to "a.b"
// Permissions Violation for Subscription to "a.b"
void NatsClient::on_denial(const std::string& text, Now now) {
  ++counters_.dropped;
  const size_t begin = text.find('"');
  const size_t end = begin == std::string::npos ? begin : text.find('"', begin + 1);
  if (end == std::string::npos) {
    denials_[view_of_server(text)] = now.mono;
    return;
  }
  const std::string subject = view_of_server(text.substr(begin + 1, end - begin - 1));
  const Denied what{text.find("for Publish") != std::string::npos, subject};
  // Inboxes have another name each time.
  const bool inbox = subject.starts_with("_INBOX.");
  denials_[denial_text({what.publish, inbox ? "_INBOX.>" : what.subject})] = now.mono;
  if (denials_.size() > kDenials) {
    denials_.erase(std::min_element(denials_.begin(), denials_.end(),
                                    [](auto& a, auto& b) { return a.second < b.second; }));
  }
  for (size_t i = 0; i < participants_.size(); ++i) participants_[i]->denied(what, *this, now);
}

std::vector<std::string> NatsClient::denials(Instant now) const {
  std::vector<std::string> out;
  for (const auto& [text, at] : denials_) {
    if (now.ns - at.ns <= kDenialMs * kNsPerMs) out.push_back(text);
  }
  return out;
}

void NatsClient::on_error(const std::string& text, Now now) {
  const std::string said = without_login(text.substr(0, 256));
  if (said.find("Permissions Violation") != std::string::npos && ready()) {
    return on_denial(text, now);
  }
  refused_ = refused_ || is_login(said);
  fail(refused_ ? Errc::invalid_argument : Errc::unavailable, "the NATS server says: " + said);
}

void NatsClient::deliver(uint64_t sid, const BusMessage& message, Now now) {
  ++counters_.messages_in;
  const auto found = subscriptions_.find(sid);
  if (found == subscriptions_.end()) {
    ++counters_.unknown;
    return;
  }
  found->second->received(sid, message, *this, now);
}

void NatsClient::tick(Now now) {
  if (state_ == State::closed || broken_) return;
  if (state_ != State::ready) {
    if (past(since_, options_.greeting_ms, now)) {
      fail(Errc::timeout, "the NATS server does not finish the login");
    }
    return;
  }
  if (pinging_ && past(pinged_, options_.dead_after_ms, now) &&
      past(heard_, options_.dead_after_ms, now)) {
    return fail(Errc::timeout, "the NATS server does not answer");
  }
  if (!pinging_ && past(pinged_, options_.ping_every_ms, now)) {
    out_ += "PING\r\n";
    pinging_ = true;
    pinged_ = now.mono;
  }
  for (size_t i = 0; i < participants_.size(); ++i) participants_[i]->tick(*this, now);
}

void NatsClient::closed(Now now) {
  const bool was_ready = ready();
  state_ = State::closed;
  subscriptions_.clear();
  out_.clear();
  on_socket_ = 0;
  parser_.reset();
  if (!was_ready) return;
  for (size_t i = 0; i < participants_.size(); ++i) participants_[i]->lost(now);
}

void NatsClient::leave(Now) {}  // the protocol has no last words

std::string NatsClient::take_output() {
  counters_.bytes_out += out_.size();
  return std::exchange(out_, {});
}

uint64_t NatsClient::subscribe(std::string_view subject, Participant& who) {
  if (!ready() || subscriptions_.size() >= options_.max_subscriptions) {
    ++counters_.dropped;
    return 0;
  }
  const uint64_t sid = ++next_sid_;
  subscriptions_[sid] = &who;
  out_.append("SUB ").append(subject).append(" ").append(std::to_string(sid)).append("\r\n");
  return sid;
}

void NatsClient::unsubscribe(uint64_t sid) {
  if (subscriptions_.erase(sid) == 0 || !ready()) return;
  out_.append("UNSUB ").append(std::to_string(sid)).append("\r\n");
}

void NatsClient::publish(std::string_view subject, std::string_view reply,
                         std::span<const Header> headers, std::string_view body) {
  size_t header_bytes = 0;
  std::string lines;
  if (!headers.empty()) {
    lines = "NATS/1.0\r\n";
    for (const auto& [name, value] : headers) {
      lines.append(name).append(": ").append(value).append("\r\n");
    }
    lines += "\r\n";
    header_bytes = lines.size();
  }
  const size_t total = header_bytes + body.size();
  if (!ready() || total > max_payload_ || unsent() > options_.max_unsent) {
    ++counters_.dropped;
    return;
  }
  ++counters_.messages_out;
  out_.append(header_bytes > 0 ? "HPUB " : "PUB ").append(subject).append(" ");
  if (!reply.empty()) out_.append(reply).append(" ");
  if (header_bytes > 0) out_.append(std::to_string(header_bytes)).append(" ");
  out_.append(std::to_string(total)).append("\r\n").append(lines).append(body).append("\r\n");
}

std::string NatsClient::inbox() {
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "_INBOX.%016llx%08llx",
                static_cast<unsigned long long>(chance_.next()),
                static_cast<unsigned long long>(chance_.next() & 0xFFFFFFFF));
  return text.data();
}

}  // namespace nines::broker
