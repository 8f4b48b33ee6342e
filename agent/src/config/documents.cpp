#include "config/documents.hpp"

#include <algorithm>
#include <utility>

#include "config/v1alpha.hpp"

namespace nines::agent::config {
namespace {

const std::vector<std::string_view> kOpenSloKinds = {"SLO",
                                                     "SLI",
                                                     "DataSource",
                                                     "Service",
                                                     "AlertPolicy",
                                                     "AlertCondition",
                                                     "AlertNotificationTarget"};

bool alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
}

// OpenSLO asks implementations for RFC 1123 labels at least. Names become labels, addresses and
// file names here, so separators are refused; the rest is only unusual.
void check_name(const YamlNode& node, const std::string& name, Reporter& report) {
  constexpr size_t kMaxLabel = 63;
  constexpr size_t kMaxName = 253;
  const auto label = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  const bool usable = !name.empty() && name.size() <= kMaxName && alphanumeric(name.front()) &&
                      std::all_of(name.begin(), name.end(), [](char c) {
                        return alphanumeric(c) || c == '-' || c == '_' || c == '.';
                      });
  if (!usable) {
    report.error(node, "name " + describe(node) + " cannot be used",
                 "names have letters, digits and '-', for example checkout-availability");
  } else if (name.size() > kMaxLabel || !std::all_of(name.begin(), name.end(), label) ||
             name.back() == '-') {
    report.warning(node,
                   "name '" + name + "' is not a DNS label: other OpenSLO tools may refuse it",
                   "at most 63 lower-case letters, digits and '-'");
  }
}

void read_tier(const YamlNode& node, Metadata& meta, Reporter& report) {
  constexpr std::string_view kNames[] = {"critical", "important", "standard"};
  const YamlNode& value =
      node.kind == YamlNode::Kind::sequence && node.items.size() == 1 ? node.items.front() : node;
  for (int tier = 1; tier <= 3; ++tier) {
    const std::string digit = std::to_string(tier);
    if (value.text == digit || value.text == "tier-" + digit || value.text == kNames[tier - 1]) {
      meta.tier = tier;
      return;
    }
  }
  report.warning(value, "label tier " + describe(value) + " is not used: tiers are 1, 2 and 3",
                 "1 critical, 2 important, 3 standard (the default)");
}

void read_labels(const YamlNode& node, const std::string& title, Metadata& meta, Reporter& report) {
  const MapReader labels(node, "labels of " + title, report);
  for (const auto& entry : node.entries) {
    auto values = read_texts(entry.value, "label '" + entry.key + "'", report);
    if (!values) continue;
    if (entry.key == "tier") read_tier(entry.value, meta, report);
    if (entry.key != "owner") continue;
    for (const auto& owner : *values) meta.owner += (meta.owner.empty() ? "" : ", ") + owner;
  }
}

std::string version_hint(std::string_view version) {
  if (version.starts_with("sloth.slok.dev/") || version.starts_with("pyrra.dev/")) {
    return "nines slo import translates Sloth and Pyrra specs";
  }
  return "Nines reads openslo/v1, openslo/v1alpha and nines/v1alpha1";
}

}  // namespace

Metadata read_metadata(const YamlNode& node, const std::string& title, Reporter& report) {
  Metadata meta;
  MapReader reader(node, "metadata of " + title, report);
  if (const YamlNode* name = reader.require("name")) {
    meta.name = read_text(*name, "metadata.name", report).value_or("");
    if (name->kind == YamlNode::Kind::scalar) check_name(*name, meta.name, report);
  }
  if (const YamlNode* display = reader.find("displayName")) {
    meta.display_name = read_text(*display, "metadata.displayName", report).value_or("");
  }
  const std::string named = meta.name.empty() ? title : "'" + meta.name + "'";
  if (const YamlNode* labels = reader.find("labels")) read_labels(*labels, named, meta, report);
  if (const YamlNode* annotations = reader.find("annotations")) {
    const MapReader map(*annotations, "annotations of " + named, report);
  }
  reader.finish();
  return meta;
}

void skip_envelope(MapReader& reader) {
  reader.find("apiVersion");
  reader.find("kind");
}

void check_description(MapReader& reader, Reporter& report) {
  constexpr size_t kMaxDescription = 1050;
  const YamlNode* node = reader.find("description");
  if (node == nullptr) return;
  const auto text = read_text(*node, "description of " + reader.what(), report);
  if (text && text->size() > kMaxDescription) {
    report.warning(*node, "the description is longer than OpenSLO's 1050 characters");
  }
}

size_t Documents::add_file(std::unique_ptr<YamlFile> file) {
  size_t found = 0;
  for (const auto& node : file->documents) found += add(node);
  files_.push_back(std::move(file));
  return found;
}

