// SMTP against a scripted server, bytes in and bytes out; no sockets.
#include <catch2/catch.hpp>
#include <deque>

#include "notify/smtp.hpp"

using namespace nines;
using namespace nines::agent::notify;
using Need = SmtpSession::Need;

namespace {

SmtpServer server(SmtpServer::Tls tls = SmtpServer::Tls::starttls) {
  SmtpServer out;
  out.host = "mail.example.org";
  out.port = "587";
  out.tls = tls;
  out.user = "nines";
  out.password = "pw";
  out.name = "node-1";
  return out;
}

SmtpMail mail(std::string body = "60 of 100\n") {
  return {
      "nines@example.org", {"a@example.org", "b@example.org"}, "Subject: x\r\n", std::move(body)};
}

// What we said, one command or mail an element; "<tls>" where TLS began.
struct Dialogue {
  std::vector<std::string> said;
  SmtpResult result;
  bool ended = false;
};

Dialogue run(const SmtpServer& to, const SmtpMail& what, std::deque<std::string> replies) {
  Dialogue out;
  SmtpSession session(to, what);
  while (true) {
    switch (session.need()) {
      case Need::write: out.said.push_back(session.take_output()); continue;
      case Need::handshake:
        out.said.emplace_back("<tls>");
        session.handshaken();
        continue;
      case Need::end:
        out.ended = true;
        out.result = session.result();
        return out;
      case Need::read: break;
    }
    if (replies.empty()) {
      out.result = session.result();
      return out;
    }
    // Byte by byte: how the network cuts them does not matter.
    for (const char c : replies.front()) session.feed({&c, 1});
    replies.pop_front();
  }
}

const std::string kHello = "250-mail\r\n250-SIZE 1000\r\n250-8BITMIME\r\n250 AUTH LOGIN PLAIN\r\n";

std::deque<std::string> good(const std::string& after_tls = kHello) {
  return {"220-hi\r\n220 mail\r\n",
          "250-mail\r\n250 STARTTLS\r\n",
          "220 go\r\n",
          after_tls,
          "235 ok\r\n",
          "250 ok\r\n",
          "250 ok\r\n",
          "250 ok\r\n",
          "354 go\r\n",
          "250 queued\r\n",
          "221 bye\r\n"};
}

}  // namespace

TEST_CASE("A mail goes out behind STARTTLS with a login", "[notify]") {
  const Dialogue d = run(server(), mail(), good());
  REQUIRE(d.ended);
  CHECK(d.result.taken);
  CHECK(d.result.status == 250);
  CHECK(d.said ==
        std::vector<std::string>{
            "EHLO node-1\r\n", "STARTTLS\r\n", "<tls>", "EHLO node-1\r\n",
            "AUTH PLAIN AG5pbmVzAHB3\r\n", "MAIL FROM:<nines@example.org>\r\n",
            "RCPT TO:<a@example.org>\r\n", "RCPT TO:<b@example.org>\r\n", "DATA\r\n",
            "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
            "Content-Transfer-Encoding: 7bit\r\n\r\n60 of 100\r\n.\r\n",
            "QUIT\r\n"});
}

TEST_CASE("A line of a reply that is too long is refused, however the network cuts it",
          "[notify]") {
  const SmtpServer to = server();
  const SmtpMail what = mail();
  const std::string line = "220 " + std::string(3000, 'x') + "\r\n";
  SmtpSession whole(to, what);
  whole.feed(line);
  CHECK(whole.need() == Need::end);
  CHECK(run(to, what, {line}).ended);
  CHECK(whole.result().text == run(to, what, {line}).result.text);
}

TEST_CASE("Nothing is sent to a server that does not offer STARTTLS", "[notify]") {
  const Dialogue d = run(server(), mail(), {"220 x\r\n", kHello});
  CHECK(d.ended);
  CHECK_FALSE(d.result.taken);
  CHECK(d.result.status == 0);  // tried again
  CHECK(d.said == std::vector<std::string>{"EHLO node-1\r\n"});
}

TEST_CASE("What a server says before TLS begins is not believed behind it", "[notify]") {
  // An injected answer, in the same packet as the answer to STARTTLS.
  auto replies = good();
  replies[2] = "220 go\r\n250 injected\r\n";
  const Dialogue d = run(server(), mail(), replies);
  CHECK(d.result.taken);
  CHECK(d.said[4] == "AUTH PLAIN AG5pbmVzAHB3\r\n");
}

TEST_CASE("A password never leaves without TLS, except to this node", "[notify]") {
  SmtpServer plain = server(SmtpServer::Tls::none);
  const Dialogue d = run(plain, mail(), {"220 x\r\n", kHello});
  CHECK(d.said == std::vector<std::string>{"EHLO node-1\r\n"});
  plain.host = "127.0.0.1";
  CHECK(run(plain, mail(), {"220 x\r\n", kHello}).said.size() == 2);
}

TEST_CASE("AUTH LOGIN is used where PLAIN is not offered", "[notify]") {
  auto replies = good("250-mail\r\n250 AUTH LOGIN\r\n");
  replies[4] = "334 VXNlcm5hbWU6\r\n";
  replies.insert(replies.begin() + 5, {"334 UGFzc3dvcmQ6\r\n", "235 ok\r\n"});
  const Dialogue d = run(server(), mail(), replies);
  CHECK(d.result.taken);
  CHECK(d.said[4] == "AUTH LOGIN\r\n");
  CHECK(d.said[5] == "bmluZXM=\r\n");
  CHECK(d.said[6] == "cHc=\r\n");
  const Dialogue none = run(server(), mail(), good("250-mail\r\n250 AUTH GSSAPI\r\n"));
  CHECK(none.result.refused_login);
}

