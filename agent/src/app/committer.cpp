#include "app/committer.hpp"

#include <memory>
#include <utility>

#include "app/log.hpp"
#include "app/record_keeper.hpp"

namespace nines::agent {
namespace {

constexpr int64_t kFoldEveryS = 3600;

}  // namespace

Committer::Committer(Parts parts) : parts_(std::move(parts)) {
  last_commit_ = last_fold_ = parts_.clock.mono();
}

void Committer::commit_when_due() {
  const int64_t since_s = (parts_.clock.mono().ns - last_commit_.ns) / kNsPerSecond;
  if (parts_.judge.has_pending_events() || since_s >= parts_.flush_s) commit_now();
}

void Committer::commit_now() {
  if (!in_flight_ && parts_.judge.has_pending()) commit();
}

// The store thread owns SQLite; the commit comes back with what became of it.
void Committer::commit() {
  in_flight_ = true;
  last_commit_ = parts_.clock.mono();
  const bool fold = (last_commit_.ns - last_fold_.ns) / kNsPerSecond >= kFoldEveryS;
  if (fold) last_fold_ = last_commit_;
  auto pending =
      std::make_shared<store::StateStore::Commit>(parts_.judge.take_commit(parts_.clock.wall()));
  pending->documents = parts_.progress();
  parts_.store_work.post([this, pending, fold] {
    Status done = parts_.store.commit(*pending);
    if (fold || (!done.ok() && done.error().code == Errc::exhausted)) {
      const Status folded = parts_.store.fold(pending->now);
      if (!folded.ok()) log::warn("store", "folding: " + folded.error().message);
    }
    net::asio::post(parts_.io,
                    [this, pending, done = std::move(done), stats = parts_.store.stats()] {
                      stats_ = stats;
                      committed(std::move(*pending), done);
                    });
  });
}

void Committer::committed(store::StateStore::Commit&& commit, const Status& done) {
  in_flight_ = false;
  failing_ = done.ok() ? std::string() : done.error().message;
  if (!done.ok()) {
    log::error("store", "not committed, kept in memory and tried again: " + failing_);
    parts_.tell(take_held(commit.events));
    parts_.judge.give_back(std::move(commit));
    return;
  }
  parts_.judge.let_rows_go();
  parts_.tell(commit.events);
}

void Committer::fold_when_due() {
  const Instant now = parts_.clock.mono();
  if ((now.ns - last_fold_.ns) / kNsPerSecond < 2 * kFoldEveryS) return;
  last_fold_ = now;
  fold();
}

void Committer::fold() {
  parts_.store_work.post([this] {
    const Status folded = parts_.store.fold(parts_.clock.wall());
    if (!folded.ok()) log::warn("store", "folding: " + folded.error().message);
  });
}

Status Committer::commit_last() {
  if (!parts_.judge.has_pending()) return Ok{};
  auto pending = parts_.judge.take_commit(parts_.clock.wall());
  pending.documents = parts_.progress();
  return parts_.store.commit(pending);
}

}  // namespace nines::agent
