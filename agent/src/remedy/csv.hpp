// Csv: fields of RFC 4180 one by one, each with its place, from hostile text. Pure.
#pragma once

#include <string>
#include <string_view>

#include "nines/base/result.hpp"

namespace nines::agent::remedy {

struct CsvPlace {
  size_t line = 1, column = 1;  // of the first byte, counted in bytes
};

struct CsvField {
  std::string text;
  CsvPlace place;
  bool last = false;  // of its line
};

class CsvReader {
 public:
  explicit CsvReader(std::string_view text);
  bool done() const noexcept { return rest_.empty() && !open_; }
  const CsvPlace& place() const noexcept { return at_; }
  // REQUIRES !done(). The error of what is no CSV; place() is where.
  Result<CsvField> next();

 private:
  Result<std::string> quoted();
  Result<std::string> bare();
  void step(size_t bytes) noexcept;

  std::string_view rest_;
  CsvPlace at_;
  bool open_ = false;  // behind a comma: one more field, even if nothing is left
};

}  // namespace nines::agent::remedy
