// TemplateMiner: from messages to templates ("Invalid user <*> from <*>"), one at a time, within a
// fixed amount of memory. What a template is depends on what was seen and not on when or where, so
// that ids are the same after a restart and on every node.
//
// Two steps. The words of a message that no parameter could be are its skeleton: without numbers,
// hosts, paths, dates and signs; messages of one skeleton have one template. That alone takes names
// ("for user alice") for words, so skeletons that differ in one word, at one place, are merged when
// kDistinct of them are there: that word is a parameter. Merging is monotone: a template never
// splits again. The id is a hash of the words that are left.
//
// It replaces the similarity threshold of Drain (He et al., ICWS 2017), which cannot tell
// `user=root` from `Transitioned from NEW to INITED`, by the number of different words at a place,
// which is what Brain (Yu et al., TSC 2023) groups by, offline. How it compares:
// core/src/incident/README.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/result.hpp"

namespace nines::incident {

using TemplateId = uint64_t;

struct MinerLimits {
  size_t max_templates = 2048;  // beyond it the one not seen for longest is forgotten
  size_t max_text_bytes = 256;  // of a template's text
  size_t distinct = 4;          // words at one place that make it a parameter
  size_t distinct_first = 16;   // the first word more rarely is one
};

class TemplateMiner {
 public:
  explicit TemplateMiner(MinerLimits limits = {});
  ~TemplateMiner();
  TemplateMiner(TemplateMiner&&) noexcept;
  TemplateMiner& operator=(TemplateMiner&&) noexcept;

  struct Found {
    TemplateId id = 0;
    bool fresh = false;   // no template that is known had it
    bool merged = false;  // some became one: take_merges()
  };
  Found add(std::string_view message);

  // The template that `id` has become part of; itself when it has not, or is unknown.
  TemplateId current(TemplateId id) const noexcept;
  // Parameters are "<*>". Empty: unknown or forgotten. Valid until add().
  std::string_view text(TemplateId id) const noexcept;

  // Templates that became one since this was last asked; what is counted by id moves along.
  struct Merge {
    TemplateId from = 0, to = 0;
  };
  std::vector<Merge> take_merges();

  // What was learned, for the store and for other nodes. Taking over the same twice, or in another
  // order, changes nothing.
  std::string save() const;
  Status merge_saved(std::string_view saved);  // corrupt: nothing was taken

  struct Stats {
    size_t templates = 0;
    uint64_t messages = 0, slow = 0;  // slow: the skeleton was not among the last ones seen
    uint64_t merges = 0, forgotten = 0;
    size_t memory_bytes = 0;
  };
  Stats stats() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nines::incident
