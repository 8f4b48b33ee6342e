#include "query/output.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "nines/base/json_writer.hpp"
#include "query/value_json.hpp"
#include "view/text.hpp"

namespace nines::agent::query {
namespace {

namespace nq = nines::query;

constexpr size_t kFlushBytes = 64 * 1024;

class Buffered : public AnswerWriter {
 public:
  explicit Buffered(std::function<bool(std::string_view)> write) : write_(std::move(write)) {}

  bool flush() override {
    open_ = open_ && (out_.empty() || write_(out_));
    out_.clear();
    return open_;
  }

 protected:
  bool flush_when_full() { return out_.size() < kFlushBytes || flush(); }
  std::string out_;

 private:
  std::function<bool(std::string_view)> write_;
  bool open_ = true;
};

class Json final : public Buffered {
 public:
  using Buffered::Buffered;

  void begin(const std::vector<std::string>& columns) override {
    columns_ = columns;
    out_ += "{\"columns\":[";
    for (size_t i = 0; i < columns.size(); ++i) {
      if (i > 0) out_ += ',';
      append_json_string(out_, columns[i]);
    }
    out_ += "],\"data\":[";
  }
  bool take(const nq::Row& row) override {
    out_ += rows_++ == 0 ? "\n" : ",\n";
    append_row_json(out_, columns_, row);
    return flush_when_full();
  }
  void end(const Answer& answer) override {
    if (columns_.empty()) begin({});
    const std::string summary = answer_json(answer);
    out_ += "],\n";
    out_.append(summary, 1);  // without its brace
    out_ += '\n';
    flush();
  }

 private:
  std::vector<std::string> columns_;
};

class Ndjson final : public Buffered {
 public:
  using Buffered::Buffered;

  void begin(const std::vector<std::string>& columns) override { columns_ = columns; }
  bool take(const nq::Row& row) override {
    ++rows_;
    append_row_json(out_, columns_, row);
    out_ += '\n';
    return flush_when_full();
  }
  void end(const Answer& answer) override {
    out_ += "{\"_answer\":" + answer_json(answer) + "}\n";
    flush();
  }

 private:
  std::vector<std::string> columns_;
};

class Csv final : public Buffered {
 public:
  using Buffered::Buffered;

  void begin(const std::vector<std::string>& columns) override {
    for (size_t i = 0; i < columns.size(); ++i) cell(columns[i], i);
    out_ += "\r\n";
  }
  bool take(const nq::Row& row) override {
    ++rows_;
    for (size_t i = 0; i < row.values.size(); ++i) {
      text_.clear();
      append_text(text_, row.values[i]);
      cell(text_, i);
    }
    out_ += "\r\n";
    return flush_when_full();
  }
  void end(const Answer&) override { flush(); }

 private:
  void cell(std::string_view text, size_t at) {
    if (at > 0) out_ += ',';
    if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
      out_ += text;
      return;
    }
    out_ += '"';
    for (const char c : text) {
      if (c == '"') out_ += '"';
      out_ += c;
    }
    out_ += '"';
  }
  std::string text_;
};

class Raw final : public Buffered {
 public:
  using Buffered::Buffered;

  void begin(const std::vector<std::string>& columns) override {
    raw_ = place_of(columns, "raw");
    group_ = place_of(columns, "ctx_group");
  }
  Status problem() const override {
    if (raw_ != kNone) return Ok{};
    return Error{Errc::invalid_argument,
                 "-o raw prints the column raw, which is not selected; write SELECT raw ..."};
  }
  bool take(const nq::Row& row) override {
    if (raw_ == kNone) return false;
    if (group_ != kNone) {
      text_.clear();
      append_text(text_, row.values[group_]);
      if (rows_ > 0 && text_ != last_) out_ += "--\n";
      std::swap(text_, last_);
    }
    ++rows_;
    append_text(out_, row.values[raw_]);
    out_ += '\n';
    return flush_when_full();
  }
  void end(const Answer&) override { flush(); }

 private:
  static constexpr size_t kNone = SIZE_MAX;
  static size_t place_of(const std::vector<std::string>& columns, std::string_view name) {
    const auto it = std::find(columns.begin(), columns.end(), name);
    return it == columns.end() ? kNone : static_cast<size_t>(it - columns.begin());
  }
  size_t raw_ = kNone, group_ = kNone;
  std::string text_, last_;
};

const char* color_of(const Value& value, bool level_column) {
  Level level{};
  if (value.kind == ValueKind::level) {
    level = value.level;
  } else if (!level_column || value.kind != ValueKind::text || !parse_level(value.text, level)) {
    return "";
  }
  switch (level) {
    case Level::fatal: return "31;1";
    case Level::error: return "31";
    case Level::warn: return "33";
    case Level::info: return "";
    default: return "2";
  }
}

class TableWriter final : public Buffered {
 public:
  TableWriter(const WriterOptions& options, std::function<bool(std::string_view)> write)
      : Buffered(std::move(write)), options_(options) {}

