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

}  // namespace nines::broker
