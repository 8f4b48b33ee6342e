#include "file/registry.hpp"

#include <array>
#include <charconv>
#include <iterator>

namespace nines::collector {
namespace {

std::string hex(uint64_t value) {
  std::array<char, 16> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, 16).ptr;
  return {buffer.data(), end};
}

bool is_idle(const Entry& e) { return !e.waiting() && e.offset >= e.size; }

}  // namespace

void Registry::add(std::unique_ptr<Entry> entry) {
  entry->index = entries_.size();
  keys_.insert(entry->key);
  if (entry->id.ino != 0) by_node_[{entry->id.dev, entry->id.ino}] = entry.get();
  entries_.push_back(std::move(entry));
}

Entry* Registry::create(uint64_t dev, uint64_t ino) {
  if (full()) return nullptr;
  auto entry = std::make_unique<Entry>();
  entry->id.dev = dev;
  entry->id.ino = ino;
  const std::string base = hex(dev) + ":" + hex(ino);
  entry->key = base;
  for (uint64_t n = 1; keys_.contains(entry->key); ++n) entry->key = base + ":" + hex(n);
  Entry* out = entry.get();
  add(std::move(entry));
  return out;
}

bool Registry::restore(std::unique_ptr<Entry> entry) {
  if (full() || keys_.contains(entry->key)) return false;
  if (Entry* other = entry->id.ino == 0 ? nullptr : find(entry->id.dev, entry->id.ino)) {
    if (other->path_time_ns <= entry->path_time_ns) {
      bind(*other, 0, 0);
    } else {
      entry->id.ino = 0;
    }
  }
  add(std::move(entry));
  return true;
}

void Registry::erase(Entry& e) {
  close(e);
  bind(e, 0, 0);
  keys_.erase(e.key);
  if (e.seen) std::erase_if(by_path_, [&](const auto& item) { return item.second == &e; });
  if (at(e.path) == &e) by_path_.erase(e.path);
  if (at(e.where) == &e) by_path_.erase(e.where);
  if (e.awaited) {
    for (const auto& other : entries_) {
      if (other->after == &e) other->after = nullptr;
    }
  }
  const size_t index = e.index;
  graveyard_.push_back(std::move(entries_[index]));
  if (index + 1 != entries_.size()) {
    entries_[index] = std::move(entries_.back());
    entries_[index]->index = index;
  }
  entries_.pop_back();
}

Entry* Registry::find(uint64_t dev, uint64_t ino) const {
  const auto it = by_node_.find({dev, ino});
  return it == by_node_.end() ? nullptr : it->second;
}

void Registry::bind(Entry& e, uint64_t dev, uint64_t ino) {
  if (const auto it = by_node_.find({e.id.dev, e.id.ino});
      it != by_node_.end() && it->second == &e) {
    by_node_.erase(it);
  }
  e.id.dev = dev;
  e.id.ino = ino;
  e.vouched = false;
  if (ino != 0) by_node_[{dev, ino}] = &e;
}

Entry* Registry::at(const std::string& path) const {
  const auto it = by_path_.find(path);
  return it == by_path_.end() ? nullptr : it->second;
}

void Registry::use(Entry& e, UniqueFd fd) {
  close(e);
  e.fd = std::move(fd);
  open_.push_front(&e);
  e.open_place = open_.begin();
  if (open_.size() > max_open_) close_idle();
}

void Registry::touch(Entry& e) {
  if (e.fd.valid()) open_.splice(open_.begin(), open_, e.open_place);
}

void Registry::close(Entry& e) {
  if (!e.fd.valid()) return;
  open_.erase(e.open_place);
  e.fd.reset();
  if (e.packed) e.packed->decoder.reset();
}

// Files still under their path can be opened again; rotated ones might be gone by then. Idle ones
// go first; never the most recent one: its caller is about to read it.
void Registry::close_idle() {
  for (const bool idle_only : {true, false}) {
    for (auto it = std::prev(open_.end()); it != open_.begin() && open_.size() > max_open_;) {
      Entry& candidate = **it--;
      if (!candidate.rotated && (!idle_only || is_idle(candidate))) close(candidate);
    }
  }
}

}  // namespace nines::collector
