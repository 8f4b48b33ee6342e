#include "view/metrics_text.hpp"

#include <utility>

#include "view/exposition.hpp"
#include "view/metrics_parts.hpp"
#include "view/text.hpp"

namespace nines::agent::view {
namespace {

void store(Exposition& out, const Snapshot& s) {
  if (!s.has_store) return;
  const auto& t = s.store;
  out.single_counter("nines_store_commits_total", "Transactions committed.", t.commits);
  out.single_counter("nines_store_failed_commits_total", "Transactions refused and kept for later.",
                     t.failed_commits);
  out.single_counter("nines_store_written_bytes_total", "Bytes written to the state file.",
                     t.bytes_written);
  out.single_counter("nines_store_flushes_total", "Times it was flushed to the disk.", t.flushes);
  const StoreTrouble& trouble = s.store_trouble;
  out.single_gauge("nines_store_failing", "1: the last commit was not written; kept in memory.",
                   uint64_t{!trouble.failing.empty()});
  out.single_gauge("nines_store_in_memory",
                   "1: the state directory cannot be written; all of it is in memory.",
                   uint64_t{!trouble.in_memory.empty()});
  out.single_gauge("nines_store_memory_bytes", "What that takes; at most 16 MiB.", t.memory_bytes);
  out.single_gauge("nines_store_held_events", "Alert events that are told and not on disk yet.",
                   t.held_events);
  out.single_gauge("nines_store_quarantined",
                   "1: the state file was damaged when this life began, and was set aside.",
                   uint64_t{!trouble.quarantined.empty()});
  out.single_gauge("nines_store_damaged_rows", "Rows skipped for their checksum at the start.",
                   trouble.damaged_rows);
  out.single_gauge("nines_store_lost_positions",
                   "Files continued at their end because their position was damaged.",
                   trouble.lost_positions);
  out.single_gauge("nines_store_file_bytes", "Size of the state file.", t.file_bytes);
  out.single_gauge("nines_store_journal_rows", "Journal rows not folded yet.", t.journal_rows);
  out.single_counter("nines_store_folds_total", "Times the journal was folded.", t.folds);
  out.single_counter("nines_changes_written_total", "Entries written to the change log.",
                     t.changes_written);
  out.single_counter("nines_changes_dropped_total",
                     "Oldest entries given up because the change log was full.", t.dropped_changes);
}

void process(Exposition& out, const Snapshot& s) {
  out.single_gauge("nines_ready", "1 when /readyz says ready.", s.ready);
  if (s.watermark.ns != 0) {
    out.single_gauge("nines_watermark_timestamp_seconds",
                     "Event time up to which all logs are read.", seconds(s.watermark));
  }
  out.single_gauge("nines_engine_bytes", "Memory of the counting rings.", uint64_t{s.engine_bytes});
  out.single_gauge("process_resident_memory_bytes", "Resident memory size in bytes.",
                   uint64_t{s.resident_bytes});
  out.single_counter("process_cpu_seconds_total",
                     "Total user and system CPU time spent in seconds.", s.cpu_seconds);
  out.single_gauge("process_start_time_seconds",
                   "Start time of the process since unix epoch in seconds.", seconds(s.started));
  out.single_gauge("nines_boot_generation", "How often this node's state was opened.", s.boot);
  out.gauge("nines_build_info", "Always 1; the labels say what runs where.");
  out.sample({{"version", s.version}, {"node", s.node}}, true);
}

}  // namespace

std::string metrics_text(const Snapshot& s) {
  Exposition out;
  objective_metrics(out, s);
  reading_metrics(out, s);
  store(out, s);
  telling_metrics(out, s);
  process(out, s);
  return out.take() + s.fleet_metrics + s.remedy_metrics + s.page_metrics;
}

}  // namespace nines::agent::view
