#include "query/remote.hpp"

#include <algorithm>
#include <utility>

#include "http/credentials.hpp"
#include "nines/base/bytes_text.hpp"
#include "nines/query/time_bounds.hpp"
#include "query/remote_exchange.hpp"
#include "query/remote_pagers.hpp"
#include "query/remote_record.hpp"

namespace nines::agent::query {
namespace {

namespace nq = nines::query;
using Kind = RemoteConfig::Kind;

constexpr size_t kMaxAnswerBytes = size_t{32} << 20;
constexpr uint64_t kPageRows = 2000;
constexpr int64_t kAhead = int64_t{86'400} * kNsPerSecond;  // clocks that are fast

const char* kind_name(Kind kind) {
  switch (kind) {
    case Kind::elasticsearch: return "elasticsearch";
    case Kind::loki: return "loki";
    case Kind::graylog: return "graylog";
    case Kind::splunk: return "splunk";
  }
  return "";
}

RemoteWish wish_of(const RemoteConfig& remote, const std::string& query, const nq::ScanPlan& plan,
                   WallTime now) {
  RemoteWish wish;
  wish.query = query.empty() ? remote.query : query;
  const nq::TimeBounds bounds = nq::time_bounds(plan);
  wish.range.until = bounds.until.value_or(WallTime{now.ns + kAhead});
  wish.range.since = bounds.since.value_or(
      WallTime{std::min(now.ns, wish.range.until.ns) - remote.range_s * kNsPerSecond});
  wish.range.since.ns = std::max<int64_t>(wish.range.since.ns, 0);
  wish.page_rows = kPageRows;
  if (plan.first_rows && !plan.where && !plan.context) {
    wish.page_rows = std::clamp<uint64_t>(*plan.first_rows, 1, kPageRows);
  }
  return wish;
}

class RemoteReader final : public collector::ScanContent::Reader {
 public:
  RemoteReader(const RemoteConfig& remote, std::unique_ptr<RemotePager> pager,
               std::string authorization, const std::function<bool()>& stopped)
      : remote_(remote),
        pager_(std::move(pager)),
        authorization_(std::move(authorization)),
        stopped_(stopped) {}
  // A LIMIT may be reached in the middle.
  ~RemoteReader() override { leave(); }

  Read read(std::string& out) override {
    if (ended_) return Read::end;
    if (stopped_()) return end(Ok{});  // who stopped it says so
    if (!exchange_) {
      auto request = pager_->next();
      if (!request) return end(Ok{});
      begin(std::move(*request), pager_->streams());
    }
    const size_t before = out.size();
    const Status done = advance(out);
    if (keep_within_limit(out, before)) {
      return end(Error{Errc::exhausted, "more than its max_rows, " +
                                            std::to_string(remote_.max_rows) +
                                            "; narrow the time or the query, or raise it"});
    }
    return done.ok() ? Read::more : end(done);
  }
  const Error* problem() const override { return problem_ ? &*problem_ : nullptr; }

 private:
  void begin(http::ClientRequest request, bool streams) {
    request.timeout_ms = remote_.timeout_ms;
    request.max_response_bytes = kMaxAnswerBytes;
    request.ca_file = remote_.ca_file;
    if (!authorization_.empty()) request.headers.emplace_back("Authorization", authorization_);
    exchange_ = std::make_unique<RemoteExchange>(std::move(request), streams);
  }

  Status advance(std::string& out) {
    const bool over = exchange_->wait();
    if (pager_->streams()) NINES_CHECK(pager_->take_piece(exchange_->take_bytes(), out));
    if (!over) return Ok{};
    auto answer = exchange_->result();
    exchange_.reset();
    if (!answer.ok()) return answer.error();
    const bool refused = answer->status / 100 != 2;
    if (refused) answer->body = http::without_credential(std::move(answer->body), authorization_);
    if (pager_->streams() && !refused) return pager_->take_end(out);
    return pager_->take(*answer, out);
  }

  // Cuts what is too much. True: it was.
  bool keep_within_limit(std::string& out, size_t before) {
    const auto most = static_cast<uint64_t>(remote_.max_rows);
    if (pager_->rows() <= most) {
      rows_ = pager_->rows();
      return false;
    }
    size_t end = before;
    for (; rows_ < most; ++rows_) end = out.find('\n', end) + 1;
    out.resize(end);
    return true;
  }

  Read end(const Status& why) {
    ended_ = true;
    if (!why.ok()) {
      problem_ = why.error();
      problem_->message = "remote '" + remote_.name + "' (" + kind_name(remote_.kind) + ", " +
                          remote_.url + "): " + problem_->message;
    }
    leave();
    return Read::end;
  }

  // Waits for it only a moment: whoever stopped the query does not want to.
  void leave() {
    exchange_.reset();
    auto request = pager_->goodbye();
    if (!request) return;
    begin(std::move(*request), false);
    for (int i = 0; i < 10 && !exchange_->wait(); ++i) {
    }
    exchange_.reset();
  }

  const RemoteConfig& remote_;
  std::unique_ptr<RemotePager> pager_;
  std::string authorization_;
  const std::function<bool()>& stopped_;
  std::unique_ptr<RemoteExchange> exchange_;
  uint64_t rows_ = 0;
  bool ended_ = false;
  std::optional<Error> problem_;
};

class RemoteContent final : public collector::ScanContent {
 public:
  RemoteContent(const RemoteConfig& remote, std::string query, const Clock& clock,
                std::function<bool()> stopped)
      : remote_(remote), query_(std::move(query)), clock_(clock), stopped_(std::move(stopped)) {}

  Result<std::unique_ptr<Reader>> open(const nq::ScanPlan& plan) const override {
    RemoteWish wish = wish_of(remote_, query_, plan, clock_.wall());
    auto authorization = remote_authorization(remote_);
    if (!authorization.ok()) return named(authorization.error());
    if (const Status fine = check_query(remote_, wish.query); !fine.ok()) {
      return named(fine.error());
    }
    return std::unique_ptr<Reader>(std::make_unique<RemoteReader>(
        remote_, make_pager(remote_, std::move(wish)), std::move(*authorization), stopped_));
  }

 private:
  Error named(Error error) const {
    error.message = "remote '" + remote_.name + "': " + error.message;
    return error;
  }

  const RemoteConfig remote_;
  std::string query_;
  const Clock& clock_;
  std::function<bool()> stopped_;
};

}  // namespace

Status check_query(const RemoteConfig& remote, std::string_view query) {
  if (remote.kind == Kind::splunk) return check_splunk_search(query);
  const bool json = remote.kind == Kind::elasticsearch && query.starts_with('{');
  if (json && !parse_answer(query).ok()) {
    return Error{Errc::invalid_argument,
                 "the query begins with { and is no JSON; a query string begins with a word, JSON "
                 "is what stands behind \"query\": in a search"};
  }
  return Ok{};
}

Result<std::string> remote_authorization(const RemoteConfig& remote) {
  // elastic.co "Create API key"; docs.graylog.org "REST API access tokens".
  const bool own_way = remote.kind == Kind::elasticsearch || remote.kind == Kind::graylog;
  if (!own_way || !remote.user.empty() || remote.token_file.empty()) {
    return http::authorization({remote.token_file, remote.user, remote.password_file});
  }
  NINES_TRY(const std::string token, http::read_secret(remote.token_file));
  if (remote.kind == Kind::elasticsearch) return "ApiKey " + token;
  return "Basic " + base64_of(token + ":token");
}

std::unique_ptr<RemotePager> make_pager(const RemoteConfig& remote, RemoteWish wish) {
  switch (remote.kind) {
    case Kind::loki: return make_loki_pager(remote, std::move(wish));
    case Kind::graylog: return make_graylog_pager(remote, std::move(wish));
    case Kind::splunk: return make_splunk_pager(remote, std::move(wish));
    case Kind::elasticsearch: break;
  }
  return make_elasticsearch_pager(remote, std::move(wish));
}

std::shared_ptr<const collector::ScanContent> make_remote(const RemoteConfig& remote,
                                                          std::string query, const Clock& clock,
                                                          std::function<bool()> stopped) {
  return std::make_shared<RemoteContent>(remote, std::move(query), clock, std::move(stopped));
}

}  // namespace nines::agent::query