size_t Documents::add(const YamlNode& node) {
  const YamlNode* kind = node.get("kind");
  const YamlNode* list = kind != nullptr && kind->text == "List" ? node.get("items") : nullptr;
  if (node.kind == YamlNode::Kind::sequence) list = &node;
  if (list == nullptr || list->kind != YamlNode::Kind::sequence) {
    add_one(node);
    return 1;
  }
  for (const auto& item : list->items) add_one(item);
  return list->items.size();
}

void Documents::add_one(const YamlNode& node) {
  if (documents_.size() >= kMaxDocuments) {
    if (documents_.size() == kMaxDocuments) report_.error(node, "more than 1000 SLO documents");
    return;
  }
  if (is_v1alpha(node)) {
    for (auto& converted : convert_v1alpha(node, report_)) {
      converted_.push_back(std::make_unique<YamlNode>(std::move(converted)));
      auto document = std::make_unique<Document>();
      if (read_envelope(*converted_.back(), *document)) keep(std::move(document));
    }
    return;
  }
  auto document = std::make_unique<Document>();
  if (read_envelope(node, *document)) keep(std::move(document));
}

bool Documents::read_envelope(const YamlNode& node, Document& out) {
  MapReader reader(node, "the document", report_);
  if (!reader.is_map()) return false;
  const size_t errors = report_.errors();
  const std::string way_out = "an SLO begins with apiVersion: openslo/v1 and kind: SLO";
  const YamlNode* version = reader.require("apiVersion", way_out);
  const YamlNode* kind = reader.require("kind", way_out);
  if (version == nullptr || kind == nullptr) return false;
  out.api_version = read_text(*version, "apiVersion", report_).value_or("");
  out.kind = read_text(*kind, "kind", report_).value_or("");
  const bool ours = out.api_version == "nines/v1alpha1";
  if (!ours && out.api_version != "openslo/v1") {
    report_.error(*version, "unknown apiVersion " + describe(*version),
                  version_hint(out.api_version));
    return false;
  }
  const std::vector<std::string_view> kinds =
      ours ? std::vector<std::string_view>{"SLOPolicy"} : kOpenSloKinds;
  if (std::find(kinds.begin(), kinds.end(), out.kind) == kinds.end()) {
    const auto near = nearest(out.kind, kinds);
    report_.error(
        *kind, "unknown kind " + describe(*kind) + " in " + out.api_version,
        near.empty() ? "known kinds: " + join(kinds) : "did you mean '" + std::string(near) + "'?");
    return false;
  }
  const YamlNode* meta = reader.require("metadata");
  if (meta != nullptr) out.meta = read_metadata(*meta, "this " + out.kind, report_);
  out.node = &node;
  out.spec = reader.find("spec");
  // OpenSLO's Service may do without a spec; every other kind is nothing without it.
  static const YamlNode empty_spec = [] {
    YamlNode empty;
    empty.kind = YamlNode::Kind::map;
    return empty;
  }();
  if (out.spec == nullptr && out.kind == "Service") out.spec = &empty_spec;
  if (out.spec == nullptr) report_.error(node, out.title() + " has no 'spec'");
  reader.finish();
  // A broken spec is still read, so that all its problems show at once.
  return out.spec != nullptr && (report_.errors() == errors || !out.meta.name.empty());
}

void Documents::keep(std::unique_ptr<Document> document) {
  const Document* first = find(document->kind, document->meta.name);
  if (first == nullptr) {
    documents_.push_back(std::move(document));
    return;
  }
  const YamlNode* at = document->node->get("metadata");
  const std::string where = first->node->file->path + ":" + std::to_string(first->node->at.line);
  const YamlNode& place =
      at != nullptr && at->get("name") != nullptr ? *at->get("name") : *document->node;
  if (same_content(*first->node, *document->node)) {
    report_.warning(place,
                    document->title() + " is given twice with the same content, first at " + where);
  } else if (document->kind == "Service") {
    // The examples of OpenSLO's own SDK do so, and nothing depends on it.
    report_.warning(place, document->title() + " is given twice, first at " + where,
                    "the first one is used");
  } else {
    report_.error(place, document->title() + " is given twice, first at " + where,
                  "rename one of the two");
  }
}

const Document* Documents::find(std::string_view kind, std::string_view name) const {
  for (const auto& document : documents_) {
    if (document->kind == kind && document->meta.name == name) return document.get();
  }
  return nullptr;
}

std::vector<const Document*> Documents::all(std::string_view kind) const {
  std::vector<const Document*> found;
  for (const auto& document : documents_) {
    if (document->kind == kind) found.push_back(document.get());
  }
  return found;
}

std::string Documents::hint_for(std::string_view kind, std::string_view name) const {
  std::vector<std::string_view> names;
  for (const Document* document : all(kind)) names.push_back(document->meta.name);
  if (names.empty()) return "no " + std::string(kind) + " document was loaded";
  const auto near = nearest(name, names);
  return near.empty() ? "there is: " + join(names) : "did you mean '" + std::string(near) + "'?";
}

}  // namespace nines::agent::config
