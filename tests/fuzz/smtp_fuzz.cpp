// What a hostile mail server may answer. The first byte chooses the server that was configured
// (bits 0-1: STARTTLS, TLS from the start, none; bit 2: on loopback; bit 3: with a login) and the
// mail (bit 4: not ASCII). What follows is read in pieces that end with a zero byte. Each dialogue
// is held twice, once with the pieces cut into single bytes, which must make no difference.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "notify/smtp.hpp"

namespace {

using namespace nines::agent::notify;
using Need = SmtpSession::Need;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

SmtpServer server_of(unsigned flags) {
  constexpr SmtpServer::Tls kTls[] = {SmtpServer::Tls::starttls, SmtpServer::Tls::implicit,
                                      SmtpServer::Tls::none, SmtpServer::Tls::starttls};
  SmtpServer out;
  out.tls = kTls[flags & 3];
  out.host = (flags & 4) != 0 ? "127.0.0.1" : "mail.example.org";
  out.port = "587";
  if ((flags & 8) != 0) out.user = "nines", out.password = "secret";
  out.name = "node-1";
  return out;
}

SmtpMail mail_of(unsigned flags) {
  return {"nines@example.org",
          {"a@example.org", "b@example.org", "c@example.org"},
          "Subject: x\r\n",
          (flags & 16) != 0 ? ".60 \xc2\xb5s\n" : ".60 of 100\n"};
}

struct Dialogue {
  std::vector<std::string> said;
  SmtpResult result;
  bool ended = false, decided = false, mail_sent = false;
};

// A command is one line; whatever the server says, nothing of it becomes another.
void check_said(const std::string& text, const SmtpServer& server, bool secure, Dialogue& out) {
  require(text.size() >= 2 && text.ends_with("\r\n"), "whole lines are said");
  const bool mail = !out.said.empty() && out.said.back() == "DATA\r\n" && text != "QUIT\r\n";
  require(mail || text.find('\n') == text.size() - 1, "one command at a time");
  require(!mail || text.ends_with("\r\n.\r\n"), "a mail has an end");
  require(!mail || text.find("\r\n.\r\n") == text.size() - 5, "and one only");
  const bool login = text.starts_with("AUTH");
  require(!login || secure || server.host == "127.0.0.1", "no login without TLS");
  require(!login || !server.user.empty(), "no login without a user");
  out.mail_sent = out.mail_sent || mail;
}

Dialogue hold(unsigned flags, std::string_view heard, bool by_bytes) {
  const SmtpServer server = server_of(flags);
  const SmtpMail mail = mail_of(flags);
  Dialogue out;
  SmtpSession session(server, mail);
  bool secure = server.tls == SmtpServer::Tls::implicit;
  const size_t most = 64 + 2 * heard.size();
  size_t steps = 0;
  while (session.need() != Need::end) {
    require(++steps <= most, "a dialogue comes to an end");
    if (session.need() == Need::write) {
      std::string text = session.take_output();
      check_said(text, server, secure, out);
      out.said.push_back(std::move(text));
    } else if (session.need() == Need::handshake) {
      require(!secure, "TLS begins once");
      secure = true;
      session.handshaken();
    } else if (heard.empty()) {
      break;
    } else {
      const size_t end = std::min(heard.find('\0'), heard.size());
      const std::string_view piece = heard.substr(0, end);
      heard.remove_prefix(std::min(end + 1, heard.size()));
      if (!by_bytes && !piece.empty()) session.feed(piece);
      for (size_t i = 0; by_bytes && i < piece.size(); ++i) session.feed(piece.substr(i, 1));
    }
  }
  out.ended = session.need() == Need::end;
  out.decided = session.decided();
  out.result = session.result();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string bytes(data, data + size);
  const auto flags = static_cast<unsigned char>(bytes[0]);
  const std::string_view heard = std::string_view(bytes).substr(1);
  const Dialogue one = hold(flags, heard, false), other = hold(flags, heard, true);
  require(one.said == other.said, "how the network cuts replies makes no difference");
  require(one.ended == other.ended && one.result.status == other.result.status &&
              one.result.taken == other.result.taken && one.result.text == other.result.text,
          "nor to the result");
  require(!one.result.taken || (one.mail_sent && one.decided), "only what was sent is taken");
  require(!one.result.taken || one.result.status / 100 == 2, "and only what a reply says");
  return 0;
}
