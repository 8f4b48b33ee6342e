// What is said of every answer of a query beside its rows (law 5: partial results say what is
// missing).
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "nines/base/result.hpp"
#include "nines/collector/scan.hpp"
#include "nines/query/operator.hpp"

namespace nines::agent::query {

struct Answer {
  bool complete = true;
  std::vector<std::string> nodes_ok, nodes_failed;
  uint64_t rows = 0;
  collector::ScanStats scan;
  nines::query::OperatorStats operators;
  uint64_t files = 0;
  int64_t elapsed_ns = 0;
  std::vector<Answer> inputs;      // what each input of the statement did, in their order
  std::vector<std::string> notes;  // why it is not complete, what was given up; for people

  void incomplete(std::string why) {
    complete = false;
    if (notes.size() < kMaxNotes) notes.push_back(std::move(why));
  }
  // What an input did. Its own rows are not the answer's.
  void add_input(Answer input) {
    scan.add(input.scan);
    add(input.operators);
    files += input.files;
    complete = complete && input.complete;
    for (const std::string& note : input.notes) {
      if (notes.size() < kMaxNotes) notes.push_back(note);
    }
    inputs.push_back(std::move(input));
  }
  void add(const nines::query::OperatorStats& stats) {
    operators.rows_in += stats.rows_in;
    operators.rows_out += stats.rows_out;
    operators.evicted += stats.evicted;
    operators.late += stats.late;
    operators.no_timestamp += stats.no_timestamp;
    operators.pending += stats.pending;
    operators.peak_bytes += stats.peak_bytes;
    operators.approximate = operators.approximate || stats.approximate;
  }

 private:
  static constexpr size_t kMaxNotes = 20;
};

// What becomes of it under WITH (partial='refuse'): `unavailable`, with all that is missing, unless
// it is complete.
Status whole(const Answer& answer);

// {"complete":true,"nodes_ok":[...],...}
std::string answer_json(const Answer& answer);
// "12 rows from 3 files, 1.2 GiB in 0.8 s (1.5 GiB/s); ..." and a line for each note.
std::string answer_text(const Answer& answer);

}  // namespace nines::agent::query
