#include "app/fetcher.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <thread>
#include <utility>

#include "http/client.hpp"
#include "http/credentials.hpp"
#include "net/asio.hpp"

namespace nines::agent {
namespace {

Result<http::ClientRequest> request_of(const collector::ScrapeRequest& scrape) {
  http::ClientRequest request;
  request.url = scrape.url;
  request.timeout_ms = scrape.timeout_ms;
  request.max_response_bytes = scrape.max_body_bytes;
  if (!scrape.accept.empty()) request.headers.emplace_back("Accept", scrape.accept);
  // Read at each request: tokens are renewed in place.
  NINES_TRY(const std::string bearer, http::authorization({scrape.token_file, {}, {}}));
  if (!bearer.empty()) request.headers.emplace_back("Authorization", bearer);
  return request;
}

Result<std::string> body_of(Result<http::ClientResponse> response) {
  if (!response.ok()) return response.error();
  if (response->status == 200) return std::move(response->body);
  return Error{Errc::unavailable, "answer " + std::to_string(response->status)};
}

}  // namespace

collector::Fetch blocking_fetch() {
  return [](const collector::ScrapeRequest& scrape,
            const std::function<void(Result<std::string>)>& done) {
    auto request = request_of(scrape);
    done(request.ok() ? body_of(http::fetch(*request)) : request.error());
  };
}

struct Fetcher::Impl {
  net::asio::io_context io{1};
  net::asio::executor_work_guard<net::asio::io_context::executor_type> busy{io.get_executor()};
  std::thread thread;
};

Fetcher::Fetcher() : impl_(std::make_unique<Impl>()) {}

Fetcher::~Fetcher() {
  impl_->io.stop();
  if (impl_->thread.joinable()) impl_->thread.join();
}

collector::Fetch Fetcher::fetch() {
  return [this](const collector::ScrapeRequest& scrape,
                std::function<void(Result<std::string>)> done) {
    auto request = request_of(scrape);
    if (!request.ok()) return done(request.error());
    if (!impl_->thread.joinable()) impl_->thread = std::thread([this] { impl_->io.run(); });
    http::async_fetch(impl_->io, std::move(*request),
                      [done = std::move(done)](Result<http::ClientResponse> response) {
                        done(body_of(std::move(response)));
                      });
  };
}

}  // namespace nines::agent
