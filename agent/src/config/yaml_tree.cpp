#include "config/yaml_tree.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>
#include <unordered_map>
#include <utility>

#include "config/reporter.hpp"

namespace nines::agent::config {
namespace {

constexpr size_t kMaxExpandedBytes = 16 * 1024 * 1024;
constexpr size_t kNodeCost = sizeof(YamlEntry) + 32;

// Thrown through the library's parser, caught in parse_yaml.
struct Stop {
  Position at;
  std::string message, hint;
};

size_t cost_of(const YamlNode& node) {
  size_t cost = kNodeCost + node.text.size();
  for (const auto& item : node.items) cost += cost_of(item);
  for (const auto& entry : node.entries) cost += entry.key.size() + cost_of(entry.value);
  return cost;
}

// Builds YamlNodes from the library's events; duplicates are seen here, before a map hides them.
class Builder : public YAML::EventHandler {
 public:
  Builder(YamlFile& file, Reporter& report) : file_(file), report_(report) {}

  std::optional<YamlNode> take_root() { return std::exchange(root_, std::nullopt); }

  void OnDocumentStart(const YAML::Mark&) override {
    root_.reset();
    stack_.clear();
    anchors_.clear();
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    complete(make(YamlNode::Kind::null, mark), anchor);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    YamlNode node = make(YamlNode::Kind::scalar, mark);
    node.quoted = tag == "!";
    node.text = value;
    spend(node, value.size());
    complete(std::move(node), anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) {
      throw Stop{position(mark), "this alias refers to the node it stands in", {}};
    }
    // The copy keeps the positions of the original: that is where a mistake is to be mended.
    YamlNode copy = found->second.node;
    spend(copy, found->second.cost);
    complete(std::move(copy), 0);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::sequence, mark, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::map, mark, anchor);
  }
  void OnMapEnd() override {
    merge(stack_.back());
    close();
  }

  Position position(const YAML::Mark& mark) const {
    const auto end = std::min(static_cast<size_t>(std::max(mark.pos, 0)), file_.source.size());
    const auto begin = end - std::min(end, static_cast<size_t>(std::max(mark.column, 0)));
    int column = 1;
    for (size_t i = begin; i < end; ++i) {
      if ((static_cast<unsigned char>(file_.source[i]) & 0xC0U) != 0x80U) ++column;
    }
    return {mark.line + 1, column};
  }

 private:
  struct Frame {
    YamlNode node;
    YAML::anchor_t anchor = 0;
    std::optional<YamlEntry> pending;            // map: a key that waits for its value
    std::unordered_map<std::string, int> lines;  // map: key -> line
  };
  struct Anchored {
    YamlNode node;
    size_t cost = 0;
  };

  YamlNode make(YamlNode::Kind kind, const YAML::Mark& mark) {
    YamlNode node;
    node.kind = kind;
    node.at = position(mark);
    node.offset = static_cast<size_t>(std::max(mark.pos, 0));
    node.file = &file_;
    spend(node, kNodeCost);
    return node;
  }

  void spend(const YamlNode& node, size_t bytes) {
    spent_ += bytes;
    if (spent_ > kMaxExpandedBytes) {
      throw Stop{node.at, "the file grows beyond 16 MiB when its aliases are expanded",
                 "write fewer aliases, or split the file"};
    }
  }

  void open(YamlNode::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (stack_.size() >= kMaxDepth) {
      throw Stop{position(mark), "nested deeper than 64 levels", {}};
    }
    Frame frame;
    frame.node = make(kind, mark);
    frame.anchor = anchor;
    stack_.push_back(std::move(frame));
  }

  void close() {
    Frame frame = std::move(stack_.back());
    stack_.pop_back();
    complete(std::move(frame.node), frame.anchor);
  }

