// Bookmark: how far a standing query has looked at its files, as documents of the store. It is
// written together with what is to be told of the rows before it (law 1).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "nines/base/time.hpp"
#include "nines/store/state_store.hpp"
#include "query/followed.hpp"

namespace nines::agent::query {

inline constexpr const char* kBookmarkKind = "standing-query";

class Bookmark {
 public:
  // Of what was kept, by the name of the query. What is damaged is left out.
  static std::map<std::string, Bookmark> decode(const std::vector<store::Document>& documents);
  // Those that make the store forget all that is kept but of `names`.
  static std::vector<store::Document> forget_others(const std::vector<store::Document>& documents,
                                                    const std::vector<std::string>& names);

  bool fresh() const noexcept { return run_at_ == WallTime{}; }  // never written
  WallTime run_at() const noexcept { return run_at_; }           // when it looked last
  // False: nothing changed.
  bool apply(const std::vector<SourcePositions>& changes);
  // Positions of sources that are none of these any more are not kept.
  void retain(const std::vector<std::string>& sources);
  void set_run_at(WallTime at) { run_at_ = at; }
  std::vector<SourcePositions> positions() const;
  // Pieces that the store takes.
  std::vector<store::Document> documents(const std::string& name);

 private:
  bool read(std::string_view body);
  std::string write() const;

  WallTime run_at_{};
  size_t pieces_ = 0;  // that stand in the store
  std::map<std::string, std::map<std::string, std::string>> sources_;
};

}  // namespace nines::agent::query
