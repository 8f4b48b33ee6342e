#include "file/glob.hpp"

#include <cerrno>
#include <optional>

#include "file/fs.hpp"

namespace nines::collector {
namespace {

bool has_wildcard(std::string_view text) noexcept {
  return text.find_first_of("*?[\\") != std::string_view::npos;
}

struct ClassMatch {
  bool matched;
  size_t length;  // of the class in the pattern, 0: not a class ('[' is a literal)
};

ClassMatch match_class(std::string_view pattern, char c) noexcept {
  size_t i = 1;
  const bool negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
  if (negated) ++i;
  bool matched = false;
  const size_t first = i;
  for (; i < pattern.size() && (pattern[i] != ']' || i == first); ++i) {
    if (i + 2 < pattern.size() && pattern[i + 1] == '-' && pattern[i + 2] != ']') {
      matched = matched || (pattern[i] <= c && c <= pattern[i + 2]);
      i += 2;
    } else {
      matched = matched || pattern[i] == c;
    }
  }
  if (i >= pattern.size()) return {false, 0};
  return {matched != negated, i + 1};
}

// How many pattern characters match `c` at the front of `pattern` (which is not '*'); 0: none.
size_t match_one(std::string_view pattern, char c) noexcept {
  if (pattern.empty()) return 0;
  if (pattern[0] == '?') return 1;
  if (pattern[0] == '[') {
    const ClassMatch m = match_class(pattern, c);
    if (m.length > 0) return m.matched ? m.length : 0;
  }
  if (pattern[0] == '\\' && pattern.size() > 1) return pattern[1] == c ? 2 : 0;
  return pattern[0] == c ? 1 : 0;
}

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> out;
  while (!path.empty()) {
    const size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    if (!part.empty() && part != ".") out.emplace_back(part);
    if (slash == std::string_view::npos) break;
    path.remove_prefix(slash + 1);
  }
  return out;
}

bool match_parts(const std::vector<std::string>& pattern, size_t p,
                 const std::vector<std::string>& path, size_t i) {
  for (; p < pattern.size(); ++p, ++i) {
    if (pattern[p] == "**") {
      for (size_t skip = i; skip <= path.size(); ++skip) {
        if (match_parts(pattern, p + 1, path, skip)) return true;
        if (skip < path.size() && path[skip].front() == '.') break;
      }
      return false;
    }
    if (i >= path.size() || !match_component(pattern[p], path[i])) return false;
  }
  return i == path.size();
}

// The end of the brace group that opens at `open`, and its top-level alternatives.
std::optional<size_t> split_group(std::string_view text, size_t open,
                                  std::vector<std::string_view>& alternatives) {
  int depth = 0;
  size_t start = open + 1;
  for (size_t i = open; i < text.size(); ++i) {
    if (text[i] == '{') ++depth;
    if (text[i] == '}') --depth;
    if ((text[i] == ',' && depth == 1) || depth == 0) {
      alternatives.push_back(text.substr(start, i - start));
      start = i + 1;
    }
    if (depth == 0) return i;
  }
  return std::nullopt;
}

void expand_into(std::string_view pattern, std::vector<std::string>& out) {
  const size_t open = pattern.find('{');
  std::vector<std::string_view> alternatives;
  const auto close =
      open == std::string_view::npos ? std::nullopt : split_group(pattern, open, alternatives);
  if (!close || out.size() >= kMaxBraceExpansions) {
    if (out.size() < kMaxBraceExpansions) out.emplace_back(pattern);
    return;
  }
  for (const std::string_view alternative : alternatives) {
    std::string next(pattern.substr(0, open));
    next.append(alternative).append(pattern.substr(*close + 1));
    expand_into(next, out);
  }
}

}  // namespace

bool match_component(std::string_view pattern, std::string_view name) noexcept {
  if (!name.empty() && name[0] == '.' && !pattern.starts_with('.') && !pattern.starts_with("\\.")) {
    return false;
  }
  size_t p = 0, n = 0;
  size_t star = std::string_view::npos, star_name = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_name = n;
    } else if (const size_t used = match_one(pattern.substr(p), name[n]); used > 0) {
      p += used;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++star_name;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::vector<std::string> expand_braces(std::string_view pattern) {
  std::vector<std::string> out;
  expand_into(pattern, out);
  return out;
}

Glob::Glob(std::string_view pattern)
    : components_(split(pattern)),
      absolute_(pattern.starts_with('/')),
      name_only_(pattern.find('/') == std::string_view::npos) {
  if (!components_.empty() && components_.back() == "**") components_.emplace_back("*");
}

std::vector<Glob> Glob::parse(std::string_view pattern) {
  std::vector<Glob> out;
  for (const std::string& one : expand_braces(pattern)) {
    if (!one.empty()) out.emplace_back(one);
  }
  return out;
}

bool Glob::match(std::string_view path) const {
  const std::vector<std::string> parts = split(path);
  if (parts.empty()) return false;
  if (name_only_ && components_.size() == 1 && match_component(components_[0], parts.back())) {
    return true;
  }
  return absolute_ == path.starts_with('/') && match_parts(components_, 0, parts, 0);
}

void Glob::expand(DirCache& dirs, const Visitor& visitor) const {
  if (!components_.empty()) walk(absolute_ ? "/" : "", 0, 0, dirs, visitor);
}

void Glob::walk(const std::string& base, size_t component, int depth, DirCache& dirs,
                const Visitor& visitor) const {
  const std::string& pattern = components_[component];
  if (pattern == "**") return walk_any_depth(base, component, depth, dirs, visitor);
  const bool last = component + 1 == components_.size();
  if (!has_wildcard(pattern)) {
    if (!last) return walk(join(base, pattern), component + 1, depth, dirs, visitor);
    visitor.directory(base);
    return visitor.file(join(base, pattern));
  }
  visitor.directory(base);
  const DirCache::Listing& listing = dirs.list(base);
  if (listing.error != 0) return visitor.failed(base, listing.error);
  for (const DirCache::Item& item : listing.items) {
    if (!match_component(pattern, item.name)) continue;
    if (last && item.kind != DirCache::Kind::directory && item.kind != DirCache::Kind::other) {
      visitor.file(join(base, item.name));
    } else if (!last && (item.kind == DirCache::Kind::directory ||
                         item.kind == DirCache::Kind::link_or_unknown)) {
      walk(join(base, item.name), component + 1, depth, dirs, visitor);
    }
  }
}

// Symbolic links to directories are not followed here: they could lead in circles.
void Glob::walk_any_depth(const std::string& base, size_t component, int depth, DirCache& dirs,
                          const Visitor& visitor) const {
  walk(base, component + 1, depth, dirs, visitor);
  visitor.directory(base);
  const DirCache::Listing& listing = dirs.list(base);
  if (listing.error != 0) return visitor.failed(base, listing.error);
  if (depth >= kMaxGlobDepth) return;
  for (const DirCache::Item& item : listing.items) {
    if (item.kind == DirCache::Kind::directory && item.name.front() != '.') {
      walk(join(base, item.name), component, depth + 1, dirs, visitor);
    }
  }
}

}  // namespace nines::collector
