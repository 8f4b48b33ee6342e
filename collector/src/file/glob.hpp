// Path patterns: * ? [..] within one component, ** for any number of directories, {a,b} anywhere.
// As in a shell, a wildcard at the start of a component does not match a leading dot.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace nines::collector {

class DirCache;

inline constexpr size_t kMaxBraceExpansions = 256;  // further alternatives are not expanded
inline constexpr int kMaxGlobDepth = 24;            // of directories below a **

// One component against one name. Time is O(pattern * name) at worst.
bool match_component(std::string_view pattern, std::string_view name) noexcept;

// "a{b,c{d,e}}" -> ab acd ace. An unbalanced brace is a literal.
std::vector<std::string> expand_braces(std::string_view pattern);

class Glob {
 public:
  struct Visitor {
    std::function<void(const std::string& path)> file;       // exists in a listing, or is literal
    std::function<void(const std::string& path)> directory;  // before it is listed
    std::function<void(const std::string& path, int error)> failed;
  };

  explicit Glob(std::string_view pattern);  // without braces
  static std::vector<Glob> parse(std::string_view pattern);

  // A pattern without '/' matches the last component (for excludes such as *.gz).
  bool match(std::string_view path) const;
  void expand(DirCache& dirs, const Visitor& visitor) const;

 private:
  void walk(const std::string& base, size_t component, int depth, DirCache& dirs,
            const Visitor& visitor) const;
  void walk_any_depth(const std::string& base, size_t component, int depth, DirCache& dirs,
                      const Visitor& visitor) const;

  std::vector<std::string> components_;
  bool absolute_ = false;
  bool name_only_ = false;
};

}  // namespace nines::collector
