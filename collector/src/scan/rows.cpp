#include "scan/rows.hpp"

#include <algorithm>
#include <utility>

namespace nines::collector {
namespace {

constexpr std::string_view kGroupColumn = "ctx_group", kOffsetColumn = "ctx_offset";
constexpr std::string_view kOriginal = "_raw";
constexpr std::string_view kNotWrapped = "not_cri", kNoMatch = "no_match", kBadTime = "bad_time";

Value text_or_null(std::string_view text) noexcept {
  return text.empty() ? Value::null() : Value::of_text(text);
}

bool is_empty(std::string_view text) noexcept {
  if (!text.empty() && static_cast<unsigned char>(text.front()) > ' ') return false;  // most
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; });
}

}  // namespace

Result<std::unique_ptr<RowMaker>> RowMaker::create(const ScanShape& shape,
                                                   const query::ScanPlan& plan,
                                                   const ScanOptions& options) {
  std::unique_ptr<RowMaker> maker(new RowMaker(shape, plan, options));
  NINES_CHECK(maker->prepare());
  return maker;
}

RowMaker::Context RowMaker::context_of(const std::string& name) const noexcept {
  if (name == "ts") return Context::ts;
  if (name == "ingest_ts") return Context::ingest_ts;
  if (name == "node") return Context::node;
  if (name == "source" && !shape_.file.content) return Context::source;
  if (name == "line") return Context::line;
  if (name == "raw") return shape_.file.content ? Context::original : Context::raw;
  if (name == "_error") return Context::error;
  if (name == "service" || name == "source") return Context::said;
  // Outside Kubernetes a format may have fields of these names.
  if (shape_.container.empty()) return Context::none;
  if (name == "namespace") return Context::ns;
  if (name == "pod") return Context::pod;
  if (name == "container") return Context::container;
  return Context::none;
}

size_t RowMaker::column_of(const std::string& name) {
  const auto found = std::find(names_.begin(), names_.end(), name);
  if (found != names_.end()) return static_cast<size_t>(found - names_.begin());
  names_.push_back(name);
  return names_.size() - 1;
}

Status RowMaker::prepare() {
  reads_time_ =
      plan_.needs_time || plan_.since || plan_.until || (plan_.context && plan_.context->within_ns);
  names_ = plan_.fields;
  NINES_CHECK(prepare_extracts());
  if (plan_.context && (plan_.context->by.empty() || plan_.context->by == "file")) {
    names_.emplace_back(kGroupColumn);
    names_.emplace_back(kOffsetColumn);
  }
  row_columns_ = names_.size();
  std::vector<size_t> slots;
  if (plan_.where) {
    for (const std::string& field : plan_.where->fields()) slots.push_back(column_of(field));
  }
  // One EXTRACT may look into what an earlier one gave.
  std::vector<size_t> early = slots;
  for (size_t i = extractions_.size(); i-- > 0;) {
    Extraction& extraction = extractions_[i];
    extraction.from = column_of(plan_.extracts[i].field);
    extraction.early = std::any_of(early.begin(), early.end(), [&](size_t slot) {
      return slot >= extraction.column && slot < extraction.column + extraction.count;
    });
    if (extraction.early) early.push_back(extraction.from);
  }
  values_.resize(names_.size());
  prepare_columns();
  uint64_t bit = 1;
  for (const std::string& field : named_fields(plan_)) {
    unseen_.push_back({column_of(field), bit});
    bit <<= 1;
  }
  if (plan_.where) where_.emplace(*plan_.where, slots);
  log::TimeContext time;
  time.utc_offset_s = options_.utc_offset_s;
  time.reference = options_.now;
  time.wanted = reads_time_;
  auto parser = log::make_parser(shape_.format.format(), wanted_, time);
  if (!parser.ok()) return parser.error();
  parser_ = std::move(*parser);
  return Ok{};
}

Status RowMaker::prepare_extracts() {
  for (const query::Extract& extract : plan_.extracts) {
    auto made = query::Extractor::compile(extract.kind, extract.text);
    if (!made.ok()) return made.error();
    const size_t count = made->names().size();
    extractions_.push_back({std::move(*made), 0, names_.size(), count, false});
    const auto& names = extractions_.back().extractor.names();
    names_.insert(names_.end(), names.begin(), names.end());
  }
  return Ok{};
}

// Which columns the parser gives and which come from elsewhere.
void RowMaker::prepare_columns() {
  const auto made = [&](size_t column) {  // by EXTRACT or CONTEXT
    return column >= plan_.fields.size() && column < row_columns_;
  };
  for (size_t column = 0; column < names_.size(); ++column) {
    if (made(column)) continue;
    const Context what = context_of(names_[column]);
    Value fixed;
    if (what == Context::node) fixed = text_or_null(options_.node);
    if (what == Context::source) fixed = text_or_null(shape_.file.path);
    if (what == Context::said) {
      const bool service = names_[column] == "service";
      fixed = text_or_null(service ? shape_.file.service : shape_.file.path);
    }
    if (what == Context::ns) fixed = text_or_null(shape_.ns);
    if (what == Context::pod) fixed = text_or_null(shape_.pod);
    if (what == Context::container) fixed = text_or_null(shape_.container);
    if (what != Context::none) context_.push_back({column, what, fixed});
    if (what == Context::ts || what == Context::error) reads_time_ = true;
    if (what == Context::none || what == Context::said || what == Context::original) {
      wanted_.push_back(what == Context::original ? std::string(kOriginal) : names_[column]);
      wanted_columns_.push_back(column);
    }
    parses_ = parses_ || what == Context::error;
  }
  in_place_ = true;
  for (size_t i = 0; i < wanted_columns_.size(); ++i) in_place_ &= wanted_columns_[i] == i;
  if (!in_place_) parsed_.resize(wanted_.size());
  record_.fields = in_place_ ? std::span(values_).first(wanted_.size()) : std::span(parsed_);
  parses_ = parses_ || reads_time_ || !wanted_.empty();
  const size_t shown = plan_.shown_fields.value_or(row_columns_);
  parses_shown_ = !plan_.shown_fields || reads_time_ || !extractions_.empty() ||
                  std::any_of(wanted_columns_.begin(), wanted_columns_.end(),
                              [&](size_t column) { return column < shown; });
}

