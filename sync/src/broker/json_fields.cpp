#include "broker/json_fields.hpp"

#include <nlohmann/json.hpp>

namespace nines::broker {

struct JsonFields::Document {
  nlohmann::json json;
  const nlohmann::json* at(const char* pointer) const {
    const nlohmann::json::json_pointer path(pointer);
    return json.contains(path) ? &json.at(path) : nullptr;
  }
};

JsonFields::JsonFields(std::string_view text) : document_(std::make_unique<Document>()) {
  if (text.size() > kMaxJson) return;
  document_->json = nlohmann::json::parse(text.begin(), text.end(), nullptr, false);
}

JsonFields::~JsonFields() = default;

bool JsonFields::ok() const { return document_->json.is_object(); }

std::string JsonFields::text(const char* pointer) const {
  const auto* field = document_->at(pointer);
  return field != nullptr && field->is_string() ? field->get<std::string>() : std::string();
}

std::optional<int64_t> JsonFields::number(const char* pointer) const {
  const auto* field = document_->at(pointer);
  if (field == nullptr || !field->is_number_integer()) return std::nullopt;
  return field->get<int64_t>();
}

bool JsonFields::flag(const char* pointer) const {
  const auto* field = document_->at(pointer);
  return field != nullptr && field->is_boolean() && field->get<bool>();
}

bool JsonFields::has(const char* pointer) const { return document_->at(pointer) != nullptr; }

}  // namespace nines::broker
