#include "notify/smtp.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <utility>

#include "http/credentials.hpp"
#include "nines/base/bytes_text.hpp"

namespace nines::agent::notify {
namespace {

constexpr size_t kMaxLine = 2048, kMaxLines = 100;

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

// Lines end with CRLF, those that begin with a dot get another one.
std::string dot_stuffed(std::string_view text) {
  std::string out;
  bool at_start = true;
  for (const char c : text) {
    if (c == '\r') continue;
    if (at_start && c == '.') out += '.';
    if (c == '\n') out += '\r';
    out += c;
    at_start = c == '\n';
  }
  if (!at_start) out += "\r\n";
  return out;
}

// No line of a mail may have more than 998 bytes.
std::string wrapped(std::string_view body) {
  constexpr size_t kWidth = 900;
  std::string out;
  size_t column = 0;
  for (const char c : body) {
    const bool starts_character = (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    if (column >= kWidth && starts_character && c != '\n') {
      out += '\n';
      column = 0;
    }
    out += c == '\0' ? ' ' : c;
    column = c == '\n' ? 0 : column + 1;
  }
  return out;
}

std::string base64_lines(std::string_view bytes) {
  constexpr size_t kBytesALine = 57;
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += kBytesALine) {
    out += base64_of(bytes.substr(i, kBytesALine)) + "\n";
  }
  return out;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += (out.empty() ? "" : " ") + line;
  return out.substr(0, 300);
}

}  // namespace

bool is_mail_address(std::string_view text) {
  const size_t at = text.find('@');
  if (at == std::string_view::npos || at == 0 || at + 1 == text.size() || text.size() > 254) {
    return false;
  }
  return std::all_of(text.begin(), text.end(),
                     [](char c) {
                       return c > ' ' && c < 127 &&
                              std::string_view("<>()[]\\,;:\"").find(c) == std::string_view::npos;
                     }) &&
         text.find('@', at + 1) == std::string_view::npos;
}

std::string mail_header(std::string_view name, std::string_view text) {
  constexpr size_t kMaxAscii = 200, kBytesAWord = 45;
  std::string clean;
  for (const char c : text) clean += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
  std::string line = std::string(name) + ": ";
  if (is_ascii(clean) && clean.size() <= kMaxAscii && clean.find("=?") == std::string::npos) {
    return line + clean + "\r\n";
  }
  for (size_t i = 0; i < clean.size();) {
    size_t end = std::min(clean.size(), i + kBytesAWord);
    while (end < clean.size() && end > i + 1 &&
           (static_cast<unsigned char>(clean[end]) & 0xC0) == 0x80) {
      --end;
    }
    line += (i == 0 ? "=?UTF-8?B?" : "\r\n =?UTF-8?B?") +
            base64_of(std::string_view(clean).substr(i, end - i)) + "?=";
    i = end;
  }
  return line + "\r\n";
}

std::string mail_date(WallTime t) {
  static constexpr const char* kDays[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const int64_t seconds = t.seconds();
  const int64_t second = (seconds % 86400 + 86400) % 86400;
  const int64_t days = (seconds - second) / 86400;
  const CivilDate date = civil_from_days(days);
  std::array<char, 64> out{};
  std::snprintf(out.data(), out.size(), "%s, %02d %s %lld %02lld:%02lld:%02lld +0000",
                kDays[(days % 7 + 7) % 7], date.day, kMonths[date.month - 1],
                static_cast<long long>(date.year), static_cast<long long>(second / 3600),
                static_cast<long long>(second / 60 % 60), static_cast<long long>(second % 60));
  return out.data();
}

SmtpSession::SmtpSession(const SmtpServer& server, const SmtpMail& mail)
    : server_(server), mail_(mail), secure_(server.tls == SmtpServer::Tls::implicit) {}

std::string SmtpSession::take_output() {
  need_ = state_ == State::over ? Need::end : Need::read;
  return std::exchange(output_, {});
}

void SmtpSession::handshaken() {
  secure_ = true;
  input_.clear();  // what came before was not protected
  reply_ = {};
  say(State::ehlo_again, "EHLO " + server_.name);
}

void SmtpSession::feed(std::string_view bytes) {
  input_ += bytes;
  while (need_ == Need::read) {
    const size_t end = input_.find('\n');
    if (std::min(end, input_.size()) > kMaxLine) return stop("a reply of the server has no end");
    if (end == std::string::npos) return;
    std::string line = input_.substr(0, end);
    input_.erase(0, end + 1);
    if (!line.empty() && line.back() == '\r') line.pop_back();
    int code = 0;
    const auto [rest, error] =
        std::from_chars(line.data(), line.data() + std::min<size_t>(3, line.size()), code);
    const bool last = line.size() == 3 || (line.size() > 3 && line[3] == ' ');
    const bool more = line.size() > 3 && line[3] == '-';
    if (error != std::errc() || rest != line.data() + 3 || code < 200 || code > 599 ||
        (!last && !more) || reply_.lines.size() >= kMaxLines) {
      return stop("it does not speak SMTP");
    }
    reply_.code = code;
    reply_.lines.push_back(line.size() > 4 ? line.substr(4) : "");
    if (last) handle(std::exchange(reply_, {}));
  }
}

void SmtpSession::handle(const Reply& reply) {
  if (reply.code == 421 && state_ != State::quit) return fail(reply, "it closes the connection");
  switch (state_) {
    case State::greeting: return on_greeting(reply);
    case State::ehlo:
    case State::ehlo_again: return on_ehlo(reply);
    case State::starttls:
      if (reply.code != 220) return stop("STARTTLS is refused: " + joined(reply.lines));
      state_ = State::handshake;
      need_ = Need::handshake;
      return;
    case State::auth_plain:
    case State::auth_user:
    case State::auth_password: return on_auth(reply);
    case State::mail:
      if (reply.code != 250) return fail(reply, "the sender");
      return next_recipient();
    case State::rcpt: return on_rcpt(reply);
    case State::data:
    case State::body: return on_data(reply);
    case State::quit:
      state_ = State::over;
      need_ = Need::end;
      return;
    case State::handshake:
    case State::over: return;
  }
}

// A server that greets with 554 wants no mail now; who it wants mail from is said later.
void SmtpSession::on_greeting(const Reply& reply) {
  if (reply.code != 220) return stop("it greets with " + std::to_string(reply.code));
  say(State::ehlo, "EHLO " + server_.name);
}

void SmtpSession::on_ehlo(const Reply& reply) {
  if (reply.code != 250) return stop("EHLO is refused: " + joined(reply.lines));
  extensions_.clear();
  for (size_t i = 1; i < reply.lines.size(); ++i) extensions_.push_back(upper(reply.lines[i]));
  if (!secure_ && server_.tls == SmtpServer::Tls::starttls) {
    if (!offers("STARTTLS")) return stop("it does not offer STARTTLS");
    return say(State::starttls, "STARTTLS");
  }
  if (server_.user.empty()) return begin_mail();
  if (!secure_ && !http::is_loopback(server_.host)) return stop("a login without TLS is not sent");
  log_in();
}

void SmtpSession::log_in() {
  std::string methods;
  for (const std::string& extension : extensions_) {
    if (extension.starts_with("AUTH ") || extension.starts_with("AUTH=")) methods = extension + " ";
  }
  if (methods.find(" PLAIN ") != std::string::npos ||
      methods.find("=PLAIN ") != std::string::npos) {
    const std::string login = '\0' + server_.user + '\0' + server_.password;
    return say(State::auth_plain, "AUTH PLAIN " + base64_of(login));
  }
  if (methods.find("LOGIN ") != std::string::npos) return say(State::auth_user, "AUTH LOGIN");
  result_.refused_login = true;
  stop("it offers neither AUTH PLAIN nor AUTH LOGIN");
}

void SmtpSession::on_auth(const Reply& reply) {
  if (reply.code == 334 && state_ == State::auth_user) {
    return say(State::auth_password, base64_of(server_.user));
  }
  if (reply.code == 334 && state_ == State::auth_password) {
    return say(State::auth_plain, base64_of(server_.password));
  }
  if (reply.code == 235) return begin_mail();
  result_.refused_login = reply.code >= 500;
  fail(reply, "the login");
}

void SmtpSession::begin_mail() {
  const std::string eight = offers("8BITMIME") && !is_ascii(mail_.body) ? " BODY=8BITMIME" : "";
  say(State::mail, "MAIL FROM:<" + mail_.from + ">" + eight);
}

void SmtpSession::next_recipient() { say(State::rcpt, "RCPT TO:<" + mail_.to[recipient_] + ">"); }

// One that may be taken later puts all of it off: nobody has got it yet. One that is refused for
// good does not keep it from the others.
void SmtpSession::on_rcpt(const Reply& reply) {
  if (reply.code / 100 == 4) return fail(reply, mail_.to[recipient_]);
  if (reply.code / 100 == 2) {
    ++accepted_;
  } else {
    result_.text += (result_.text.empty() ? "refused for " : ", ") + mail_.to[recipient_] + " (" +
                    std::to_string(reply.code) + ")";
    result_.status = reply.code;
  }
  if (++recipient_ < mail_.to.size()) return next_recipient();
  if (accepted_ > 0) return say(State::data, "DATA");
  say(State::quit, "QUIT");
}

void SmtpSession::on_data(const Reply& reply) {
  if (state_ == State::data && reply.code == 354) {
    state_ = State::body;
    output_ = encoded_mail() + ".\r\n";
    need_ = Need::write;
    return;
  }
  if (state_ == State::body && reply.code / 100 == 2) {
    result_.taken = true;
    result_.status = reply.code;
    return say(State::quit, "QUIT");
  }
  fail(reply, "the message");
}

void SmtpSession::say(State next, std::string line) {
  state_ = next;
  output_ = std::move(line) + "\r\n";
  need_ = Need::write;
}

void SmtpSession::fail(const Reply& reply, std::string_view step) {
  result_.status = reply.code;
  result_.text = std::string(step) + ": " + std::to_string(reply.code) + " " + joined(reply.lines);
  say(State::quit, "QUIT");
}

void SmtpSession::stop(std::string why) {
  if (!decided()) {
    result_.status = 0;
    result_.text = std::move(why);
  }
  state_ = State::over;
  need_ = Need::end;
}

bool SmtpSession::offers(std::string_view extension) const {
  return std::any_of(extensions_.begin(), extensions_.end(), [&](const std::string& offered) {
    return offered == extension || offered.starts_with(std::string(extension) + " ");
  });
}

std::string SmtpSession::encoded_mail() const {
  const bool ascii = is_ascii(mail_.body);
  const bool base = !ascii && !offers("8BITMIME");
  std::string out = mail_.headers;
  out += "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n";
  out += "Content-Transfer-Encoding: ";
  out += ascii ? "7bit" : base ? "base64" : "8bit";
  return out + "\r\n\r\n" + dot_stuffed(base ? base64_lines(mail_.body) : wrapped(mail_.body));
}

}  // namespace nines::agent::notify
