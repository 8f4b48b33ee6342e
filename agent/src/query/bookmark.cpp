#include "query/bookmark.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>
#include <string_view>

namespace nines::agent::query {
namespace {

constexpr std::string_view kVersion = "1";
constexpr size_t kPieceBytes = 60'000;  // a document has at most 64 KiB

// Texts of any bytes: length, ":", the bytes.
void append(std::string& out, std::string_view text) {
  out += std::to_string(text.size());
  out += ':';
  out += text;
}

class Texts {
 public:
  explicit Texts(std::string_view in) : in_(in) {}

  std::optional<std::string_view> next() {
    size_t size = 0;
    const char* const end = in_.data() + in_.size();
    const auto [rest, error] = std::from_chars(in_.data(), end, size);
    if (error != std::errc() || rest == end || *rest != ':') return std::nullopt;
    in_.remove_prefix(static_cast<size_t>(rest - in_.data()) + 1);
    if (size > in_.size()) return std::nullopt;
    const std::string_view text = in_.substr(0, size);
    in_.remove_prefix(size);
    return text;
  }
  std::optional<int64_t> number() {
    const auto text = next();
    int64_t out = 0;
    if (!text) return std::nullopt;
    const auto [rest, error] = std::from_chars(text->data(), text->data() + text->size(), out);
    if (error != std::errc() || rest != text->data() + text->size()) return std::nullopt;
    return out;
  }
  bool at_end() const { return in_.empty(); }

 private:
  std::string_view in_;
};

// NAME/000, NAME/001, ...; no name has a slash.
std::string key_of(const std::string& name, size_t piece) {
  char number[24];
  std::snprintf(number, sizeof number, "/%03zu", piece);
  return name + number;
}

std::string name_of(const std::string& key) { return key.substr(0, key.find('/')); }

}  // namespace

std::map<std::string, Bookmark> Bookmark::decode(const std::vector<store::Document>& documents) {
  std::map<std::string, std::string> bodies;
  std::map<std::string, size_t> pieces;
  for (const store::Document& document : documents) {  // by key
    const std::string name = name_of(document.key);
    bodies[name] += document.body;
    ++pieces[name];
  }
  std::map<std::string, Bookmark> out;
  for (const auto& [name, body] : bodies) {
    Bookmark bookmark;
    if (!bookmark.read(body)) continue;
    bookmark.pieces_ = pieces[name];
    out.emplace(name, std::move(bookmark));
  }
  return out;
}

std::vector<store::Document> Bookmark::forget_others(const std::vector<store::Document>& documents,
                                                     const std::vector<std::string>& names) {
  std::vector<store::Document> out;
  for (const store::Document& document : documents) {
    const bool known = std::find(names.begin(), names.end(), name_of(document.key)) != names.end();
    if (!known) out.push_back({kBookmarkKind, document.key, {}});
  }
  return out;
}

bool Bookmark::apply(const std::vector<SourcePositions>& changes) {
  bool changed = false;
  for (const SourcePositions& source : changes) {
    for (const slo::Position& position : source.positions) {
      auto& kept = sources_[source.source];
      if (position.state.empty()) {
        changed = kept.erase(position.key) > 0 || changed;
        continue;
      }
      std::string& state = kept[position.key];
      changed = changed || state != position.state;
      state = position.state;
    }
  }
  return changed;
}

void Bookmark::retain(const std::vector<std::string>& sources) {
  std::erase_if(sources_, [&](const auto& kept) {
    return std::find(sources.begin(), sources.end(), kept.first) == sources.end();
  });
}

std::vector<SourcePositions> Bookmark::positions() const {
  std::vector<SourcePositions> out;
  for (const auto& [source, states] : sources_) {
    out.push_back({source, {}});
    for (const auto& [key, state] : states) out.back().positions.push_back({key, state});
  }
  return out;
}

std::vector<store::Document> Bookmark::documents(const std::string& name) {
  const std::string body = write();
  std::vector<store::Document> out;
  for (size_t at = 0; at < body.size(); at += kPieceBytes) {
    out.push_back({kBookmarkKind, key_of(name, out.size()), body.substr(at, kPieceBytes)});
  }
  const size_t now = out.size();
  for (size_t piece = now; piece < pieces_; ++piece) {
    out.push_back({kBookmarkKind, key_of(name, piece), {}});
  }
  pieces_ = now;
  return out;
}

std::string Bookmark::write() const {
  std::string out;
  append(out, kVersion);
  append(out, std::to_string(run_at_.ns));
  append(out, std::to_string(sources_.size()));
  for (const auto& [source, states] : sources_) {
    append(out, source);
    append(out, std::to_string(states.size()));
    for (const auto& [key, state] : states) {
      append(out, key);
      append(out, state);
    }
  }
  return out;
}

bool Bookmark::read(std::string_view body) {
  Texts in(body);
  if (in.next() != kVersion) return false;
  const auto at = in.number(), sources = in.number();
  if (!at || !sources) return false;
  run_at_.ns = *at;
  for (int64_t i = 0; i < *sources; ++i) {
    const auto source = in.next();
    const auto count = in.number();
    if (!source || !count) return false;
    auto& states = sources_[std::string(*source)];
    for (int64_t k = 0; k < *count; ++k) {
      const auto key = in.next(), state = in.next();
      if (!key || !state) return false;
      states.emplace(*key, *state);
    }
  }
  return in.at_end();
}

}  // namespace nines::agent::query
