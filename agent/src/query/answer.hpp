// What is said of every answer of a query beside its rows (law 5: partial results say what is
// missing).
#pragma once

#include <algorithm>
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
  uint64_t network_in = 0, network_out = 0;  // bytes from and to other nodes, as they were sent
  int64_t elapsed_ns = 0;
  std::vector<Answer> inputs;      // what each input of the statement did, in their order
  std::vector<std::string> notes;  // why it is not complete, what was given up; for people
  std::vector<std::string> hints;  // what the statement may have meant; shown behind the notes

  void incomplete(std::string why) {
    complete = false;
    if (notes.size() < kMaxNotes) notes.push_back(std::move(why));
  }
  void hint(std::string what) {
    const bool said = std::find(hints.begin(), hints.end(), what) != hints.end();
    if (!said && hints.size() < kMaxNotes) hints.push_back(std::move(what));
  }
  // What an input did. Its own rows are not the answer's.
  void add_input(Answer input) {
    add_reading(input);
    inputs.push_back(std::move(input));
  }
  // One reading of an input that may be read several times.
  void add_reading(const Answer& reading) {
    scan.add(reading.scan);
    add(reading.operators);
    files += reading.files;
    network_in += reading.network_in;
    network_out += reading.network_out;
    add_nodes(reading);
    complete = complete && reading.complete;
    for (const std::string& note : reading.notes) {
      if (notes.size() < kMaxNotes) notes.push_back(note);
    }
    for (const std::string& one : reading.hints) hint(one);
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
  // A node that failed one input has not given what the answer needs.
  void add_nodes(const Answer& input) {
    const auto has = [](const std::vector<std::string>& names, const std::string& name) {
      return std::find(names.begin(), names.end(), name) != names.end();
    };
    for (const std::string& name : input.nodes_failed) {
      if (!has(nodes_failed, name)) nodes_failed.push_back(name);
      std::erase(nodes_ok, name);
    }
    for (const std::string& name : input.nodes_ok) {
      if (!has(nodes_ok, name) && !has(nodes_failed, name)) nodes_ok.push_back(name);
    }
  }
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
