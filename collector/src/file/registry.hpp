// Owns the entries: found by device and inode, by path and by key; bounded in number. Also keeps
// the number of open descriptors within its limit, closing idle live files least recently used.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "file/entry.hpp"

namespace nines::collector {

class Registry {
 public:
  Registry(size_t max_files, size_t max_open) : max_files_(max_files), max_open_(max_open) {}

  const std::vector<std::unique_ptr<Entry>>& all() const noexcept { return entries_; }
  bool full() const noexcept { return entries_.size() >= max_files_; }

  // nullptr: full. The entry gets a key that no other entry has.
  Entry* create(uint64_t dev, uint64_t ino);
  // A saved one, with its key and inode set. False: the key is taken or there is no room.
  bool restore(std::unique_ptr<Entry> entry);
  // Frees its memory at the next bury() (callers up the stack may still hold it).
  void erase(Entry& entry);
  void bury() { graveyard_.clear(); }

  Entry* find(uint64_t dev, uint64_t ino) const;
  // The entry leaves its inode and takes that one (0: none).
  void bind(Entry& entry, uint64_t dev, uint64_t ino);

  Entry* at(const std::string& path) const;
  void set_path(const std::string& path, Entry& entry) { by_path_[path] = &entry; }
  void clear_paths() { by_path_.clear(); }

  void use(Entry& entry, UniqueFd fd);  // now open, or used once more
  void touch(Entry& entry);
  void close(Entry& entry);
  const std::list<Entry*>& open() const noexcept { return open_; }
  size_t open_count() const noexcept { return open_.size(); }

 private:
  struct Node {
    uint64_t dev, ino;
    bool operator==(const Node&) const = default;
  };
  struct NodeHash {
    size_t operator()(const Node& n) const noexcept {
      return static_cast<size_t>((n.ino * 0x9e3779b97f4a7c15ULL) ^ (n.dev * 0xff51afd7ed558ccdULL));
    }
  };

  void add(std::unique_ptr<Entry> entry);
  void close_idle();

  size_t max_files_, max_open_;
  std::vector<std::unique_ptr<Entry>> entries_, graveyard_;
  std::unordered_map<Node, Entry*, NodeHash> by_node_;
  std::unordered_map<std::string, Entry*> by_path_;
  std::unordered_set<std::string> keys_;
  std::list<Entry*> open_;  // most recently used first
};

}  // namespace nines::collector
