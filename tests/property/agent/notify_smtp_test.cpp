// SMTP with servers that answer anything at all.
#include <rapidcheck.h>

#include <catch2/catch.hpp>

#include "notify/smtp.hpp"

using namespace nines;
using namespace nines::agent::notify;
using Need = SmtpSession::Need;

namespace {

const std::vector<std::string> kReplies = {
    "220 hi\r\n",
    "250 ok\r\n",
    "250-a\r\n250-STARTTLS\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN\r\n",
    "250 AUTH LOGIN\r\n",
    "235 in\r\n",
    "334 dXNlcg==\r\n",
    "354 go\r\n",
    "221 bye\r\n",
    "421 no\r\n",
    "450 later\r\n",
    "535 no\r\n",
    "550 never\r\n",
    "250-more\r\n",
    "x\r\n",
    "\r\n",
    "250",
    "999 x\r\n",
    "220 a\r\n250 b\r\n354 c\r\n",
    std::string(3000, 'z')};

// What a good server answers to what was said last.
std::string fitting(const std::string& said) {
  if (said.empty() || said.starts_with("STARTTLS")) return "220 go\r\n";
  if (said.starts_with("EHLO")) return kReplies[2];
  if (said.starts_with("AUTH PLAIN")) return "235 in\r\n";
  if (said.starts_with("DATA")) return "354 go\r\n";
  return "250 ok\r\n";
}

// What is said is whole lines, and the password only behind TLS.
void check_said(const std::string& said, bool secure, const SmtpMail& mail) {
  RC_ASSERT(said.ends_with("\r\n"));
  const bool is_mail = said.find("MIME-Version") != std::string::npos;
  if (!is_mail) RC_ASSERT(said.find('\n') == said.size() - 1);
  if (is_mail) RC_ASSERT(said.find("\r\n.\r\n") == said.size() - 5);
  const bool secret = said.starts_with("AUTH") || said == "cHc=\r\n";
  if (secret || is_mail || said.starts_with("MAIL")) RC_ASSERT(secure);
  RC_ASSERT(said.find(mail.from) == std::string::npos || said.starts_with("MAIL FROM:<"));
}

}  // namespace

TEST_CASE(
    "No server makes a mail be taken for told that it has not answered for, or a password leave "
    "in clear",
    "[notify]") {
  const bool good = rc::check([] {
    SmtpServer server;
    server.host = "mail.example.org";
    server.user = "u";
    server.password = "pw";
    server.name = "n";
    server.tls = *rc::gen::element(SmtpServer::Tls::starttls, SmtpServer::Tls::implicit);
    bool secure = server.tls == SmtpServer::Tls::implicit;
    const SmtpMail mail{
        "a@b", {"c@d", "e@f"}, "Subject: s\r\n", *rc::gen::arbitrary<std::string>()};
    SmtpSession session(server, mail);
    bool mail_said = false, answered = false;
    std::string last;
    int turns = 0;
    while (session.need() != Need::end && turns++ < 200) {
      if (session.need() == Need::handshake) {
        secure = true;
        session.handshaken();
      } else if (session.need() == Need::write) {
        const std::string said = session.take_output();
        check_said(said, secure, mail);
        last = said;
        mail_said = mail_said || said.find("MIME-Version") != std::string::npos;
      } else {
        const bool fits = *rc::gen::inRange(0, 10) < 9;
        const std::string reply = fits ? fitting(last) : *rc::gen::elementOf(kReplies);
        answered = answered || (mail_said && reply.find("2") == 0);
        session.feed(reply);
      }
    }
    if (session.result().taken) RC_ASSERT(mail_said && answered);
    if (session.result().taken) RC_ASSERT(session.result().status / 100 == 2);
    RC_CLASSIFY(session.result().taken, "taken");
  });
  CHECK(good);
}
