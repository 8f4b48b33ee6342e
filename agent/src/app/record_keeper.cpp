#include "app/record_keeper.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "app/log.hpp"

namespace nines::agent {
namespace {

template <typename T>
void append(std::vector<T>& to, std::vector<T>&& from) {
  for (T& one : from) to.push_back(std::move(one));
}

void append(Record& to, Record&& from) {
  append(to.changes, std::move(from.changes));
  append(to.documents, std::move(from.documents));
  append(to.events, std::move(from.events));
}

}  // namespace

std::vector<slo::AlertEvent> take_held(std::vector<slo::AlertEvent>& events) {
  std::vector<slo::AlertEvent> held;
  std::erase_if(events, [&](slo::AlertEvent& event) {
    if (event.sequence == 0) return false;
    held.push_back(std::move(event));
    return true;
  });
  return held;
}

void RecordKeeper::keep(Record record, Whose whose, Done done) {
  auto shared = std::make_shared<Record>(std::move(record));
  const uint64_t number = ++numbers_;
  ++under_way_;
  parts_.store_work.post([this, shared, whose, number, done = std::move(done)] {
    auto status = std::make_shared<Status>(parts_.store.record(*shared));
    net::asio::post(parts_.io, [this, shared, whose, number, status, done] {
      --under_way_;
      if (status->ok()) {
        forget_older(number, shared->documents);
        parts_.written(*shared, whose);
        return done(*shared);
      }
      log::error("store", "changes not kept: " + status->error().message);
      parts_.tell(take_held(shared->events));
      if (whose == Whose::agent) failed(number, std::move(*shared));
      done(status->error());
    });
  });
}

void RecordKeeper::add(Record&& record) {
  append(unwritten_, std::move(record));
  write();
}

void RecordKeeper::add(std::vector<store::Document> documents) {
  append(unwritten_.documents, std::move(documents));
  write();
}

// Later documents of one key take the place of earlier ones: order is kept by one write at a time.
void RecordKeeper::write() {
  if (writing_) return;
  // With a write under way it is not known yet what of them has a successor.
  if (under_way_ == 0) try_again();
  if (unwritten_.empty()) return;
  writing_ = true;
  keep(std::exchange(unwritten_, {}), Whose::agent, [this](Result<Record> done) {
    writing_ = false;
    if (!done.ok()) return;  // with the next evaluation
    parts_.tell(done->events);
    write();  // what came meanwhile
  });
}

void RecordKeeper::failed(uint64_t number, Record&& record) {
  failed_.push_back({number, std::move(record)});
}

void RecordKeeper::forget_older(uint64_t number, const std::vector<store::Document>& written) {
  for (FailedWrite& one : failed_) {
    if (one.number > number) continue;
    std::erase_if(one.record.documents, [&](const store::Document& old) {
      return std::any_of(written.begin(), written.end(), [&](const store::Document& now) {
        return now.kind == old.kind && now.key == old.key;
      });
    });
  }
  std::erase_if(failed_, [](const FailedWrite& one) { return one.record.empty(); });
}

// Before what has been decided since.
void RecordKeeper::try_again() {
  Record all;
  for (FailedWrite& one : std::exchange(failed_, {})) append(all, std::move(one.record));
  append(all, std::exchange(unwritten_, {}));
  unwritten_ = std::move(all);
}

void RecordKeeper::write_last() {
  try_again();
  if (unwritten_.empty()) return;
  const Status kept = parts_.store.record(unwritten_);
  if (!kept.ok()) log::warn("store", "changes not kept: " + kept.error().message);
}

void RecordKeeper::put(std::vector<store::Document> documents, const char* what, Failed failed) {
  if (documents.empty()) return;
  auto shared = std::make_shared<std::vector<store::Document>>(std::move(documents));
  parts_.store_work.post([this, shared, what = std::string(what), failed = std::move(failed)] {
    const Status done = parts_.store.put_documents(*shared);
    if (done.ok()) return;
    log::warn("store", what + " not kept: " + done.error().message);
    if (failed) net::asio::post(parts_.io, [shared, failed] { failed(*shared); });
  });
}

}  // namespace nines::agent