TEST_CASE("A refused login is told apart from a refused mail", "[notify]") {
  auto replies = good();
  replies[4] = "535 5.7.8 no\r\n";
  replies[5] = "221 bye\r\n";
  const Dialogue d = run(server(), mail(), replies);
  CHECK(d.result.refused_login);
  CHECK(d.result.text.find("pw") == std::string::npos);
  replies[4] = "454 4.7.0 later\r\n";
  CHECK_FALSE(run(server(), mail(), replies).result.refused_login);
}

TEST_CASE(
    "One recipient that is refused does not keep the mail from the others; one that may be "
    "taken later puts it off",
    "[notify]") {
  auto replies = good();
  replies[6] = "550 unknown\r\n";
  const Dialogue partly = run(server(), mail(), replies);
  CHECK(partly.result.taken);
  CHECK(partly.result.status == 250);
  CHECK(partly.result.text == "refused for a@example.org (550)");
  replies[7] = "551 unknown\r\n";
  replies[8] = "221 bye\r\n";
  const Dialogue none = run(server(), mail(), replies);
  CHECK_FALSE(none.result.taken);
  CHECK(none.result.status == 551);
  replies = good();
  replies[7] = "450 later\r\n";
  replies[8] = "221 bye\r\n";
  const Dialogue later = run(server(), mail(), replies);
  CHECK_FALSE(later.result.taken);
  CHECK(later.result.status == 450);
  CHECK(later.said.back() == "QUIT\r\n");
}

TEST_CASE("A mail is taken when it is answered, however the connection ends", "[notify]") {
  auto replies = good();
  replies.pop_back();
  const Dialogue d = run(server(), mail(), replies);
  CHECK_FALSE(d.ended);
  CHECK(d.result.taken);
}

TEST_CASE("No line of a body ends the mail, or is too long", "[notify]") {
  const Dialogue d =
      run(server(), mail(".\r\n.\n..x\nQUIT\n" + std::string(3000, 'a') + "\n"), good());
  const std::string& text = d.said[d.said.size() - 2];
  CHECK(text.find("\r\n..\r\n..\r\n...x\r\nQUIT\r\n") != std::string::npos);
  CHECK(text.find("\r\n.\r\n") == text.size() - 5);
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find("\r\n", at);
    CHECK(end - at <= 998);
    at = end + 2;
  }
  CHECK(text.find("\n.\n") == std::string::npos);
}

TEST_CASE("Text that is not ASCII goes out as it is where 8BITMIME is offered, else as base64",
          "[notify]") {
  const Dialogue eight = run(server(), mail("h\xC3\xB6her\n"), good());
  CHECK(eight.said[5] == "MAIL FROM:<nines@example.org> BODY=8BITMIME\r\n");

  CHECK(eight.said[9].find("8bit\r\n\r\nh\xC3\xB6her\r\n.\r\n") != std::string::npos);
  const Dialogue seven =
      run(server(), mail("h\xC3\xB6her\n"), good("250-mail\r\n250 AUTH PLAIN\r\n"));
  CHECK(seven.said[5] == "MAIL FROM:<nines@example.org>\r\n");
  CHECK(seven.said[9].find("base64\r\n\r\naMO2aGVyCg==\r\n.\r\n") != std::string::npos);
}

TEST_CASE("What does not speak SMTP is left alone", "[notify]") {
  for (const std::string& odd :
       {std::string("HTTP/1.1 200 OK\r\n"), std::string("220\n\n"), std::string("999 x\r\n"),
        std::string("22 x\r\n"), std::string(5000, 'x'), std::string("554 no\r\n"),
        std::string("220-") + std::string(3000, 'y')}) {
    CAPTURE(odd.substr(0, 20));
    const Dialogue d = run(server(), mail(), {odd});
    CHECK(d.result.status == 0);
    CHECK_FALSE(d.result.taken);
  }
  auto replies = good();
  replies[5] = "421 shutting down\r\n";
  CHECK(run(server(), mail(), replies).result.status == 421);
}

TEST_CASE("Addresses and headers cannot carry more than themselves", "[notify]") {
  CHECK(is_mail_address("a.b+c@example.org"));
  for (const char* bad : {"", "a", "@b", "a@", "a@b@c", "a b@c", "a@b\r\nX", "<a@b>", "a@b,c@d",
                          "\"x\"@y", "\xC3\xA4@b"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_mail_address(bad));
  }
  CHECK(mail_header("Subject", "a\r\nBcc: x") == "Subject: a  Bcc: x\r\n");
  CHECK(mail_header("Subject", "h\xC3\xB6her") == "Subject: =?UTF-8?B?aMO2aGVy?=\r\n");
  CHECK(mail_header("Subject", "=?x") == "Subject: =?UTF-8?B?PT94?=\r\n");
  const std::string folded = mail_header("Subject", std::string(500, 'x'));
  CHECK(folded.find("?=\r\n =?UTF-8?B?") != std::string::npos);
  CHECK(mail_date(WallTime::from_s(0)) == "Thu, 01 Jan 1970 00:00:00 +0000");
  CHECK(mail_date(WallTime::from_s(1772402400)) == "Sun, 01 Mar 2026 22:00:00 +0000");
}
