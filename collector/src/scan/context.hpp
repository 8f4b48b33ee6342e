// CONTEXT n BEFORE m AFTER in the order of the file, as grep -B n -A m shows it: groups that
// overlap or touch are one; with WITHIN those between whose records no more time goes by. A record
// between two hits belongs to the nearer one (of equals to the one before it). CONTEXT ... BY key
// means the same (core/src/query/context_by_operator.cpp).
//
// Records are fed one after the other; those that cannot be near a hit may be left out where gap()
// says so. Keeps copies of at most n records, and of kMaxBytes.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nines/collector/framing.hpp"
#include "nines/query/plan.hpp"

namespace nines::collector {

class ContextWindow {
 public:
  // A record to be shown; `offset` 0 is a hit. False: no more are wanted.
  using Emit = std::function<bool(const FramedRecord&, int64_t group_at, int64_t offset)>;
  static constexpr size_t kMaxBytes = size_t{32} << 20;  // earlier records are let go

  ContextWindow(const query::ContextSpec& spec, Emit emit) : spec_(spec), emit_(std::move(emit)) {}

  // `ts`: where WITHIN is asked. False: no more are wanted.
  bool add(const FramedRecord& record, bool hit, std::optional<WallTime> ts);
  // Records were left out here: more than `after` behind the last hit, and more than `before` away
  // from the next one.
  bool gap();
  // The last hit is fewer than `after` records back: what follows may belong to it.
  bool wants_more() const noexcept { return has_hit_ && since_hit_ < spec_.after; }
  bool finish() { return gap(); }

 private:
  struct Held {
    FramedRecord record;  // its content is `text`
    std::string text;
    uint64_t behind = 0;  // the last hit by so many records; 0: there was none
    std::optional<WallTime> ts;
  };
  // A queue whose places are used again, and with them the memory of their texts.
  class Queue {
   public:
    size_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }
    Held& operator[](size_t i) noexcept { return places_[(first_ + i) & (places_.size() - 1)]; }
    Held& front() noexcept { return (*this)[0]; }
    Held& add();
    void pop_front() noexcept;
    void clear() noexcept;

   private:
    // Longer texts, and those of longer queues, give their memory back.
    static constexpr size_t kKeptBytes = 4096, kKeptPlaces = 64;
    std::vector<Held> places_;  // a power of two
    size_t first_ = 0, size_ = 0;
  };
  void hold(const FramedRecord& record, std::optional<WallTime> ts);
  bool near(const std::optional<WallTime>& a, const std::optional<WallTime>& b) const noexcept;
  bool belongs_behind(const Held& held) const noexcept;
  bool settle_front();
  bool show(const Held& held, int64_t group, int64_t offset);

  query::ContextSpec spec_;
  Emit emit_;
  Queue held_;
  size_t bytes_ = 0;
  bool has_hit_ = false;
  bool broken_ = false;  // some record since the last hit was not shown, or came too late
  uint64_t since_hit_ = 0;
  int64_t group_ = 0;
  std::optional<WallTime> hit_ts_, last_ts_;
};

}  // namespace nines::collector
