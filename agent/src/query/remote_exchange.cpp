#include "query/remote_exchange.hpp"

#include <chrono>
#include <optional>
#include <utility>

#include "net/asio.hpp"

namespace nines::agent::query {
namespace {

constexpr std::chrono::milliseconds kMoment{50};
constexpr int kEvents = 64;             // a trickle is looked away from now and then
constexpr size_t kEnough = 256 * 1024;  // of a stream, until they are taken

}  // namespace

struct RemoteExchange::Impl {
  std::string bytes;
  std::optional<Result<http::ClientResponse>> result;
  http::StreamHandle stream;
  boost::asio::io_context io{1};  // first to go: what is under way in it uses the rest

  void begin(http::ClientRequest request, bool streams);
};

void RemoteExchange::Impl::begin(http::ClientRequest request, bool streams) {
  const auto done = [this](Result<http::ClientResponse> r) { result.emplace(std::move(r)); };
  if (!streams) {
    http::async_fetch(io, std::move(request), done);
    return;
  }
  http::StreamRequest wanted;
  wanted.idle_ms = request.timeout_ms;
  wanted.request = std::move(request);
  const auto on_data = [this](std::string_view piece) {
    bytes.append(piece);
    return true;
  };
  stream = http::async_stream(io, std::move(wanted), on_data, done);
}

// Also the goodbye of a destructor: what the library throws must not get out.
RemoteExchange::RemoteExchange(http::ClientRequest request, bool streams)
    : impl_(std::make_unique<Impl>()) {
  try {
    impl_->begin(std::move(request), streams);
  } catch (const boost::system::system_error& e) {
    impl_->result.emplace(
        Error{Errc::io,
              std::string("the system gives this program no descriptor for a connection: ") +
                  e.what() + "; look at its limits (LimitNOFILE=, ulimit -n)",
              e.code().value()});
  }
}

RemoteExchange::~RemoteExchange() { impl_->stream.cancel(); }

bool RemoteExchange::wait() {
  for (int i = 0; i < kEvents && !impl_->result && impl_->bytes.size() < kEnough; ++i) {
    if (impl_->io.run_one_for(kMoment) == 0) break;
  }
  if (!impl_->result && impl_->io.stopped()) {
    impl_->result.emplace(Error{Errc::unavailable, "the exchange ended without an answer"});
  }
  return impl_->result.has_value();
}

Result<http::ClientResponse> RemoteExchange::result() { return std::move(*impl_->result); }

std::string RemoteExchange::take_bytes() { return std::exchange(impl_->bytes, std::string()); }

}  // namespace nines::agent::query
