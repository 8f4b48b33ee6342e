// `nines query --follow`: rows to stdout as they come, and to a webhook.
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/query_parts.hpp"
#include "query/follow.hpp"
#include "query/row_posts.hpp"
#include "query/standing.hpp"
#include "query/value_json.hpp"

namespace nines::agent {
namespace {

namespace nq = nines::query;

constexpr int64_t kGraceMs = 3000;  // for rows that wait to be posted when we are to end

// To whoever reads, and to the webhook.
class Both final : public query::AnswerSink {
 public:
  Both(query::AnswerWriter& writer, query::RowPoster* poster) : writer_(writer), poster_(poster) {}

  void begin(const std::vector<std::string>& columns) override {
    columns_ = columns;
    writer_.begin(columns);
  }
  bool take(const nq::Row& row) override {
    if (poster_ != nullptr) {
      std::string json;
      query::append_row_json(json, columns_, row);
      poster_->add(std::move(json));
    }
    return writer_.take(row);
  }

 private:
  query::AnswerWriter& writer_;
  query::RowPoster* poster_;
  std::vector<std::string> columns_;
};

Result<std::unique_ptr<query::RowPoster>> start_poster(const QueryOptions& options,
                                                       const std::string& node,
                                                       const Clock& clock) {
  if (options.notify.empty()) return std::unique_ptr<query::RowPoster>();
  query::RowPoster::Options post;
  post.url = options.notify;
  post.query = options.sql;
  post.node = node;
  post.name = node + "/" + std::to_string(clock.wall().ns);
  post.trouble = [](const std::string& why) {
    std::fprintf(stderr, "nines query: --notify: %s; rows wait\n", why.c_str());
  };
  auto started = query::RowPoster::start(std::move(post), clock);
  if (started.ok()) return started;
  return Error{Errc::invalid_argument, "--notify: " + started.error().message};
}

void finish(query::RowPoster& poster, const std::string& url, query::Answer& answer) {
  const query::PostStats told = poster.finish(kGraceMs);
  if (told.lost == 0) return;
  answer.incomplete(std::to_string(told.lost) + " rows were not told to " + url + " (" +
                    std::to_string(told.failures) + " of " + std::to_string(told.requests) +
                    " requests failed)");
}

}  // namespace

int follow_query(const QueryOptions& options, const nq::Statement& statement, const Clock& clock) {
  if (statement.explain != nq::Statement::Explain::no) {
    return refuse_query({Errc::unsupported, "EXPLAIN ANALYZE needs an end; leave --follow out"});
  }
  if (const auto block = query::standing_block(statement); !block.ok()) {
    return refuse_query(block.error());
  }
  query::WriterOptions writing = query_writer_options(options);
  writing.standing = true;
  const auto writer = query::make_writer(writing, write_query);
  const query::Environment environment = query_environment(options, statement, clock);
  const auto poster = start_poster(options, environment.node, clock);
  if (!poster.ok()) return refuse_query(poster.error());
  Both both(*writer, poster->get());
  query::FollowWish wish;
  wish.from_end = options.from == "end";
  wish.looked = [&writer] { return writer->flush() && writer->problem().ok(); };
  query::Answer answer;
  Status done = query::follow(statement, environment, wish, both, answer);
  if (*poster) finish(**poster, options.notify, answer);
  if (const Status problem = writer->problem(); done.ok() && !problem.ok()) done = problem;
  if (!done.ok()) return refuse_query(done.error());
  writer->end(answer);
  if (!answer.complete) std::fprintf(stderr, "nines query: %s\n", answer.notes.back().c_str());
  return answer.complete ? kExitOk : kExitUnavailable;
}

}  // namespace nines::agent
