// ImportShelf: which records of other tools the store holds for this node, a document each, and
// which it may forget. A record counts once it is written: what could not be is news when it is
// imported again. Bounded: kMost records, those on their way into the store included; an import
// that goes beyond is refused whole, with the reason. What history lets go is deleted. Control
// thread; no I/O, no clock.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "nines/remedy/history.hpp"
#include "nines/store/state_store.hpp"
#include "remedy/history_file.hpp"

namespace nines::agent::remedy {

class ImportShelf {
 public:
  static constexpr const char* kDocuments = "remedy-history";
  static constexpr size_t kMost = kMostHistoryRows;

  // Of an import: from its beginning to the end of its write.
  struct Import {
    std::vector<nines::remedy::Record> records;  // news, one of an id
    std::vector<store::Document> documents;      // of them
    size_t known = 0;                            // beside them
    std::set<std::string> room;                  // ids that are held for it
  };

  // What the store has, at the start; the newest kMost of them are given back, for history.
  std::vector<nines::remedy::Record> restore(const std::vector<store::Document>& documents);

  // What is new to `history`. An error: a record is out of range, or there is no room for them.
  Result<Import> begin(std::vector<nines::remedy::Record> records,
                       const nines::remedy::History& history);
  void written(const Import& import);  // before history is given its records
  void failed(const Import& import);

  // History knows it no more, or did not take it.
  void let_go(const std::string& id);
  // Deletions, to be written; each is given once.
  std::vector<store::Document> deletions();

  size_t size() const noexcept { return ids_.size(); }

 private:
  std::set<std::string> ids_;              // in the store
  std::multiset<std::string> on_the_way_;  // to it, beside those
  std::set<std::string> gone_;             // still to be deleted there
};

}  // namespace nines::agent::remedy
