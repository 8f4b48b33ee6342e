#include "app/librarian.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "incident/review_facts.hpp"
#include "view/metric_family.hpp"

namespace nines::agent {
namespace {

using knowledge::PageKnowledge;
using knowledge::Shelf;

constexpr int64_t kFollowEveryNs = 20 * kNsPerSecond;
constexpr int64_t kGivenUpAfterNs = 2 * Librarian::kPatienceMs * kNsPerMs;  // also who came later

std::string name_of(const slo::AlertEvent& event) {
  return std::to_string(event.boot) + "/" + std::to_string(event.sequence);
}

bool takes_along(const slo::AlertEvent& event) {
  return event.kind == slo::AlertEvent::Kind::fired;
}

}  // namespace

// Events that wait for what fits them.
struct Librarian::Waiting {
  Waiting(net::asio::io_context& io, Events what, std::function<void(Events)> then)
      : events(std::move(what)), done(std::move(then)), patience(io) {}
  void finish() {
    if (!done) return;
    patience.cancel();
    std::exchange(done, nullptr)(std::move(events));
  }
  Events events;
  std::set<std::string> open;        // names of events whose answers are not there yet
  std::function<void(Events)> done;  // null: told
  net::asio::steady_timer patience;
};

Librarian::Librarian(Parts parts)
    : parts_(std::move(parts)), shelf_(std::make_shared<Shelf>(parts_.shelf)) {}

Librarian::~Librarian() = default;

template <class Answer>
void Librarian::ask(std::function<Answer(Shelf&)> question, std::function<void(Answer)> done) {
  parts_.store_work.post([shelf = shelf_, &io = parts_.io, alive = std::weak_ptr<bool>(alive_),
                          question = std::move(question), done = std::move(done)] {
    auto answer = std::make_shared<Answer>(question(*shelf));
    net::asio::post(io, [alive, answer, done] {
      if (!alive.expired()) done(std::move(*answer));
    });
  });
}

// --- Pages.

const PageKnowledge* Librarian::kept(const slo::AlertEvent& event) const {
  const auto found = std::find_if(kept_.begin(), kept_.end(),
                                  [&](const Kept& one) { return one.event == name_of(event); });
  return found == kept_.end() ? nullptr : &found->knowledge;
}

void Librarian::keep(const std::string& event, PageKnowledge knowledge) {
  if (kept_.size() == kMostKept) kept_.pop_front();
  kept_.push_back({event, std::move(knowledge)});
}

knowledge::Wish Librarian::wish_of(const slo::AlertEvent& event) const {
  const nines::incident::IncidentBook* const book = parts_.book();
  const std::string* const id = event.detail("incident");
  if (book == nullptr || id == nullptr) return knowledge::wish_of(event, nullptr);
  const auto incident = book->find(*id, parts_.clock.wall());
  return knowledge::wish_of(event, incident ? &*incident : nullptr);
}

void Librarian::prepare(Events events, std::function<void(Events)> done) {
  auto waiting = std::make_shared<Waiting>(parts_.io, std::move(events), std::move(done));
  std::vector<knowledge::Wish> wishes;
  std::vector<std::string> names;
  for (slo::AlertEvent& event : waiting->events) {
    if (!takes_along(event)) continue;
    if (const PageKnowledge* const known = kept(event)) {
      attach(event, *known);
      continue;
    }
    std::string name = name_of(event);
    if (!asked_.contains(name)) {
      if (searching_ >= kMostSearches) continue;
      wishes.push_back(wish_of(event));
      names.push_back(name);
    }
    waiting->open.insert(std::move(name));
  }
  if (searching_ >= kMostSearches && waiting->open.empty()) ++counters_.busy;
  if (waiting->open.empty()) return waiting->finish();
  waiting_.push_back(waiting);
  waiting->patience.expires_after(std::chrono::milliseconds(kPatienceMs));
  waiting->patience.async_wait(
      [this, waiting, alive = std::weak_ptr<bool>(alive_)](const net::ErrorCode& cancelled) {
        if (cancelled || alive.expired()) return;
        ++counters_.late;
        std::erase(waiting_, waiting);
        waiting->finish();
      });
  if (!wishes.empty()) search_for(std::move(names), std::move(wishes));
}

// For all that tell of these events; given up when nobody waits any more.
void Librarian::search_for(std::vector<std::string> names, std::vector<knowledge::Wish> wishes) {
  ++searching_;
  counters_.searches += wishes.size();
  asked_.insert(names.begin(), names.end());
  const Instant until{parts_.clock.mono().ns + kGivenUpAfterNs};
  ask<std::vector<PageKnowledge>>(
      [wishes = std::move(wishes), until, &clock = parts_.clock](Shelf& shelf) {
        std::vector<PageKnowledge> found;
        for (const knowledge::Wish& wish : wishes) {
          if (until < clock.mono()) break;
          found.push_back(shelf.find(wish));
        }
        return found;
      },
      [this, names = std::move(names)](std::vector<PageKnowledge> found) {
        answered(names, std::move(found));
      });
}

void Librarian::answered(const std::vector<std::string>& names, std::vector<PageKnowledge> found) {
  --searching_;
  for (size_t i = 0; i < names.size(); ++i) {
    asked_.erase(names[i]);
    if (i < found.size()) counters_.found += found[i].empty() ? 0 : 1;
    for (const auto& waiting : waiting_) {
      if (waiting->open.erase(names[i]) == 0 || i >= found.size()) continue;
      for (slo::AlertEvent& event : waiting->events) {
        if (takes_along(event) && name_of(event) == names[i]) attach(event, found[i]);
      }
    }
    if (i < found.size()) keep(names[i], std::move(found[i]));
  }
  std::vector<std::shared_ptr<Waiting>> done;
  std::erase_if(waiting_, [&](const auto& waiting) {
    if (!waiting->open.empty()) return false;
    done.push_back(waiting);
    return true;
  });
  for (const auto& waiting : done) waiting->finish();
}

// --- Reviews and runbooks.

void Librarian::touched(const std::string& incident) {
  if (parts_.shelf.reviews == 0) return;  // none is kept
  if (touched_.size() < kMostReviews) {
    touched_.insert(incident);
  } else {
    ++counters_.untold;
  }
}

void Librarian::look() {
  if (const nines::incident::IncidentBook* const book = parts_.book()) {
    catch_up(*book);
    write_reviews(*book);
  }
  follow_runbooks();
}

// Those of an earlier life, of which nobody knows whether they were written.
void Librarian::catch_up(const nines::incident::IncidentBook& book) {
  if (std::exchange(caught_up_, true)) return;
  nines::incident::BookQuery over;
  over.state = nines::incident::State::resolved;
  over.limit = static_cast<size_t>(std::max<int64_t>(0, parts_.shelf.reviews));
  for (const auto& incident : book.list(over, parts_.clock.wall())) touched(incident.id);
}

void Librarian::write_reviews(const nines::incident::IncidentBook& book) {
  if (writing_ || touched_.empty()) return;
  struct Review {
    store::Article article;
    std::vector<std::string> aliases;
  };
  std::vector<Review> reviews;
  const WallTime now = parts_.clock.wall();
  while (!touched_.empty() && reviews.size() < kReviewsATurn) {
    const auto incident = book.find(*touched_.begin(), now);
    touched_.erase(touched_.begin());
    if (!incident || !incident->over()) continue;
    const auto facts = incident::review_facts(book, *incident, parts_.changes(), now);
    reviews.push_back({knowledge::review_of(*incident, facts), incident->aliases});
  }
  if (reviews.empty()) return;
  writing_ = true;
  ask<bool>(
      [reviews = std::move(reviews)](Shelf& shelf) {
        for (const Review& one : reviews) shelf.keep_review(one.article, one.aliases);
        return true;
      },
      [this](bool) { writing_ = false; });
}

void Librarian::follow_runbooks() {
  const Instant now = parts_.clock.mono();
  if (following_ || parts_.shelf.runbooks.empty()) return;
  if (!more_ && now.ns - followed_.ns < kFollowEveryNs) return;
  following_ = true;
  followed_ = now;
  ask<bool>([](Shelf& shelf) { return shelf.follow_runbooks(); },
            [this](bool more) {
              following_ = false;
              more_ = more;
            });
}

// --- People.

void Librarian::search(store::KnowledgeQuery query, std::function<void(Result<Found>)> done) {
  ask<Result<Found>>([query = std::move(query)](Shelf& shelf) { return shelf.search(query); },
                     std::move(done));
}

void Librarian::article(std::string id,
                        std::function<void(Result<std::optional<store::Article>>)> done) {
  ask<Result<std::optional<store::Article>>>(
      [id = std::move(id)](Shelf& shelf) { return shelf.article(id); }, std::move(done));
}

std::string Librarian::metrics() const {
  const Shelf::Counters& shelf = shelf_->counters();
  const view::MetricFamily families[] = {
      {"nines_knowledge_articles", "Runbooks and postmortems.", shelf.articles},
      {"nines_knowledge_searches_total", "Pages that something was looked for.",
       counters_.searches},
      {"nines_knowledge_found_total", "Pages that something was found for.", counters_.found},
      {"nines_knowledge_late_total", "Pages that went without, for the answer took too long.",
       counters_.late},
      {"nines_knowledge_busy_total", "Pages that went without, for too many waited.",
       counters_.busy},
      {"nines_knowledge_runbooks_added_total",
       "Runbooks of the folder that were new or had changed.", shelf.added},
      {"nines_knowledge_runbooks_removed_total", "Runbooks that the folder has no more.",
       shelf.removed},
      {"nines_knowledge_reviews_total", "Postmortems that were written, or written anew.",
       shelf.reviews},
      {"nines_knowledge_reviews_pruned_total", "Postmortems that gave way to newer ones.",
       shelf.pruned},
      {"nines_knowledge_reviews_beyond_limit_total",
       "Incidents whose postmortem had no room to wait.", counters_.untold},
      {"nines_knowledge_refused_total", "Articles that were too large, or had no room.",
       shelf.refused},
      {"nines_knowledge_failures_total", "Times the knowledge base could not be used.",
       shelf.failures},
  };
  return view::metric_families(families);
}

}  // namespace nines::agent
