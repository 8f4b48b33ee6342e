// Fields of a JSON document that a broker answered with, by pointer ("/error/err_code"). Bounded
// by kMaxJson; what is absent or of another type reads as nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace nines::broker {

inline constexpr size_t kMaxJson = 256 * 1024;

class JsonFields {
 public:
  explicit JsonFields(std::string_view text);
  ~JsonFields();
  bool ok() const;  // it is an object
  std::string text(const char* pointer) const;
  std::optional<int64_t> number(const char* pointer) const;
  bool flag(const char* pointer) const;
  bool has(const char* pointer) const;

 private:
  struct Document;
  std::unique_ptr<Document> document_;
};

// Of a field in base64; empty: it is none.
std::string from_base64(std::string_view text);
// The URL alphabet, without '='.
std::string to_base64_url(std::string_view bytes);

}  // namespace nines::broker