  void complete(YamlNode node, YAML::anchor_t anchor) {
    if (anchor != 0) anchors_[anchor] = {node, cost_of(node)};
    if (stack_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& parent = stack_.back();
    if (parent.node.kind == YamlNode::Kind::sequence) {
      parent.node.items.push_back(std::move(node));
    } else if (!parent.pending) {
      start_entry(parent, std::move(node));
    } else {
      finish_entry(parent, std::move(node));
    }
  }

  void start_entry(Frame& map, YamlNode key) {
    if (key.kind != YamlNode::Kind::scalar) {
      report_.error(key, "a key must be a text, found " + describe(key));
    }
    map.pending = YamlEntry{std::move(key.text), key.at, {}};
  }

  void finish_entry(Frame& map, YamlNode value) {
    YamlEntry entry = std::move(*map.pending);
    map.pending.reset();
    const auto [first, fresh] = map.lines.emplace(entry.key, entry.at.line);
    if (!fresh) {
      report_.add(Diagnostic::Severity::error, file_.path, entry.at,
                  "duplicate key '" + entry.key + "', already given on line " +
                      std::to_string(first->second),
                  "keep one of the two");
      return;
    }
    entry.value = std::move(value);
    map.node.entries.push_back(std::move(entry));
  }

  // "<<: *base" and "<<: [*a, *b]": keys given here win over merged ones.
  static void merge(Frame& map) {
    auto& entries = map.node.entries;
    const auto found = std::find_if(entries.begin(), entries.end(),
                                    [](const YamlEntry& e) { return e.key == "<<"; });
    if (found == entries.end()) return;
    const YamlNode source = std::move(found->value);
    entries.erase(found);
    const auto add_from = [&](const YamlNode& from) {
      for (const auto& entry : from.entries) {
        if (map.lines.emplace(entry.key, entry.at.line).second) entries.push_back(entry);
      }
    };
    add_from(source);
    for (const auto& item : source.items) add_from(item);
  }

  YamlFile& file_;
  Reporter& report_;
  std::optional<YamlNode> root_;
  std::vector<Frame> stack_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  size_t spent_ = 0;
};

// Offset of the first byte that is not UTF-8 text, npos when all are. The library would replace
// such bytes and thereby shift every position behind them.
size_t first_bad_byte(std::string_view s) {
  for (size_t i = 0; i < s.size();) {
    const auto lead = static_cast<unsigned char>(s[i]);
    const size_t length = lead < 0x80   ? 1
                          : lead < 0xC2 ? 0
                          : lead < 0xE0 ? 2
                          : lead < 0xF0 ? 3
                          : lead < 0xF5 ? 4
                                        : 0;
    if (length == 0 || lead == 0 || i + length > s.size()) return i;
    for (size_t k = 1; k < length; ++k) {
      if ((static_cast<unsigned char>(s[i + k]) & 0xC0U) != 0x80U) return i;
    }
    i += length;
  }
  return std::string_view::npos;
}

Position position_of(std::string_view source, size_t offset) {
  Position at{1, 1};
  for (size_t i = 0; i < offset && i < source.size(); ++i) {
    if (source[i] == '\n') {
      ++at.line;
      at.column = 1;
    } else if ((static_cast<unsigned char>(source[i]) & 0xC0U) != 0x80U) {
      ++at.column;
    }
  }
  return at;
}

bool acceptable(const YamlFile& file, Reporter& report) {
  if (file.source.size() > kMaxFileBytes) {
    report.add(Diagnostic::Severity::error, file.path, {}, "the file is larger than 1 MiB",
               "split it into several files of one folder");
    return false;
  }
  const size_t bad = first_bad_byte(file.source);
  if (bad == std::string_view::npos) return true;
  report.add(Diagnostic::Severity::error, file.path, position_of(file.source, bad),
             "this byte is not UTF-8 text", "save the file as UTF-8");
  return false;
}

// The most common mistake, for which the library's own message is of no help.
std::optional<size_t> tab_indenting(std::string_view source, int line) {
  size_t start = 0;
  for (; line > 1 && start < source.size(); ++start) line -= source[start] == '\n';
  const size_t text = source.find_first_not_of(" \t", start);
  const size_t tab = source.find('\t', start);
  return tab < text ? std::optional(tab) : std::nullopt;
}

void report_library_error(const YamlFile& file, const YAML::Exception& e, const Builder& builder,
                          Reporter& report) {
  if (e.mark.is_null()) {
    report.add(Diagnostic::Severity::error, file.path, {}, "not valid YAML: " + e.msg);
  } else if (const auto tab = tab_indenting(file.source, e.mark.line + 1)) {
    report.add(Diagnostic::Severity::error, file.path, position_of(file.source, *tab),
               "not valid YAML: a tab in the indentation", "indent with spaces");
  } else {
    report.add(Diagnostic::Severity::error, file.path, builder.position(e.mark),
               "not valid YAML: " + e.msg,
               "look at the indentation, quotes and brackets here and on the line above");
  }
}

void read_documents(YamlFile& file, Builder& builder) {
  std::istringstream in(file.source);
  YAML::Parser parser(in);
  while (parser.HandleNextDocument(builder)) {
    std::optional<YamlNode> root = builder.take_root();
    if (!root || root->is_null()) continue;
    if (file.documents.size() >= kMaxDocuments) {
      throw Stop{root->at, "more than 1000 documents in one file", "split the file"};
    }
    file.documents.push_back(std::move(*root));
  }
}

}  // namespace

const YamlNode* YamlNode::get(std::string_view key) const {
  for (const auto& entry : entries) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

std::string describe(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::null: return "nothing";
    case YamlNode::Kind::sequence: return "a list";
    case YamlNode::Kind::map: return "a map";
    case YamlNode::Kind::scalar: break;
  }
  constexpr size_t kShown = 60;
  return "'" + (node.text.size() > kShown ? node.text.substr(0, kShown) + "..." : node.text) + "'";
}

bool same_content(const YamlNode& a, const YamlNode& b) {
  if (a.kind != b.kind || a.text != b.text || a.items.size() != b.items.size() ||
      a.entries.size() != b.entries.size()) {
    return false;
  }
  for (size_t i = 0; i < a.items.size(); ++i) {
    if (!same_content(a.items[i], b.items[i])) return false;
  }
  return std::all_of(a.entries.begin(), a.entries.end(), [&](const YamlEntry& entry) {
    const YamlNode* other = b.get(entry.key);
    return other != nullptr && same_content(entry.value, *other);
  });
}

std::unique_ptr<YamlFile> parse_yaml(std::string path, std::string source, Reporter& report) {
  auto file = std::make_unique<YamlFile>();
  file->path = std::move(path);
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (source.starts_with(kByteOrderMark)) source.erase(0, kByteOrderMark.size());
  file->source = std::move(source);
  if (!acceptable(*file, report)) return file;
  Builder builder(*file, report);
  const auto fail = [&](Position at, std::string message, std::string hint) {
    report.add(Diagnostic::Severity::error, file->path, at, std::move(message), std::move(hint));
  };
  try {
    read_documents(*file, builder);
  } catch (const Stop& stop) {
    fail(stop.at, stop.message, stop.hint);
  } catch (const YAML::Exception& e) {
    report_library_error(*file, e, builder, report);
  } catch (const std::exception& e) {
    fail({}, std::string("not valid YAML: ") + e.what(), {});
  }
  return file;
}

Position position_within(const YamlNode& scalar, size_t offset) {
  const std::string_view source = scalar.file->source;
  const std::string_view value = scalar.text;
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; };
  size_t s = scalar.offset;
  const char style = s < source.size() ? source[s] : ' ';
  if (style == '"' || style == '\'') ++s;
  if (style == '|' || style == '>') s = std::min(source.find('\n', s), source.size());
  for (size_t v = 0; s < source.size() && v <= value.size();) {
    const bool at_break = is_space(source[s]) && (v == value.size() || source[s] != value[v]);
    if (style == '\'' && source.substr(s, 2) == "''" && v < value.size() && value[v] == '\'') {
      if (v == offset) break;
      s += 2;
      ++v;
    } else if (style == '"' && source[s] == '\\' && v < value.size()) {
      if (v == offset) break;
      s += 2;
      ++v;
    } else if (v < value.size() && source[s] == value[v]) {
      if (v == offset) break;
      ++s;
      ++v;
    } else if (v < value.size() && is_space(value[v]) && at_break) {
      if (v == offset) break;
      while (s < source.size() && is_space(source[s])) ++s;
      ++v;
    } else if (at_break) {
      ++s;
    } else {
      return v == value.size() ? position_of(source, s) : scalar.at;
    }
    if (v == value.size() && offset >= v) break;
  }
  return position_of(source, s);
}

}  // namespace nines::agent::config
