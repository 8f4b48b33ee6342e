// Elasticsearch and OpenSearch: a point in time, then pages of _search by search_after
// (elastic.co "Paginate search results", "Open a point in time"; opensearch.org "Point in Time").
// Where there is no point in time to be had (old versions, no right to it), each page begins once
// more with the records of the last instant, and those that are known are left out.
#include <algorithm>
#include <utility>

#include "http/message.hpp"
#include "query/remote_pagers.hpp"
#include "query/remote_record.hpp"

namespace nines::agent::query {
namespace {

constexpr uint64_t kMaxPage = 10'000;  // index.max_result_window
constexpr int64_t kNsPerMs = 1'000'000;

// Fields of type date are kept in milliseconds.
WallTime floor_ms(WallTime t) { return {t.ns - (t.ns % kNsPerMs + kNsPerMs) % kNsPerMs}; }
WallTime ceil_ms(WallTime t) {
  return t.ns > INT64_MAX - kNsPerMs ? t : floor_ms({t.ns + kNsPerMs - 1});
}

class ElasticsearchPager final : public RemotePager {
 public:
  ElasticsearchPager(const RemoteConfig& remote, RemoteWish wish)
      : url_(remote.url),
        index_(remote.index.empty() ? "*" : remote.index),
        wish_(std::move(wish)) {
    while (url_.ends_with('/')) url_.pop_back();
    page_ = std::min(wish_.page_rows, kMaxPage);
  }

  std::optional<http::ClientRequest> next() override {
    switch (state_) {
      case State::open_elasticsearch: return post("/" + index() + "/_pit?keep_alive=2m", "");
      case State::open_opensearch:
        return post("/" + index() + "/_search/point_in_time?keep_alive=2m", "");
      case State::pages:
        overlap_.begin_page();
        return post(pit_.empty() ? "/" + index() + "/_search" : "/_search", body().dump());
      case State::done: return std::nullopt;
    }
    return std::nullopt;
  }

  Status take(const http::ClientResponse& answer, std::string& lines) override {
    if (state_ != State::pages) return take_point(answer);
    NINES_TRY(Json json, parse_ok_answer(answer));
    const Json* outer = child(json, "hits");
    const Json* hits = outer == nullptr ? nullptr : child(*outer, "hits");
    if (hits == nullptr || !hits->is_array()) {
      return Error{Errc::unavailable, "its answer has no hits.hits"};
    }
    if (!text_of(json, "pit_id").empty()) pit_ = text_of(json, "pit_id");
    const size_t count = hits->size();
    for (const Json& hit : *hits) NINES_CHECK(take_hit(hit, lines));
    const Json* late = child(json, "timed_out");
    if (late != nullptr && late->is_boolean() && late->get<bool>()) {
      return Error{Errc::timeout, "its search timed out: records are missing"};
    }
    if (const Json* shards = child(json, "_shards"); shards != nullptr) {
      const Json* failed = child(*shards, "failed");
      if (failed != nullptr && failed->is_number_integer() && *failed != 0) {
        return Error{Errc::unavailable, failed->dump() + " of its shards failed"};
      }
    }
    return turn(count);
  }

  std::optional<http::ClientRequest> goodbye() override {
    if (pit_.empty()) return std::nullopt;
    const std::string id = std::exchange(pit_, std::string());
    http::ClientRequest request =
        elastic_ ? post("/_pit", Json{{"id", id}}.dump())
                 : post("/_search/point_in_time", Json{{"pit_id", Json::array({id})}}.dump());
    request.method = "DELETE";
    return request;
  }

 private:
  enum class State : uint8_t { open_elasticsearch, open_opensearch, pages, done };

  std::string index() const {
    std::string out;  // commas and asterisks stand for themselves
    for (const char c : index_)
      out += c == ',' || c == '*' ? std::string(1, c) : http::percent_encode({&c, 1});
    return out;
  }

  http::ClientRequest post(const std::string& target, std::string body) const {
    http::ClientRequest request;
    request.method = "POST";
    request.url = url_ + target;
    request.headers.emplace_back("Accept", "application/json");
    if (!body.empty()) request.headers.emplace_back("Content-Type", "application/json");
    request.body = std::move(body);
    return request;
  }

