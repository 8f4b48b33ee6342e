#include "remedy/executor.hpp"

#include <utility>

#include "app/log.hpp"
#include "http/credentials.hpp"
#include "net/asio.hpp"
#include "notify/program.hpp"
#include "remedy/kube.hpp"
#include "remedy/stoppable.hpp"

namespace nines::agent::remedy {
namespace {

using nines::remedy::Verb;

bool is_of_kube(Verb verb) {
  switch (verb) {
    case Verb::evict_pod:
    case Verb::delete_pod:
    case Verb::rollout_restart:
    case Verb::rollout_undo:
    case Verb::scale_up:
    case Verb::scale_down:
    case Verb::cordon:
    case Verb::uncordon: return true;
    default: return false;
  }
}

// A path may hold what is secret (webhooks), so of others only who is asked is said.
std::string told_of(const ApiCall& call) { return call.method + ' ' + call.path; }
std::string told_of(const http::ClientRequest& request) {
  const size_t scheme = request.url.find("://");
  const size_t end = request.url.find('/', scheme == std::string::npos ? 0 : scheme + 3);
  return request.method + ' ' + request.url.substr(0, end);
}
std::string told_of(const notify::Program& program) {
  std::string out = program.path;
  for (const std::string& argument : program.arguments) out += ' ' + argument;
  return out;
}
std::string told_of(const Answer& answer) {
  if (answer.status == 0) return answer.failure;
  if (answer.status >= kExited) return "exit code " + std::to_string(answer.status - kExited);
  return std::to_string(answer.status);
}

Answer answer_of(const Result<http::ClientResponse>& response) {
  if (!response.ok()) return {.failure = response.error().message};
  return {.status = response->status,
          .text = response->body,
          .retry_after_ms = http::retry_after_ms(*response),
          .raised = response->raised};
}

Answer answer_of(const Result<notify::Exit>& exit) {
  if (exit.ok()) return {.status = kExited + exit->code, .text = exit->message};
  return {.failure = exit.error().message,
          .not_begun = exit.error().code == Errc::invalid_argument};
}

}  // namespace

struct Executor::Impl : std::enable_shared_from_this<Impl> {
  Impl(net::asio::io_context& io_context, const Clock& c, ExecutorSettings s)
      : io(io_context), clock(c), settings(std::move(s)) {}

  struct Run {
    Order order;
    std::unique_ptr<Execution> execution;
    std::function<void(Outcome)> done;
    size_t steps = 0;
    bool counted = false;  // among those under way
    std::vector<std::string> told;
  };
  using RunPtr = std::shared_ptr<Run>;

  std::unique_ptr<Execution> execution_of(const Order& order) const {
    const Verb verb = order.action.verb;
    if (is_of_kube(verb) && !settings.kube) return nullptr;
    switch (verb) {
      case Verb::evict_pod:
      case Verb::delete_pod: return remove_pod(order);
      case Verb::rollout_restart: return restart_rollout(order);
      case Verb::rollout_undo: return undo_rollout(order);
      case Verb::scale_up:
      case Verb::scale_down: return scale(order);
      case Verb::cordon:
      case Verb::uncordon: return cordon(order);
      case Verb::unit_restart:
      case Verb::unit_start:
      case Verb::unit_stop: return run_unit(settings.local, order);
      case Verb::program: return run_program(settings.local, order);
      case Verb::webhook: return call_hook(settings.outside, order);
      case Verb::lambda: return invoke_function(settings.outside, clock, order);
      default: return nullptr;
    }
  }

  void begin(const RunPtr& run) {
    run->execution = execution_of(run->order);
    if (!run->execution) {
      return finish(
          run, {Became::refused,
                std::string(verb_name(run->order.action.verb)) + ": this node is not set up for it",
                {},
                {}});
    }
    if (run->order.mode == Mode::act && settings.stopped) {
      run->execution = stoppable(std::move(run->execution), settings.stopped);
    }
    take(run, run->execution->begin());
  }

  void take(const RunPtr& run, Turn turn) {
    if (auto* outcome = std::get_if<Outcome>(&turn)) return finish(run, std::move(*outcome));
    if (++run->steps > kMostSteps) {
      return finish(run, {Became::unknown, "it does not come to an end", {}, {}});
    }
    run->told.push_back(std::visit([](const auto& s) { return told_of(s); }, std::get<Step>(turn)));
    std::visit([&](auto&& step) { send(run, std::forward<decltype(step)>(step)); },
               std::move(std::get<Step>(turn)));
  }

  void send(const RunPtr& run, ApiCall&& call) {
    auto request = request_of(call);
    if (request.ok()) return send(run, std::move(*request));
    answer(run, {.failure = request.error().message});
  }

