#include "notify/transport.hpp"

#include <utility>

#include "notify/program.hpp"

namespace nines::agent::notify {
namespace {

using Done = std::function<void(Answer)>;

Answer none(const Error& error) { return {0, {}, {}, error.message}; }

struct Transmission {
  boost::asio::io_context& io;
  const Clock& clock;
  int64_t timeout_ms;
  Done done;

  void operator()(http::ClientRequest&& request) {
    http::async_fetch(
        io, std::move(request),
        [done = std::move(done)](const Result<http::ClientResponse>& response) {
          if (!response.ok()) return done(none(response.error()));
          done({response->status, response->body, http::retry_after_ms(*response), {}});
        });
  }

  void operator()(Mail&& mail) {
    async_send_mail(
        io, std::move(mail.server), std::move(mail.mail),
        [done = std::move(done)](const Result<SmtpResult>& result) {
          if (!result.ok()) return done(none(result.error()));
          if (result->status == 0 && !result->refused_login) {
            return done({0, {}, {}, result->text});
          }
          constexpr int kLoginRefused = 535;
          done({result->refused_login ? kLoginRefused : result->status, result->text, {}, {}});
        });
  }

  void operator()(Program&& program) {
    async_run(io, program, timeout_ms, [done = std::move(done)](const Result<Exit>& exit) {
      if (!exit.ok()) return done(none(exit.error()));
      done({kExited + exit->code, exit->message, {}, {}});
    });
  }

  void operator()(Publication&& publication) {
    async_publish(io, clock, std::move(publication), timeout_ms,
                  [done = std::move(done)](const Result<MqttAnswer>& answer) {
                    if (!answer.ok()) return done(none(answer.error()));
                    done({answer->status, answer->text, {}, {}});
                  });
  }
};

}  // namespace

void transmit(boost::asio::io_context& io, const Clock& clock, Exchange exchange,
              int64_t timeout_ms, Done done) {
  Transmission transmission{io, clock, timeout_ms, std::move(done)};
  std::visit([&](auto&& what) { transmission(std::forward<decltype(what)>(what)); },
             std::move(exchange));
}

}  // namespace nines::agent::notify
