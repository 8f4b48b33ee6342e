// Which keys of a JSON object or logfmt line somebody wants: exact names, nested names (a.b is the
// literal key "a.b" as well as b within a) and the aliases of the fields known everywhere.
// Immutable after construction.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nines::log {

// A value that several keys may give. Rank 0 is the exact name, the others are aliases in order.
enum class GroupKind : uint8_t { plain, time, level, text, raw };
struct Target {
  uint16_t group;
  uint8_t rank;
};

class KeyTree {
 public:
  struct Key {
    std::string name;
    std::vector<Target> targets;
    int child = -1;  // node of the keys wanted within this one's object
  };
  // Keys of one object by hash. Most keys of a line are not wanted: one probe refuses them.
  class Node {
   public:
    const Key* find(std::string_view name) const noexcept {
      const unsigned h = hash(name);
      for (unsigned i = start_[h]; i < start_[h + 1]; ++i) {
        if (keys_[i].name == name) return &keys_[i];
      }
      return nullptr;
    }

   private:
    friend class KeyTree;
    static unsigned hash(std::string_view name) noexcept {
      if (name.empty()) return 0;
      const auto byte = [&](size_t i) {
        return static_cast<unsigned>(static_cast<uint8_t>(name[i]));
      };
      return (static_cast<unsigned>(name.size()) * 7 + byte(0) * 5 + byte(name.size() - 1) +
              byte(name.size() / 2) * 3) &
             (kBuckets - 1);
    }
    static constexpr unsigned kBuckets = 256;
    std::vector<Key> keys_;  // sorted by hash
    uint16_t start_[kBuckets + 1] = {};
  };

  // One group per wanted name, in order (equal names share the first one's), then one for the
  // time stamp if nobody wants it by name, unless `with_time` is false.
  KeyTree(std::span<const std::string> wanted, bool nested, bool with_time = true);

  const Node& root() const noexcept { return nodes_[0]; }
  const Node& node(int index) const noexcept { return nodes_[static_cast<size_t>(index)]; }
  std::span<const GroupKind> groups() const noexcept { return kinds_; }
  size_t time_group() const noexcept { return time_group_; }
  // The exact name of a group.
  const std::string& name(size_t group) const noexcept { return names_[group]; }
  // The group of wanted[i].
  size_t group_of(size_t i) const noexcept { return group_of_[i]; }

 private:
  void add(int node, std::string_view name, Target target, int& budget);
  void add_group(const std::string& name);
  size_t key_index(int node, std::string_view name);
  void seal();

  std::vector<Node> nodes_;
  std::vector<GroupKind> kinds_;
  std::vector<std::string> names_;
  std::vector<size_t> group_of_;
  size_t time_group_ = 0;
  bool nested_;
};

// Longer names with escapes are nobody's field and are not listed.
inline constexpr size_t kMaxNameBytes = 256;

// The names a known field goes by, the canonical one first; empty for other fields.
std::span<const std::string_view> aliases_of(std::string_view field) noexcept;
GroupKind group_kind(std::string_view field) noexcept;

}  // namespace nines::log
