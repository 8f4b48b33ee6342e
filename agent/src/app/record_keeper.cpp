#include "app/record_keeper.hpp"

#include <algorithm>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include "app/log.hpp"
#include "view/metric_family.hpp"

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

// About what it takes to hold it.
size_t bytes_of(const Record& record) {
  size_t out = sizeof(Record);
  for (const store::Document& one : record.documents) {
    out += sizeof one + one.kind.size() + one.key.size() + one.body.size();
  }
  for (const slo::Change& one : record.changes) {
    out += sizeof one + one.text.size();
    for (const auto& detail : one.details) {
      out += sizeof detail + detail.first.size() + detail.second.size();
    }
  }
  return out + record.events.size() * sizeof(slo::AlertEvent);
}

// Of what was to be written, not of the disk.
bool is_no_room(const Error& error) {
  return error.code == Errc::exhausted || error.code == Errc::invalid_argument;
}

// `events`: those of `records` one after the other, as the store has left them. What it has taken
// is its own.
void leave_taken(const std::vector<Record*>& records, const std::vector<slo::AlertEvent>& events) {
  size_t i = 0;
  for (Record* const record : records) {
    std::erase_if(record->events,
                  [&](const slo::AlertEvent&) { return events[i++].sequence != 0; });
  }
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

void RecordKeeper::post(std::shared_ptr<Record> record, std::function<void(Status)> ended) {
  ++under_way_;
  parts_.store_work.post([this, record = std::move(record), ended = std::move(ended)] {
    auto status = std::make_shared<Status>(parts_.store.record(*record));
    net::asio::post(parts_.io, [this, status, ended] {
      --under_way_;
      ended(*status);
    });
  });
}

void RecordKeeper::keep(Record record, Whose whose, Done done) {
  auto shared = std::make_shared<Record>(std::move(record));
  const uint64_t number = ++numbers_;
  post(shared, [this, shared, whose, number, done = std::move(done)](const Status& status) {
    if (status.ok()) {
      forget_older(number, shared->documents);
      parts_.written(*shared, whose);
      return done(*shared);
    }
    log::error("store", "changes not kept: " + status.error().message);
    parts_.tell(take_held(shared->events));
    if (whose == Whose::agent) failed({{number, std::move(*shared), false}}, status.error());
    done(status.error());
  });
}

void RecordKeeper::add(Record&& record) {
  if (!record.empty()) unwritten_.push_back({++numbers_, std::move(record), false});
  tries_ = kTries;
  write();
}

void RecordKeeper::add(std::vector<store::Document> documents) {
  Record record;
  record.documents = std::move(documents);
  add(std::move(record));
}

// Later documents of one key take the place of earlier ones: order is kept by one turn at a time,
// of what failed before what was decided since.
void RecordKeeper::write() {
  if (writing_ > 0) return;
  // With a write under way it is not known yet what of them has a successor.
  if (under_way_ == 0 && tries_ > 0 && !failed_.empty()) write(to_try_again(), true);
  if (!unwritten_.empty()) write(std::exchange(unwritten_, {}), false);
}

// As many as may go together; what had no room is alone. Each in its turn: one that will never be
// written is no reason not to try the next.
RecordKeeper::Batch RecordKeeper::to_try_again() {
  auto from = std::find_if(failed_.begin(), failed_.end(),
                           [&](const Waiting& one) { return one.number > tried_; });
  if (from == failed_.end()) from = failed_.begin();
  auto to = from + 1;
  while (!from->apart && to != failed_.end() && !to->apart) ++to;
  Batch out(std::make_move_iterator(from), std::make_move_iterator(to));
  failed_.erase(from, to);
  tried_ = out.back().number;
  return out;
}

void RecordKeeper::write(Batch batch, bool again) {
  ++writing_;
  auto all = std::make_shared<Record>();
  // Those of the batch are kept: if they cannot be written together, each is tried by itself.
  for (const Waiting& one : batch) append(*all, Record(one.record));
  auto kept = std::make_shared<Batch>(std::move(batch));
  post(all, [this, all, kept, again](const Status& status) {
    --writing_;
    if (status.ok()) {
      forget_older(kept->back().number, all->documents);
      parts_.written(*all, Whose::agent);
      parts_.tell(all->events);
      return write();  // what came meanwhile, and what else failed
    }
    log::error("store", "changes not kept: " + status.error().message);
    std::vector<Record*> records;
    for (Waiting& one : *kept) records.push_back(&one.record);
    leave_taken(records, all->events);
    parts_.tell(take_held(all->events));
    failed(std::move(*kept), status.error());
    // Another one may have room; where the disk is at fault none has.
    const bool no_room = is_no_room(status.error());
    tries_ = no_room ? std::min(tries_, failed_.size()) : 0;
    if (again && tries_ > 0) --tries_;
    write();
  });
}

void RecordKeeper::failed(Batch batch, const Error& error) {
  ++counters_.failed;
  const bool no_room = is_no_room(error);
  for (Waiting& one : batch) {
    one.apart = no_room;
    if (one.record.empty()) continue;
    const auto at = std::upper_bound(
        failed_.begin(), failed_.end(), one.number,
        [](uint64_t number, const Waiting& other) { return number < other.number; });
    failed_.insert(at, std::move(one));
  }
  give_way();
}

// The newest say what is so now.
void RecordKeeper::give_way() {
  size_t bytes = 0;
  auto from = failed_.end();
  while (from != failed_.begin()) {
    bytes += bytes_of(std::prev(from)->record);
    const auto kept = static_cast<size_t>(failed_.end() - from);
    if (kept > 0 && (kept == kMostWaiting || bytes > kMostWaitingBytes)) break;
    --from;
  }
  const auto gone = static_cast<uint64_t>(from - failed_.begin());
  if (gone == 0) return;
  if (counters_.given_up == 0) {
    log::error("store",
               "too much waits for a disk that takes nothing: the oldest changes are given up");
  }
  counters_.given_up += gone;
  failed_.erase(failed_.begin(), from);
}

void RecordKeeper::forget_older(uint64_t number, const std::vector<store::Document>& written) {
  for (Waiting& one : failed_) {
    if (one.number > number) continue;
    std::erase_if(one.record.documents, [&](const store::Document& old) {
      return std::any_of(written.begin(), written.end(), [&](const store::Document& now) {
        return now.kind == old.kind && now.key == old.key;
      });
    });
  }
  std::erase_if(failed_, [](const Waiting& one) { return one.record.empty(); });
}

void RecordKeeper::write_last() {
  Batch all = std::exchange(failed_, {});
  for (Waiting& one : std::exchange(unwritten_, {})) all.push_back(std::move(one));
  std::sort(all.begin(), all.end(),
            [](const Waiting& a, const Waiting& b) { return a.number < b.number; });
  while (!all.empty()) {
    Record record;
    auto to = all.begin() + 1;
    while (!all.front().apart && to != all.end() && !to->apart) ++to;
    for (auto one = all.begin(); one != to; ++one) append(record, std::move(one->record));
    all.erase(all.begin(), to);
    const Status kept = parts_.store.record(record);
    if (!kept.ok()) log::warn("store", "changes not kept: " + kept.error().message);
  }
}

std::string RecordKeeper::metrics() const {
  const view::MetricFamily families[] = {
      {"nines_store_changes_waiting", "Changes that could not be written, and are tried again.",
       failed_.size()},
      {"nines_store_changes_failed_total", "Writes of changes that failed.", counters_.failed},
      {"nines_store_changes_given_up_total",
       "Changes that gave way to newer ones while the disk took nothing.", counters_.given_up},
  };
  return view::metric_families(families);
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
