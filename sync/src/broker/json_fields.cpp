#include "broker/json_fields.hpp"

#include <openssl/evp.h>

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

std::string from_base64(std::string_view text) {
  if (text.size() % 4 != 0 || text.size() > kMaxJson || text.empty()) return {};
  std::string out(text.size() / 4 * 3, '\0');
  const auto* in = reinterpret_cast<const unsigned char*>(text.data());
  const int bytes = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()), in,
                                    static_cast<int>(text.size()));
  if (bytes < 0) return {};
  out.resize(static_cast<size_t>(bytes) - (text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0));
  return out;
}

std::string to_base64_url(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const auto* in = reinterpret_cast<const unsigned char*>(bytes.data());
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), in,
                                   static_cast<int>(bytes.size()));
  out.resize(static_cast<size_t>(size));
  while (out.ends_with('=')) out.pop_back();
  for (char& c : out) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return out;
}

}  // namespace nines::broker
