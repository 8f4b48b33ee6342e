// Writers of answers. Rows are written as they come; nothing but the first rows of a table (for the
// widths of its columns) is kept.
//
//   table   aligned, cut to the terminal, levels coloured; the answer's summary below it
//   json    {"columns":[...],"data":[{...},...],"complete":true,"nodes_ok":[...],...}
//   ndjson  an object a line; the last one is {"_answer":{...}}
//   csv     RFC 4180 with a header line
//   raw     the column raw, as the log has it, like grep; "--" between groups of CONTEXT
//
// csv and raw have no place for the summary: whoever writes them tells it on another channel.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "nines/base/result.hpp"
#include "query/execute.hpp"
#include "query/format.hpp"

namespace nines::agent::query {

class AnswerWriter : public AnswerSink {
 public:
  // What could not be done with these columns (raw without raw), once begin() was called.
  virtual Status problem() const { return Ok{}; }
  // After the last row; begin() may not have been called when the statement failed.
  virtual void end(const Answer& answer) = 0;
  // Writes what is complete, for whoever watches. False: nobody reads any more.
  virtual bool flush() = 0;
  uint64_t rows() const noexcept { return rows_; }

 protected:
  uint64_t rows_ = 0;
};

struct WriterOptions {
  Format format = Format::table;
  size_t width = 0;  // of the terminal; 0: no limit
  bool color = false;
  bool standing = false;   // rows come one by one: a table cuts nothing but at the terminal's edge
  size_t max_cell = 4096;  // table: longer texts are cut
};

// `write` takes bytes in pieces of some ten KiB; false: nobody reads any more.
std::unique_ptr<AnswerWriter> make_writer(const WriterOptions& options,
                                          std::function<bool(std::string_view)> write);

// As in csv and tables; NULL is empty.
void append_text(std::string& out, const Value& value);

}  // namespace nines::agent::query
