// YAML as plain data with positions: the one place that knows the YAML library. A tree owns its
// texts; every node knows the file it came from, so a diagnostic needs nothing but the node.
//
// Bounds: 1 MiB a file, depth 64, 1000 documents, 16 MiB after aliases are expanded (the "billion
// laughs" file stops there with a diagnostic). JSON is read as the YAML it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace nines::agent::config {

class Reporter;

inline constexpr size_t kMaxFileBytes = 1024 * 1024;
inline constexpr size_t kMaxDepth = 64;
inline constexpr size_t kMaxDocuments = 1000;

// 1-based line and column; columns count characters, as editors do.
struct Position {
  int line = 0, column = 0;
};

struct YamlEntry;
struct YamlFile;

struct YamlNode {
  enum class Kind : uint8_t { null, scalar, sequence, map };
  Kind kind = Kind::null;
  bool quoted = false;
  Position at;
  size_t offset = 0;  // of the first byte in file->source
  const YamlFile* file = nullptr;
  std::string text;                // scalar
  std::vector<YamlNode> items;     // sequence
  std::vector<YamlEntry> entries;  // map, in the order of the file, keys unique

  bool is_null() const { return kind == Kind::null; }
  // Value of a key, nullptr when absent.
  const YamlNode* get(std::string_view key) const;
};

struct YamlEntry {
  std::string key;
  Position at;
  YamlNode value;
};

struct YamlFile {
  std::string path, source;
  std::vector<YamlNode> documents;  // empty documents are left out
};

// "a list", "a text ('10x')"...: what a person sees at that place of the file.
std::string describe(const YamlNode& node);
// Equal content, wherever it stands and however it is quoted.
bool same_content(const YamlNode& a, const YamlNode& b);

// Never fails as a whole: what cannot be read is reported, what came before it is kept. The result
// is at a stable address because its nodes point to it.
std::unique_ptr<YamlFile> parse_yaml(std::string path, std::string source, Reporter& report);

// Where byte `offset` of a scalar's value stands in its file: follows quoting, folding and block
// indentation as far as they keep characters apart, else gives the start of the scalar.
Position position_within(const YamlNode& scalar, size_t offset);

}  // namespace nines::agent::config