  Result<http::ClientRequest> request_of(const ApiCall& call) const {
    http::ClientRequest request;
    request.method = call.method;
    request.url = settings.kube->url + call.path;
    request.body = call.body;
    request.ca_file = settings.kube->ca_file;
    request.timeout_ms = settings.step_ms;
    request.headers = {{"Accept", "application/json"}};
    if (call.method != "GET") request.headers.emplace_back("Content-Type", call.type);
    NINES_TRY(const std::string bearer, http::authorization({settings.kube->token_file, {}, {}}));
    if (!bearer.empty()) request.headers.emplace_back("Authorization", bearer);
    return request;
  }

  void send(const RunPtr& run, http::ClientRequest&& request) {
    http::async_fetch(io, std::move(request),
                      [weak = weak_from_this(), run](const Result<http::ClientResponse>& response) {
                        if (const auto self = weak.lock()) self->answer(run, answer_of(response));
                      });
  }

  void send(const RunPtr& run, notify::Program&& program) {
    const int64_t own_ms = run->execution->program_ms();
    const int64_t timeout_ms = own_ms > 0 ? own_ms : settings.program_ms;
    notify::async_run(io, program, timeout_ms,
                      [weak = weak_from_this(), run](const Result<notify::Exit>& exit) {
                        if (const auto self = weak.lock()) self->answer(run, answer_of(exit));
                      });
  }

  void answer(const RunPtr& run, const Answer& answer) {
    run->told.back() += ": " + told_of(answer);
    take(run, run->execution->answered(answer));
  }

  void finish(const RunPtr& run, Outcome outcome) {
    if (run->counted) {
      --running;
      trying -= run->order.mode == Mode::try_out ? 1 : 0;
    }
    outcome.steps = std::move(run->told);
    if (run->order.mode == Mode::act && is_of_kube(run->order.action.verb) && settings.kube &&
        settings.audit_events) {
      tell(audit_event(run->order, outcome, settings.node, clock.wall()));
    }
    std::exchange(run->done, nullptr)(std::move(outcome));
  }

  void ask(const ApiCall& call, std::function<void(Answer)> done) {
    auto request = settings.kube
                       ? request_of(call)
                       : Result<http::ClientRequest>(Error{Errc::unsupported, "no cluster"});
    if (!request.ok()) {
      return net::asio::post(
          io, [done = std::move(done), why = request.error().message] { done({.failure = why}); });
    }
    http::async_fetch(io, std::move(*request),
                      [weak = weak_from_this(),
                       done = std::move(done)](const Result<http::ClientResponse>& response) {
                        if (weak.lock()) done(answer_of(response));
                      });
  }

  // Nobody waits for it; a cluster that does not let us write Events is told of once.
  void tell(const ApiCall& event) {
    auto request = request_of(event);
    if (!request.ok()) return;
    http::async_fetch(io, std::move(*request),
                      [weak = weak_from_this()](const Result<http::ClientResponse>& response) {
                        const auto self = weak.lock();
                        if (!self || self->said || !response.ok() || response->status / 100 == 2) {
                          return;
                        }
                        self->said = true;
                        log::warn("remedy", "Events are not written: the API server answers " +
                                                std::to_string(response->status));
                      });
  }

  net::asio::io_context& io;
  const Clock& clock;
  const ExecutorSettings settings;
  size_t running = 0, trying = 0;
  bool said = false;
};

Executor::Executor(boost::asio::io_context& io, const Clock& clock, ExecutorSettings settings)
    : impl_(std::make_shared<Impl>(io, clock, std::move(settings))) {}
Executor::~Executor() = default;

void Executor::carry_out(Order order, std::function<void(Outcome)> done) {
  auto run = std::make_shared<Impl::Run>();
  run->order = std::move(order);
  run->done = std::move(done);
  const bool tries = run->order.mode == Mode::try_out;
  const bool room = impl_->running < kMostAtOnce && (!tries || impl_->trying < kMostTryOuts);
  if (room) {
    run->counted = true;
    ++impl_->running;
    impl_->trying += tries ? 1 : 0;
  }
  net::asio::post(impl_->io, [weak = std::weak_ptr<Impl>(impl_), run, room] {
    const auto self = weak.lock();
    if (!self) return;
    if (room) return self->begin(run);
    self->finish(run, {Became::refused, "too many actions are under way", {}, {}});
  });
}

void Executor::ask(const ApiCall& call, std::function<void(Answer)> done) {
  impl_->ask(call, std::move(done));
}

size_t Executor::running() const noexcept { return impl_->running; }

}  // namespace nines::agent::remedy
