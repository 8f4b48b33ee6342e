// SMTP (RFC 5321) as a sans-I/O machine, and its driver: one mail a connection, with STARTTLS
// (3207) or implicit TLS (8314), AUTH PLAIN and LOGIN (4954), 8BITMIME (6152), SIZE (1870).
//
// The login goes out only behind TLS, or to a loopback address. Nothing that comes from a message
// can end a line: header texts are one line each, addresses are checked, the body is dot-stuffed.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/result.hpp"
#include "nines/base/time.hpp"

namespace boost::asio {
class io_context;
}

namespace nines::agent::notify {

struct SmtpServer {
  enum class Tls : uint8_t { starttls, implicit, none };
  std::string host, port;
  Tls tls = Tls::starttls;
  std::string ca_file;         // PEM; empty: the system's authorities
  std::string user, password;  // empty: no login
  std::string name;            // what we call ourselves in EHLO
  int64_t timeout_ms = 10'000;
};

struct SmtpMail {
  std::string from;
  std::vector<std::string> to;
  std::string headers;  // whole lines, CRLF, ASCII; without those of the encoding
  std::string body;     // UTF-8, lines end with \n
};

struct SmtpResult {
  int status = 0;  // the reply that decided; 0: there was no dialogue
  bool refused_login = false;
  bool taken = false;  // for at least one recipient
  std::string text;    // of the reply; when taken: whom it was refused for
};

class SmtpSession {
 public:
  // What is to happen next.
  enum class Need : uint8_t { write, read, handshake, end };

  SmtpSession(const SmtpServer& server, const SmtpMail& mail);

  Need need() const { return need_; }
  std::string take_output();          // write
  void feed(std::string_view bytes);  // read
  void handshaken();                  // handshake
  // Nothing that may still come (the answer to QUIT) changes the result.
  bool decided() const { return state_ == State::quit || state_ == State::over; }
  const SmtpResult& result() const { return result_; }

 private:
  enum class State : uint8_t {
    greeting,
    ehlo,
    starttls,
    handshake,
    ehlo_again,
    auth_plain,
    auth_user,
    auth_password,
    mail,
    rcpt,
    data,
    body,
    quit,
    over
  };
  struct Reply {
    int code = 0;
    std::vector<std::string> lines;
  };

  void handle(const Reply& reply);
  void on_greeting(const Reply& reply);
  void on_ehlo(const Reply& reply);
  void on_auth(const Reply& reply);
  void on_rcpt(const Reply& reply);
  void on_data(const Reply& reply);
  void log_in();
  void begin_mail();
  void next_recipient();
  void say(State next, std::string line);
  void fail(const Reply& reply, std::string_view step);
  void stop(std::string why);
  bool offers(std::string_view extension) const;
  std::string encoded_mail() const;

  const SmtpServer& server_;
  const SmtpMail& mail_;
  State state_ = State::greeting;
  Need need_ = Need::read;
  bool secure_ = false;
  std::string input_, output_;
  Reply reply_;
  std::vector<std::string> extensions_;
  size_t recipient_ = 0, accepted_ = 0;
  SmtpResult result_;
};

// "user@host", without anything that could be taken for more than that.
bool is_mail_address(std::string_view text);
// One header line; not ASCII becomes encoded words (RFC 2047), line breaks and controls blanks.
std::string mail_header(std::string_view name, std::string_view text);
// "Sun, 01 Mar 2026 22:00:00 +0000"
std::string mail_date(WallTime t);

// Calls `done` once on the thread of `io`, at the latest after the server's timeout_ms. An error:
// there was no dialogue that came to an end.
void async_send_mail(boost::asio::io_context& io, SmtpServer server, SmtpMail mail,
                     std::function<void(Result<SmtpResult>)> done);

}  // namespace nines::agent::notify