  Json body() const {
    Json range = {{"gte", format_rfc3339(floor_ms(wish_.range.since))},
                  {"lt", format_rfc3339(ceil_ms(wish_.range.until))}};
    Json filter = Json::array({{{"range", {{"@timestamp", range}}}}});
    if (!wish_.query.empty()) filter.push_back(query());
    Json out = {{"size", page_},
                {"track_total_hits", false},
                {"query", {{"bool", {{"filter", filter}}}}},
                {"sort", Json::array({{{"@timestamp", {{"order", "asc"}}}}})}};
    if (!pit_.empty()) out["pit"] = {{"id", pit_}, {"keep_alive", "2m"}};
    if (exact()) {
      if (!after_.is_null()) out["search_after"] = after_;
    } else if (seen_any_) {
      out["search_after"] = Json::array({overlap_.from().ns - 1});
    }
    return out;
  }

  Json query() const {
    if (wish_.query.starts_with('{')) {
      auto parsed = parse_answer(wish_.query);
      if (parsed.ok()) return std::move(*parsed);
    }
    return {{"query_string", {{"query", wish_.query}}}};
  }

  // With its own points in time Elasticsearch breaks ties by itself (_shard_doc).
  bool exact() const { return elastic_ && !pit_.empty(); }

  Status take_point(const http::ClientResponse& answer) {
    const bool elastic = state_ == State::open_elasticsearch;
    const bool unknown = answer.status == 400 || answer.status == 403 || answer.status == 404 ||
                         answer.status == 405;
    if (unknown) {
      state_ = elastic ? State::open_opensearch : State::pages;
      return Ok{};
    }
    NINES_TRY(const Json json, parse_ok_answer(answer));
    pit_ = text_of(json, elastic ? "id" : "pit_id");
    if (pit_.empty()) return Error{Errc::unavailable, "its answer names no point in time"};
    elastic_ = elastic;
    state_ = State::pages;
    return Ok{};
  }

  Status take_hit(const Json& hit, std::string& lines) {
    const Json* sort = child(hit, "sort");
    if (sort == nullptr || !sort->is_array() || sort->empty()) {
      return Error{Errc::unavailable, "a hit of its answer has no sort values"};
    }
    after_ = *sort;
    if (!exact()) {
      const Json& at = sort->front();
      if (!at.is_number_integer()) {
        return Error{Errc::unavailable, "a hit of its answer is sorted by no time"};
      }
      seen_any_ = true;
      std::string identity(text_of(hit, "_index"));
      identity.append("/").append(text_of(hit, "_id"));
      if (!overlap_.is_new({at.get<int64_t>()}, std::move(identity))) return Ok{};
    }
    append(hit, lines);
    return Ok{};
  }

  void append(const Json& hit, std::string& lines) {
    const Json* source = child(hit, "_source");
    Json record = source != nullptr && source->is_object() ? *source : Json::object();
    if (const Json* time = child(record, "@timestamp"); time != nullptr) record["ts"] = Json(*time);
    if (const Json* event = child(record, "event"); event != nullptr) {
      const std::string_view original = text_of(*event, "original");
      if (!original.empty()) record["_raw"] = std::string(original);
    }
    for (const char* key : {"_index", "_id"}) {
      if (const Json* value = child(hit, key); value != nullptr) record[key] = *value;
    }
    append_record(lines, std::move(record));
    ++rows_;
  }

  // What comes next, after a page of so many hits.
  Status turn(size_t count) {
    if (count < page_) {
      state_ = State::done;
    } else if (!exact() && !overlap_.moves()) {
      if (page_ == kMaxPage) {
        return Error{Errc::exhausted,
                     "it has more than 10000 records of one instant, which it "
                     "hands out only by a point in time"};
      }
      page_ = std::min(2 * page_, kMaxPage);
    }
    return Ok{};
  }

  std::string url_, index_;
  RemoteWish wish_;
  uint64_t page_;
  State state_ = State::open_elasticsearch;
  std::string pit_;
  bool elastic_ = true, seen_any_ = false;
  Json after_;
  Overlap overlap_{WallTime{INT64_MIN}};  // in the units of the sort values
};

}  // namespace

std::unique_ptr<RemotePager> make_elasticsearch_pager(const RemoteConfig& remote, RemoteWish wish) {
  return std::make_unique<ElasticsearchPager>(remote, std::move(wish));
}

}  // namespace nines::agent::query
