#include "nines/peer/query_dialer.hpp"

#include <thread>

#include "peer/query_port.hpp"
#include "peer/tls.hpp"

namespace nines::peer {

struct QueryDialer::Impl {
  Impl(const Clock& c, TlsSettings tls) : clock(c), files(std::move(tls)) {}
  ~Impl() {
    io.stop();
    if (thread.joinable()) thread.join();
  }

  const Clock& clock;
  TlsFiles files;
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

QueryDialer::QueryDialer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
QueryDialer::~QueryDialer() = default;

Result<std::unique_ptr<QueryDialer>> QueryDialer::create(const Clock& clock, TlsSettings tls) {
  const bool some = !tls.authority.empty() || !tls.certificate.empty() || !tls.key.empty();
  const bool all = !tls.authority.empty() && !tls.certificate.empty() && !tls.key.empty();
  if (some && !all) {
    return Error{Errc::invalid_argument,
                 "TLS between peers needs an authority, a certificate and a key; one is missing"};
  }
  auto impl = std::make_unique<Impl>(clock, std::move(tls));
  if (impl->files.enabled()) {
    NINES_CHECK(impl->files.refresh());
  }
  impl->thread = std::thread([io = &impl->io] { io->run(); });
  return std::unique_ptr<QueryDialer>(new QueryDialer(std::move(impl)));
}

Result<std::unique_ptr<stream::ByteStream>> QueryDialer::open(const std::string& address,
                                                              const std::string& node,
                                                              Instant deadline) {
  const auto awaited = std::make_shared<Awaited>();
  auto dial = std::make_shared<QueryDial>(QueryDial{impl_->io,
                                                    impl_->clock,
                                                    impl_->files.context(),
                                                    address,
                                                    node,
                                                    {Opening::Kind::ask, {}, node},
                                                    deadline,
                                                    nullptr,
                                                    nullptr});
  asio::post(impl_->io, [dial, awaited] {
    asio::co_spawn(dial->io, dial_for(dial, awaited), asio::detached);
  });
  return awaited->take(impl_->clock, deadline);
}

}  // namespace nines::peer
