#include "remedy/import_shelf.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace nines::agent::remedy {

namespace core = nines::remedy;

std::vector<core::Record> ImportShelf::restore(const std::vector<store::Document>& documents) {
  std::vector<core::Record> out;
  for (const store::Document& document : documents) {
    auto record = core::decode_record(document.body);
    const bool whole = record && record->id == document.key;
    if (!whole) gone_.insert(document.key);
    if (whole) out.push_back(std::move(*record));
  }
  std::sort(out.begin(), out.end(), [](const core::Record& a, const core::Record& b) {
    return std::tie(a.at.ns, a.id) > std::tie(b.at.ns, b.id);
  });
  for (; out.size() > kMost; out.pop_back()) gone_.insert(out.back().id);
  for (const core::Record& record : out) ids_.insert(record.id);
  return out;
}

Result<ImportShelf::Import> ImportShelf::begin(std::vector<core::Record> records,
                                               const core::History& history) {
  const size_t count = records.size();
  core::History batch;  // of two that share an id the better one
  for (core::Record& record : records) {
    if (core::decode_record(core::encode_record(record))) {
      (void)batch.merge(std::move(record));
    } else {
      return Error{Errc::invalid_argument, "record '" + record.id + "' is out of range"};
    }
  }
  Import out;
  batch.each([&](const core::Record& record) {
    using Merge = core::History::Merge;
    const Merge would = history.would(record);
    if (would != Merge::news && would != Merge::better) return;
    if (!ids_.contains(record.id)) out.room.insert(record.id);
    out.documents.push_back({kDocuments, record.id, core::encode_record(record)});
    out.records.push_back(record);
  });
  out.known = count - out.records.size();
  const size_t held = ids_.size() + on_the_way_.size();
  if (held + out.room.size() > kMost) {
    return Error{Errc::invalid_argument, "a node keeps at most " + std::to_string(kMost) +
                                             " imported records: " + std::to_string(held) +
                                             " are here, and " + std::to_string(out.room.size()) +
                                             " more do not fit; leave out the oldest"};
  }
  on_the_way_.insert(out.room.begin(), out.room.end());
  return out;
}

void ImportShelf::written(const Import& import) {
  failed(import);
  for (const core::Record& record : import.records) {
    ids_.insert(record.id);
    gone_.erase(record.id);
  }
}

void ImportShelf::failed(const Import& import) {
  for (const std::string& id : import.room) on_the_way_.erase(on_the_way_.find(id));
}

void ImportShelf::let_go(const std::string& id) {
  if (ids_.erase(id) > 0) gone_.insert(id);
}

std::vector<store::Document> ImportShelf::deletions() {
  std::vector<store::Document> out;
  for (const std::string& id : std::exchange(gone_, {})) out.push_back({kDocuments, id, {}});
  return out;
}

}  // namespace nines::agent::remedy