  void begin(const std::vector<std::string>& columns) override {
    for (const std::string& name : columns) {
      columns_.push_back(
          {view::printable(name), view::display_width(name), false, name == "level"});
    }
  }
  bool take(const nq::Row& row) override {
    ++rows_;
    std::vector<Cell> cells(columns_.size());
    for (size_t i = 0; i < columns_.size(); ++i) cells[i] = cell(row.values[i], columns_[i]);
    if (laid_out_) {
      line(cells);
      return flush_when_full();
    }
    first_.push_back(std::move(cells));
    if (first_.size() >= kFirstRows) lay_out();
    return flush_when_full();
  }
  void end(const Answer& answer) override {
    if (!columns_.empty()) lay_out();
    out_ += answer_text(answer);
    Buffered::flush();
  }
  bool flush() override {
    if (!first_.empty()) lay_out();
    return Buffered::flush();
  }

 private:
  static constexpr size_t kFirstRows = 200;
  static constexpr size_t kNarrow = 8;  // no column is cut below this
  struct Column {
    std::string title;
    size_t width;
    bool number, level;
  };
  struct Cell {
    std::string text;
    const char* color = "";
  };

  Cell cell(const Value& value, Column& column) {
    std::string text;
    append_text(text, value);
    if (text.size() > options_.max_cell) text = view::fit(text, options_.max_cell);
    text = view::printable(text);
    const bool number = value.kind == ValueKind::number || value.kind == ValueKind::real;
    if (!laid_out_ || options_.standing) {
      column.width = std::max(column.width, view::display_width(text));
      column.number = column.number || number;
    }
    return {std::move(text), color_of(value, column.level)};
  }

  // The widest columns give way until the line fits.
  void lay_out() {
    if (laid_out_) return;
    laid_out_ = true;
    const size_t gaps = columns_.empty() ? 0 : 2 * (columns_.size() - 1);
    size_t total = gaps;
    for (const Column& column : columns_) total += column.width;
    while (options_.width > 0 && total > options_.width) {
      const auto widest =
          std::max_element(columns_.begin(), columns_.end(),
                           [](const Column& a, const Column& b) { return a.width < b.width; });
      if (widest->width <= kNarrow) break;
      --widest->width;
      --total;
    }
    std::vector<Cell> titles;
    for (const Column& column : columns_) titles.push_back({column.title, "1"});
    line(titles);
    for (const auto& cells : first_) line(cells);
    first_.clear();
  }

  void line(const std::vector<Cell>& cells) {
    std::string text;
    for (size_t i = 0; i < cells.size(); ++i) {
      const Column& column = columns_[i];
      const bool last = i + 1 == cells.size();
      std::string shown = view::fit(cells[i].text, column.width);
      shown = column.number                 ? view::pad_left(shown, column.width)
              : last && options_.width == 0 ? shown
                                            : view::pad_right(shown, column.width);
      if (options_.color && *cells[i].color != '\0') {
        text += "\x1b[" + std::string(cells[i].color) + "m" + shown + "\x1b[0m";
      } else {
        text += shown;
      }
      if (!last) text += "  ";
    }
    text.resize(text.find_last_not_of(' ') + 1);
    if (options_.standing && options_.width > 0) text = view::fit(text, options_.width);
    out_ += text + "\n";
  }

  WriterOptions options_;
  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> first_;
  bool laid_out_ = false;
};

}  // namespace

void append_text(std::string& out, const Value& value) {
  switch (value.kind) {
    case ValueKind::null: break;
    case ValueKind::boolean: out += value.mantissa != 0 ? "true" : "false"; break;
    case ValueKind::number: {
      JsonWriter json(out);
      json.value(Decimal{value.mantissa, value.exponent});
      break;
    }
    case ValueKind::real: append_json_double(out, value.real); break;
    case ValueKind::text: out += value.text; break;
    case ValueKind::time: out += format_rfc3339({value.time_ns}); break;
    case ValueKind::level: out += level_name(value.level); break;
  }
}

std::unique_ptr<AnswerWriter> make_writer(const WriterOptions& options,
                                          std::function<bool(std::string_view)> write) {
  switch (options.format) {
    case Format::json: return std::make_unique<Json>(std::move(write));
    case Format::ndjson: return std::make_unique<Ndjson>(std::move(write));
    case Format::csv: return std::make_unique<Csv>(std::move(write));
    case Format::raw: return std::make_unique<Raw>(std::move(write));
    case Format::table: break;
  }
  return std::make_unique<TableWriter>(options, std::move(write));
}

}  // namespace nines::agent::query
