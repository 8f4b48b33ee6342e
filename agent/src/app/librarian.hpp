// Librarian: the knowledge base of the running agent. Pages pass through it on their way to the
// notifiers and take along what fits; a folder of runbooks is followed; incidents that are over
// leave their reviews.
//
// Control thread; what needs the disk is a job of the store's thread (knowledge/shelf.hpp). A page
// waits kPatienceMs at most, and goes without when nothing has come by then.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "app/worker.hpp"
#include "knowledge/shelf.hpp"
#include "net/asio.hpp"
#include "nines/base/time.hpp"
#include "nines/incident/incident_book.hpp"

namespace nines::agent {

class Librarian {
 public:
  static constexpr int64_t kPatienceMs = 250;
  static constexpr size_t kMostSearches =
      16;                                  // under way; beyond, pages of other events go without
  static constexpr size_t kMostKept = 64;  // answers for events that others tell, too
  static constexpr size_t kMostReviews = 1024, kReviewsATurn = 4;

  // All outlive it. `book` gives null where incidents are switched off, or not there yet.
  struct Parts {
    net::asio::io_context& io;
    const Clock& clock;
    Worker& store_work;
    knowledge::ShelfSettings shelf;
    std::function<const nines::incident::IncidentBook*()> book;
    std::function<std::vector<slo::Change>()> changes;
  };
  explicit Librarian(Parts parts);
  ~Librarian();

  // Calls `done` with the events, once, at once or within kPatienceMs: those that fire with what is
  // known.
  using Events = std::vector<slo::AlertEvent>;
  void prepare(Events events, std::function<void(Events)> done);

  // Something became of an incident, or was written of it.
  void touched(const std::string& incident);
  // With each evaluation.
  void look();

  // For people. Called back on this thread.
  using Found = std::vector<store::Knowledge>;
  void search(store::KnowledgeQuery query, std::function<void(Result<Found>)> done);
  void article(std::string id, std::function<void(Result<std::optional<store::Article>>)> done);

  std::string metrics() const;

 private:
  struct Waiting;
  struct Kept {
    std::string event;
    knowledge::PageKnowledge knowledge;
  };
  template <class Answer>
  void ask(std::function<Answer(knowledge::Shelf&)> question, std::function<void(Answer)> done);
  const knowledge::PageKnowledge* kept(const slo::AlertEvent& event) const;
  void keep(const std::string& event, knowledge::PageKnowledge knowledge);
  knowledge::Wish wish_of(const slo::AlertEvent& event) const;
  void search_for(std::vector<std::string> names, std::vector<knowledge::Wish> wishes);
  // `found` may be shorter: what was given up.
  void answered(const std::vector<std::string>& names, std::vector<knowledge::PageKnowledge> found);
  void write_reviews(const nines::incident::IncidentBook& book);
  void catch_up(const nines::incident::IncidentBook& book);
  void follow_runbooks();

  Parts parts_;
  std::shared_ptr<knowledge::Shelf> shelf_;  // jobs hold it, too
  std::deque<Kept> kept_;
  std::set<std::string> asked_;  // events that are searched for
  std::vector<std::shared_ptr<Waiting>> waiting_;
  std::set<std::string> touched_;
  Instant followed_{};
  bool following_ = false, more_ = true, writing_ = false, caught_up_ = false;
  size_t searching_ = 0;
  struct Counters {
    uint64_t searches = 0, found = 0, late = 0, busy = 0, untold = 0;
  } counters_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace nines::agent
