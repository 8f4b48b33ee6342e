#include "app/record_keeper.hpp"

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
  parts_.store_work.post([this, shared, whose, done = std::move(done)] {
    auto status = std::make_shared<Status>(parts_.store.record(*shared));
    net::asio::post(parts_.io, [this, shared, whose, status, done] {
      if (status->ok()) {
        parts_.written(*shared, whose);
        return done(*shared);
      }
      log::error("store", "changes not kept: " + status->error().message);
      parts_.tell(take_held(shared->events));
      if (whose == Whose::agent) put_back(std::move(*shared));
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
  if (writing_ || unwritten_.empty()) return;
  writing_ = true;
  keep(std::exchange(unwritten_, {}), Whose::agent, [this](Result<Record> done) {
    writing_ = false;
    if (!done.ok()) return;  // with the next evaluation
    parts_.tell(done->events);
    write();  // what came meanwhile
  });
}

void RecordKeeper::put_back(Record&& record) {
  std::swap(unwritten_, record);
  append(unwritten_, std::move(record));
}

void RecordKeeper::write_last() {
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
