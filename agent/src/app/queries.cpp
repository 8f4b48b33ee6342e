#include "app/queries.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "app/log.hpp"
#include "app/node_ways.hpp"
#include "net/asio.hpp"

namespace nines::agent {

namespace {
constexpr size_t kMostGathered = 64;
constexpr size_t kMostUnread = 128 * 1024;  // of a live answer
}  // namespace

Result<std::unique_ptr<Queries>> Queries::create(Parts parts) {
  std::unique_ptr<Queries> queries(new Queries(std::move(parts)));
  NINES_CHECK(queries->open_standing());
  NINES_TRY(const auto kept, queries->parts_.store.documents(query::QueryShelf::kDocuments));
  queries->shelf_.restore(kept);
  if (const size_t damaged = queries->shelf_.unreadable(); damaged > 0) {
    log::warn("query",
              std::to_string(damaged) + " saved queries cannot be read; the rest is there");
  }
  return queries;
}

Queries::Queries(Parts&& parts)
    : parts_(std::move(parts)),
      index_(parts_.state_dir),
      service_(std::make_unique<query::QueryService>(parts_.config, query::ServiceLimits{},
                                                     parts_.clock, &index_)) {
  const auto take = [peers = service_->peers()](std::unique_ptr<stream::ByteStream> stream) {
    peers->take(std::move(stream));
  };
  if (parts_.fleet != nullptr) {
    parts_.fleet->serve_queries([take](std::unique_ptr<stream::ByteStream> stream,
                                       const peer::Credentials&) { take(std::move(stream)); });
  }
  if (parts_.brokers != nullptr) parts_.brokers->serve_queries(take);
}

Queries::~Queries() {
  if (parts_.fleet != nullptr) parts_.fleet->stop_queries();
  if (parts_.brokers != nullptr) parts_.brokers->stop_queries();
  gathers_.reset();
  service_.reset();
  standing_.reset();
}

Status Queries::open_standing() {
  using Record = store::StateStore::Record;
  NINES_TRY(const auto kept, parts_.store.documents(query::kBookmarkKind));
  standing_ = std::make_unique<query::StandingQueries>(
      parts_.config, parts_.clock, kept,
      // A write that is under way may end after this object.
      [parts = parts_](std::shared_ptr<Record> record, auto done) {
        parts.store_work.post([parts, record = std::move(record), done = std::move(done)] {
          const Status status = parts.store.record(*record);
          done(status);
          if (!status.ok() && status.error().code == Errc::exhausted) parts.store_full();
          if (!status.ok() || record->events.empty()) return;
          net::asio::post(parts.io, parts.rows_kept);
        });
      });
  return Ok{};
}

// Who can be asked beside this node; their connections are opened by threads of a query. Peers come
// before NATS, which has a longer way; who is shut out as a peer is shut out there, too.
std::vector<query::NodeLink> Queries::other_nodes() const {
  std::map<std::string, OpenNode> ways;
  if (parts_.fleet != nullptr) {
    for (const std::string& node : parts_.fleet->askable()) {
      ways[node] = [link = parts_.fleet, node](Instant deadline) {
        return link->open_query(node, deadline);
      };
    }
  }
  if (parts_.brokers != nullptr) {
    const auto& deny = parts_.config.peers.deny;
    for (query::NodeLink& link : parts_.brokers->askable()) {
      if (std::find(deny.begin(), deny.end(), link.node) != deny.end()) continue;
      OpenNode& way = ways[link.node];
      way = way ? either_way(parts_.clock, way, link.open) : link.open;
    }
  }
  std::vector<query::NodeLink> links;
  links.reserve(ways.size());
  for (auto& [node, way] : ways) links.push_back({node, std::move(way)});
  return links;
}

bool Queries::gather(const Question& question, size_t max_bytes, int64_t patience_ns,
                     std::function<void(std::vector<query::NodeAnswer>)> done) {
  auto links = other_nodes();
  if (gathering_ || links.empty()) return false;
  gathering_ = true;
  if (!gathers_) gathers_.emplace();
  std::vector<query::NodeLink> beyond;
  if (links.size() > kMostGathered) {
    beyond.assign(links.begin() + kMostGathered, links.end());
    links.resize(kMostGathered);
  }
  const size_t each = max_bytes / links.size();
  gathers_->post([this, alive = std::weak_ptr<bool>(alive_), links = std::move(links), each,
                  beyond = std::move(beyond), text = question(each),
                  deadline = Instant{parts_.clock.mono().ns + patience_ns},
                  done = std::move(done)] {
    auto answers = std::make_shared<std::vector<query::NodeAnswer>>(
        query::gather(links, text, each, deadline));
    for (const query::NodeLink& link : beyond) {
      answers->push_back({link.node, Error{Errc::exhausted, "more nodes than are asked at once"}});
    }
    net::asio::post(parts_.io, [this, alive, answers, done] {
      if (alive.expired()) return;
      gathering_ = false;
      done(std::move(*answers));
    });
  });
  return true;
}

std::shared_ptr<query::LiveAnswer> Queries::live(std::function<void()> wake) const {
  return std::make_shared<query::LiveAnswer>(
      parts_.clock, kMostUnread,
      [io = &parts_.io, wake = std::move(wake)] { net::asio::post(*io, wake); });
}

void Queries::ask(query::Wish wish, query::QueryService::Done done) {
  wish.links = other_nodes();
  service_->ask(std::move(wish),
                [io = &parts_.io, done = std::move(done)](Result<query::Answered> answer) {
                  auto kept = std::make_shared<Result<query::Answered>>(std::move(answer));
                  net::asio::post(*io, [done, kept] { done(std::move(*kept)); });
                });
}

}  // namespace nines::agent
