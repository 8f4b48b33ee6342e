#include "remedy/csv.hpp"

#include <algorithm>

namespace nines::agent::remedy {

CsvReader::CsvReader(std::string_view text) : rest_(text) {
  if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);  // as spreadsheets begin it
}

void CsvReader::step(size_t bytes) noexcept {
  for (size_t i = 0; i < bytes; ++i) {
    ++at_.column;
    if (rest_[i] == '\n') at_ = {at_.line + 1, 1};
  }
  rest_.remove_prefix(bytes);
}

Result<CsvField> CsvReader::next() {
  CsvField out;
  out.place = at_;
  NINES_TRY(out.text, rest_.starts_with('"') ? quoted() : bare());
  open_ = rest_.starts_with(',');
  out.last = !open_;
  if (open_ || rest_.starts_with('\n')) {
    step(1);
  } else if (rest_.starts_with("\r\n")) {
    step(2);
  } else if (!rest_.empty()) {
    return Error{Errc::invalid_argument, "after a closing quote there must be a comma"};
  }
  return out;
}

Result<std::string> CsvReader::quoted() {
  const CsvPlace begin = at_;
  std::string out;
  step(1);
  while (true) {
    const size_t quote = rest_.find('"');
    if (quote == std::string_view::npos) {
      at_ = begin;
      return Error{Errc::invalid_argument, "the quote that is opened here is never closed"};
    }
    out.append(rest_.substr(0, quote));
    step(quote + 1);
    if (!rest_.starts_with('"')) return out;
    out += '"';
    step(1);
  }
}

Result<std::string> CsvReader::bare() {
  size_t end = std::min(rest_.find_first_of(",\n\""), rest_.size());
  if (end < rest_.size() && rest_[end] == '"') {
    step(end);
    return Error{Errc::invalid_argument, "a quote within a field: quote the whole field"};
  }
  const bool crlf = end < rest_.size() && rest_[end] == '\n' && end > 0 && rest_[end - 1] == '\r';
  if (crlf) --end;
  std::string out(rest_.substr(0, end));
  step(end);
  return out;
}

}  // namespace nines::agent::remedy
