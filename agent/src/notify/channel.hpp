// Channel: how one kind of notifier says a message, and what the answer means. Sans I/O; wire
// formats: README.md beside this file.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/notifier_config.hpp"
#include "http/client.hpp"
#include "nines/base/result.hpp"
#include "notify/chain.hpp"
#include "notify/message.hpp"
#include "notify/mqtt.hpp"
#include "notify/smtp.hpp"

namespace nines::agent::notify {

// A program to run: no shell, and no more environment than this.
struct Program {
  std::string path;
  std::vector<std::string> arguments;    // without the program itself
  std::vector<std::string> environment;  // NAME=VALUE
  std::string input;                     // its standard input
};

struct Mail {
  SmtpServer server;
  SmtpMail mail;
};

using Exchange = std::variant<http::ClientRequest, Mail, Program, Publication>;

struct Answer {
  // HTTP or SMTP status; of a program 200 + its exit code; of a publication as MqttAnswer has it;
  // 0: there was none
  int status = 0;
  std::string text;  // body, reply
  std::optional<int64_t> retry_after_ms;
  std::string failure;  // why there was none
};
inline constexpr int kExited = 200;

class Channel {
 public:
  struct Telling {
    std::string secret;
    std::string_view receipt;  // set: ask what became of an earlier exchange
    WallTime now{};
  };
  virtual ~Channel() = default;
  virtual Result<Exchange> exchange(const Message& message, const Telling& telling) const = 0;
  virtual Verdict judge(const Message& message, std::string_view receipt,
                        const Answer& answer) const = 0;
  virtual int64_t gap_ms() const { return 0; }
};

std::unique_ptr<Channel> make_channel(const NotifierConfig& config, const Identity& identity);

// Of a file, at most 4 KiB, without the line break at its end.
Result<std::string> read_secret(const SecretConfig& secret);

// --- for the kinds ---------------------------------------------------------------------------
Verdict delivered(const Answer& answer);
Verdict dead(const Answer& answer, std::string why);
Verdict again(const Answer& answer, std::string why);
// What HTTP means everywhere; nullopt: 2xx. 401 and 403 are `refused`.
std::optional<Verdict> judge_http(const Answer& answer);
http::ClientRequest post_json(const NotifierConfig& config, std::string url, std::string body);
// Some lines for people; `limit` bytes at most.
std::string text_for_people(const Message& message, const std::string& node,
                            const std::string& link, size_t limit);
// One name for a fire and its resolution: "nines/SCOPE/SERVICE/SLO/RULE", at most `limit` bytes.
std::string incident_of(const Message& message, const std::string& scope, size_t limit);

std::unique_ptr<Channel> make_webhook(const NotifierConfig& config);
std::unique_ptr<Channel> make_slack(const NotifierConfig& config, const Identity& identity);
std::unique_ptr<Channel> make_ntfy(const NotifierConfig& config, const Identity& identity);
std::unique_ptr<Channel> make_pagerduty(const NotifierConfig& config, const Identity& identity);
std::unique_ptr<Channel> make_opsgenie(const NotifierConfig& config, const Identity& identity);
std::unique_ptr<Channel> make_email(const NotifierConfig& config, const Identity& identity);
std::unique_ptr<Channel> make_exec(const NotifierConfig& config, const Identity& identity);
std::unique_ptr<Channel> make_mqtt(const NotifierConfig& config, const Identity& identity);

}  // namespace nines::agent::notify
