// SLO documents by kind and name, before their meaning is read: envelope, metadata, duplicates.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/reader.hpp"
#include "config/yaml_tree.hpp"

namespace nines::agent::config {

struct Metadata {
  std::string name, display_name, owner;
  std::optional<int> tier;
};

struct Document {
  std::string api_version, kind;
  Metadata meta;
  const YamlNode* node = nullptr;  // whole document
  const YamlNode* spec = nullptr;  // never null
  // "SLO 'x'"
  std::string title() const { return kind + " '" + meta.name + "'"; }
};

// name, displayName, labels {tier, owner}, annotations. `title` names the document in messages.
Metadata read_metadata(const YamlNode& node, const std::string& title, Reporter& report);

// Owns the parsed files; documents point into them.
class Documents {
 public:
  explicit Documents(Reporter& report) : report_(report) {}

  // Returns how many documents the file held. A document may be a list of documents, or of kind
  // List with items.
  size_t add_file(std::unique_ptr<YamlFile> file);
  // nullptr when there is none.
  const Document* find(std::string_view kind, std::string_view name) const;
  // In the order they were read.
  std::vector<const Document*> all(std::string_view kind) const;
  // "did you mean 'x'?" or what there is, for a missing reference.
  std::string hint_for(std::string_view kind, std::string_view name) const;
  size_t size() const { return documents_.size(); }

  // Names that an AlertNotificationTarget may have: those of the webhooks of nines.yaml.
  void set_notifiers(std::vector<std::string> names) { notifiers_ = std::move(names); }
  const std::vector<std::string>& notifiers() const { return notifiers_; }

 private:
  size_t add(const YamlNode& node);
  void add_one(const YamlNode& node);
  bool read_envelope(const YamlNode& node, Document& out);
  void keep(std::unique_ptr<Document> document);

  Reporter& report_;
  std::vector<std::unique_ptr<YamlFile>> files_;
  std::vector<std::unique_ptr<Document>> documents_;
  std::vector<std::unique_ptr<YamlNode>> converted_;  // from openslo/v1alpha
  std::vector<std::string> notifiers_;
};

// Inline documents (indicator, alert policy, condition) may carry an envelope; reads it away.
void skip_envelope(MapReader& reader);
void check_description(MapReader& reader, Reporter& report);

}  // namespace nines::agent::config
