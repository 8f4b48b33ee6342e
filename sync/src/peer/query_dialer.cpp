#include "nines/peer/query_dialer.hpp"

#include <thread>

#include "peer/query_port.hpp"
#include "peer/tls.hpp"

namespace nines::peer {

struct QueryDialer::Impl {
  Impl(const Clock& c, TlsSettings tls, std::function<bool()> ended)
      : clock(c), files(std::move(tls)), stopped(std::move(ended)) {}
  ~Impl() {
    io.stop();
    if (thread.joinable()) thread.join();
  }

  // `dial` may go on behind it, until its deadline.
  StreamResult take(const std::shared_ptr<QueryDial>& dial);

  const Clock& clock;
  TlsFiles files;
  const std::function<bool()> stopped;
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{asio::make_work_guard(io)};
  std::thread thread;
};

namespace {

asio::awaitable<void> dial_for(std::shared_ptr<QueryDial> dial, std::shared_ptr<Awaited> awaited) {
  co_await dial_query(dial);
  awaited->give(std::move(dial->result));
}

}  // namespace

StreamResult QueryDialer::Impl::take(const std::shared_ptr<QueryDial>& dial) {
  const auto awaited = std::make_shared<Awaited>();
  asio::post(
      io, [dial, awaited] { asio::co_spawn(dial->io, dial_for(dial, awaited), asio::detached); });
  return awaited->take(clock, dial->deadline, stopped);
}

QueryDialer::QueryDialer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
QueryDialer::~QueryDialer() = default;

Result<std::unique_ptr<QueryDialer>> QueryDialer::create(const Clock& clock, TlsSettings tls,
                                                         std::function<bool()> stopped) {
  const bool some = !tls.authority.empty() || !tls.certificate.empty() || !tls.key.empty();
  const bool all = !tls.authority.empty() && !tls.certificate.empty() && !tls.key.empty();
  if (some && !all) {
    return Error{Errc::invalid_argument,
                 "TLS between peers needs an authority, a certificate and a key; one is missing"};
  }
  auto impl = std::make_unique<Impl>(clock, std::move(tls), std::move(stopped));
  if (impl->files.enabled()) {
    NINES_CHECK(impl->files.refresh());
  }
  impl->thread = std::thread([io = &impl->io] { io->run(); });
  return std::unique_ptr<QueryDialer>(new QueryDialer(std::move(impl)));
}

Result<std::unique_ptr<stream::ByteStream>> QueryDialer::open(const std::string& address,
                                                              const std::string& node,
                                                              Instant deadline) {
  auto dial = std::make_shared<QueryDial>(QueryDial{impl_->io,
                                                    impl_->clock,
                                                    impl_->files.context(),
                                                    address,
                                                    node,
                                                    {Opening::Kind::ask, {}, node},
                                                    deadline,
                                                    nullptr,
                                                    nullptr});
  return impl_->take(dial);
}

Result<QueryDialer::Reached> QueryDialer::reach(const std::string& address, Instant deadline) {
  auto dial = std::make_shared<QueryDial>(QueryDial{impl_->io,
                                                    impl_->clock,
                                                    impl_->files.context(),
                                                    address,
                                                    {},
                                                    {Opening::Kind::ask, {}, {}},
                                                    deadline,
                                                    nullptr,
                                                    nullptr});
  Reached reached;
  NINES_TRY(reached.stream, impl_->take(dial));  // behind it `dial` does not change any more
  reached.node = dial->answered;
  return reached;
}

}  // namespace nines::peer