log::ParseOutcome RowMaker::parse_text(std::string_view text) {
  const log::ParseOutcome outcome = parser_->parse(text, record_);
  if (!in_place_) {
    for (size_t i = 0; i < parsed_.size(); ++i) values_[wanted_columns_[i]] = parsed_[i];
  }
  return outcome;
}

// False: it is empty (an entry of the journal without fields).
bool RowMaker::parse(const FramedRecord& record) {
  using log::ParseOutcome;
  ParseOutcome outcome = ParseOutcome::no_match;
  record_.has_ts = false;
  if (record.not_wrapped) {
    for (const size_t column : wanted_columns_) values_[column] = Value{};
  } else {
    outcome = parse_text(record.content);
    if (outcome == ParseOutcome::no_match && record.lines > 1) {
      outcome = parse_text(record.content.substr(0, record.first_line));
    }
  }
  if (outcome == ParseOutcome::empty) return false;
  if (!record_.has_ts && record.has_runtime_ts) {
    record_.ts = record.runtime_ts;
    record_.has_ts = true;
  }
  error_ = {};
  if (outcome == ParseOutcome::ok) return true;
  const bool bad_time = outcome == ParseOutcome::bad_time && !record.has_runtime_ts;
  error_ = record.not_wrapped                  ? kNotWrapped
           : outcome == ParseOutcome::no_match ? kNoMatch
           : bad_time                          ? kBadTime
                                               : std::string_view();
  return true;
}

void RowMaker::fill_context(const FramedRecord& record) {
  for (const ContextField& field : context_) {
    if (field.what != Context::said) {
      fill_other(field, record);
    } else if (Value& value = values_[field.column]; value.is_null()) {  // in most queries
      value = field.fixed;
    }
  }
}

void RowMaker::fill_other(const ContextField& field, const FramedRecord& record) {
  Value& value = values_[field.column];
  switch (field.what) {
    case Context::ts: value = record_.has_ts ? Value::of_time(record_.ts.ns) : Value::null(); break;
    case Context::line: value = Value::of_int(record.at); break;
    case Context::raw: value = Value::of_text(record.content); break;
    case Context::error: value = text_or_null(error_); break;
    case Context::original:
      if (value.is_null()) value = Value::of_text(record.content);
      break;
    default: value = field.fixed; break;
  }
}

void RowMaker::run(Extraction& extraction) {
  const std::span<Value> out = std::span(values_).subspan(extraction.column, extraction.count);
  const Value& from = values_[extraction.from];
  // A level keeps how the log wrote it; other kinds are no text to look into.
  if (from.kind == ValueKind::text || from.kind == ValueKind::level) {
    extraction.extractor.run(from.text, out);
  } else {
    std::fill(out.begin(), out.end(), Value{});
  }
}

void RowMaker::note_fields() noexcept {
  std::erase_if(unseen_, [this](const Unseen& field) {
    const bool seen = !values_[field.column].is_null();
    if (seen) stats_.fields_seen |= field.bit;
    return seen;
  });
}

bool RowMaker::in_range() const noexcept {
  if (!plan_.since && !plan_.until) return true;
  return record_.has_ts && (!plan_.since || *plan_.since <= record_.ts) &&
         (!plan_.until || record_.ts < *plan_.until);
}

void RowMaker::count(const FramedRecord& record) noexcept {
  ++stats_.records;
  if (record.truncated) ++stats_.truncated;
  if (!parses_) return;
  if (!error_.empty() && error_ != kBadTime) ++stats_.malformed;
  if (reads_time_ && !record_.has_ts) ++stats_.no_timestamp;
}

RowMaker::Verdict RowMaker::judge(const FramedRecord& record, bool known) {
  if (is_empty(record.content)) return Verdict::none;
  place_ = {shape_.file.index, record.at};
  record_.has_ts = false;
  if (parses_ && !parse(record)) return Verdict::none;
  count(record);
  if (!unseen_.empty()) note_fields();
  extracted_early_ = false;
  if (!in_range()) return Verdict::outside;
  fill_context(record);
  if (!where_ || known) return Verdict::yes;
  for (Extraction& extraction : extractions_) {
    if (extraction.early) run(extraction);
  }
  extracted_early_ = true;
  return where_->test(values_) == expr::Truth::yes ? Verdict::yes : Verdict::no;
}

void RowMaker::read(const FramedRecord& record) {
  place_ = {shape_.file.index, record.at};
  record_.has_ts = false;
  extracted_early_ = false;
  if (parses_ && parses_shown_) {
    (void)parse(record);
  } else {
    for (const size_t column : wanted_columns_) values_[column] = Value{};  // not of this record
  }
  fill_context(record);
}

void RowMaker::set_context(Value group, Value offset) noexcept {
  values_[row_columns_ - 2] = group;
  values_[row_columns_ - 1] = offset;
}

}  // namespace nines::collector
