#include "sqlite_store.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace nines::store {
namespace {

constexpr int64_t kMaxGrowth = 8 * 1024 * 1024;  // of the database while it is in memory
constexpr size_t kReplaySlots = 512;             // of one replayed batch, give or take one chunk

bool exists(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && status.st_size > 0;
}

std::string life(uint64_t boot, bool clean) {
  ByteWriter out;
  out.varint(boot);
  out.varint(clean ? 1 : 0);
  return out.take();
}

// The part of `row` that belongs to persistent id `id`, under the engine's index.
void select(const JournalRow& row, uint32_t id, uint32_t index, slo::Batch& out) {
  for (slo::SlotDelta slot : row.batch.slots) {
    if (slot.slo != id) continue;
    slot.slo = index;
    out.slots.push_back(slot);
  }
  for (const slo::SketchDelta& sketch : row.batch.sketches) {
    if (sketch.slo != id) continue;
    out.sketches.push_back(sketch);
    out.sketches.back().slo = index;
  }
}

}  // namespace

Result<std::unique_ptr<StateStore>> StateStore::open(const StoreOptions& options) {
  MemoryFiles* const memory = options.memory.get();
  if (memory == nullptr || !memory->begun()) {
    auto store = std::make_unique<SqliteStore>(options);
    const Status started = store->start();
    if (started.ok()) return std::unique_ptr<StateStore>(std::move(store));
    const Error& error = started.error();
    const bool disk = error.code == Errc::io || error.code == Errc::exhausted;
    if (memory == nullptr || !disk) return error;
    store.reset();  // what it leaves behind is what there is to begin with
    NINES_CHECK(memory->begin(options.directory, error.message));
  }
  auto store = std::make_unique<SqliteStore>(options);
  NINES_CHECK(store->start_in_memory());
  return std::unique_ptr<StateStore>(std::move(store));
}

SqliteStore::SqliteStore(const StoreOptions& options)
    : options_(options),
      path_(options.directory + "/nines.db"),
      vfs_(meter_, options.vfs),
      ballast_(options.directory) {}

SqliteStore::~SqliteStore() {
  if (connection_ == nullptr || restored_.boot == 0) return;
  // Best effort: without it the next start merely says that this life ended uncleanly.
  (void)connection_->put_meta("life", life(restored_.boot, true));
}

Status SqliteStore::start() {
  if (!vfs_.ok()) return Error{Errc::invalid_argument, "no SQLite VFS named " + options_.vfs, 0};
  NINES_CHECK(prepare_directory(options_.directory));
  NINES_CHECK(finish_move(options_.directory));
  restored_.fresh = !exists(path_);
  NINES_CHECK(with_ballast([this] { return open_or_quarantine(); }));
  NINES_CHECK(load());
  NINES_CHECK(with_ballast([this] { return begin_life(); }));
  if (!ballast_.present()) ballast_.restore();
  return Ok{};
}

Result<std::unique_ptr<Connection>> SqliteStore::connect(bool check) {
  if (memory_ == nullptr) return Connection::open(options_, path_, vfs_.name(), check);
  StoreOptions options = options_;
  options.max_bytes = std::min(options.max_bytes, memory_->base_bytes() + kMaxGrowth);
  NINES_TRY(auto opened, Connection::open(options, path_, memory_->vfs_name(), check));
  NINES_CHECK(opened->db.execute("PRAGMA wal_autocheckpoint=100"));
  return opened;
}

Status SqliteStore::open_or_quarantine() {
  connection_.reset();
  auto opened = connect(true);
  if (!opened.ok() && opened.error().code == Errc::corrupt) {
    if (memory_ == nullptr) {
      NINES_TRY(restored_.quarantined, quarantine(path_));
    } else {  // on the disk it stays until that can be written
      restored_.quarantined = path_;
      memory_->forget_base();
    }
    opened = connect(true);
  }
  if (!opened.ok()) return open_error(opened.error());
  connection_ = std::move(*opened);
  return Ok{};
}

Error SqliteStore::open_error(Error error) const {
  if (error.code == Errc::unavailable) {
    error.message = path_ +
                    " is in use by another process: stop the other nines agent, or ask it "
                    "through its API, or give this one its own --state DIR";
  } else if (error.code == Errc::io) {
    error.message = "cannot open " + path_ + ": " + error.message +
                    "; check that the file is readable and its disk writable, or give another "
                    "--state DIR";
  }
  return error;
}

Status SqliteStore::begin_life() {
  NINES_TRY(const std::string last, connection_->meta("life", restored_.skipped_rows));
  ByteReader in(last);
  const uint64_t boot = last.empty() ? 0 : in.varint();
  const bool clean = last.empty() ? restored_.fresh : in.varint() == 1;
  // Both places are asked, so that no damage to one makes a boot number come twice.
  uint64_t next = std::max(boot, read_boot_file(options_.directory)) + 1;
  if (memory_ == nullptr) {
    NINES_CHECK(write_boot_file(options_.directory, next));
  } else {
    next = std::max(next, options_.memory_boot);
  }
  NINES_CHECK(connection_->put_meta("life", life(next, false)));
  restored_.clean = clean && restored_.quarantined.empty();
  restored_.boot = next;
  return Ok{};
}

Status SqliteStore::load() {
  std::map<std::string, std::string> positions;
  NINES_CHECK(load_positions(positions));
  NINES_TRY(alerts_, connection_->meta("alerts", restored_.skipped_rows));
  NINES_TRY(const std::string totals, connection_->meta("totals", restored_.skipped_rows));
  slo::Batch sums;
  if (!totals.empty() && !decode_totals(totals, sums)) ++restored_.skipped_rows;
  NINES_CHECK(each_journal_row(restored_.skipped_rows, [&](JournalRow&& row) {
    for (auto& position : row.batch.positions) positions[position.key] = std::move(position.state);
    add_totals(row.batch, sums);
    if (row.alerts) alerts_ = std::move(*row.alerts);
  }));
  for (auto& [key, state] : positions) {
    if (!state.empty()) restored_.positions.push_back({key, std::move(state)});
  }
  std::erase_if(restored_.lost_positions,
                [&](const std::string& key) { return positions.contains(key); });
  if (auto alerts = decode_alerts(alerts_)) restored_.alerts = std::move(*alerts);
  restored_.late = sums.late;
  restored_.dropped_late = sums.dropped_late;
  restored_.skewed = sums.skewed;
  restored_.max_event_time = sums.max_event_time;
  NINES_TRY(const bool any, connection_->event_bounds.with().row());
  if (any) next_event_ = static_cast<uint64_t>(connection_->event_bounds.integer(1)) + 1;
  connection_->event_bounds.reset();
  return load_change_bounds();
}

Status SqliteStore::load_positions(std::map<std::string, std::string>& positions) {
  Statement& scan = connection_->src_scan.with();
  for (;;) {
    NINES_TRY(const bool more, scan.row());
    if (!more) return Ok{};
    std::string key(scan.bytes(0));
    const std::string_view state = scan.bytes(2);
    if (row_crc(key, state) == static_cast<uint32_t>(scan.integer(1))) {
      positions.emplace(std::move(key), state);
    } else {
      ++restored_.skipped_rows;
      restored_.lost_positions.push_back(std::move(key));
    }
  }
}

Status SqliteStore::each_journal_row(uint64_t& skipped, const RowSink& sink) {
  Statement& scan = connection_->journal_scan.with(int64_t{-1});
  stats_.journal_rows = 0;
  for (;;) {
    NINES_TRY(const bool more, scan.row());
    if (!more) return Ok{};
    ++stats_.journal_rows;
    const int64_t seq = scan.integer(0);
    next_seq_ = std::max(next_seq_, seq + 1);
    const std::string_view body = scan.bytes(3);
    auto row = row_crc(seq, scan.integer(1), body) == static_cast<uint32_t>(scan.integer(2))
                   ? decode_journal(body)
                   : std::nullopt;
    if (row) {
      sink(std::move(*row));
    } else {
      ++skipped;
    }
  }
}

Status SqliteStore::ready() {
  if (connection_ != nullptr) return Ok{};
  NINES_TRY(connection_, connect(false));
  return note(undo_in_doubt());
}

Status SqliteStore::undo_in_doubt() {
  Connection& c = *connection_;
  Transaction transaction(c);
  NINES_CHECK(transaction.begin());
  NINES_CHECK(c.journal_undo.with(next_seq_).run());
  NINES_CHECK(c.event_undo.with(static_cast<int64_t>(next_event_)).run());
  NINES_CHECK(c.change_undo.with(next_change_).run());
  NINES_CHECK(transaction.commit());
  NINES_TRY(const bool any, c.journal_count.with().row());
  stats_.journal_rows = any ? static_cast<uint64_t>(c.journal_count.integer(0)) : 0;
  c.journal_count.reset();
  return Ok{};
}

Status SqliteStore::note(Status status) {
  if (!status.ok() && status.error().code == Errc::io) connection_.reset();
  return status;
}

Status SqliteStore::with_ballast(const std::function<Status()>& work) {
  Status status = work();
  if (status.ok() || status.error().code != Errc::exhausted) return status;
  if (connection_ != nullptr) {
    const auto room = headroom();
    if (room.ok() && room->at_cap()) return status;  // fold() makes room
  }
  if (memory_ != nullptr || !ballast_.release()) return status;
  ++stats_.ballast_freed;
  return work();
}

Result<uint32_t> SqliteStore::persistent_id(const SloIdentity& slo) {
  Connection& c = *connection_;
  NINES_TRY(const bool known,
            c.slo_find.with(std::string_view(slo.name), std::string_view(slo.generation)).row());
  if (known) {
    const int64_t id = c.slo_find.integer(0);
    const auto crc = static_cast<uint32_t>(c.slo_find.integer(1));
    c.slo_find.reset();
    if (crc == row_crc(id, slo.name + '\0' + slo.generation)) return static_cast<uint32_t>(id);
    ++restored_.skipped_rows;
  }
  NINES_TRY(const bool any, c.slo_next.with().row());
  const int64_t id = any ? c.slo_next.integer(0) : 1;
  c.slo_next.reset();
  NINES_CHECK(c.slo_put
                  .with(id, std::string_view(slo.name), std::string_view(slo.generation),
                        static_cast<int64_t>(row_crc(id, slo.name + '\0' + slo.generation)))
                  .run());
  return static_cast<uint32_t>(id);
}

Status SqliteStore::attach(uint32_t index, const SloIdentity& slo,
                           const std::function<void(const slo::Batch&)>& replay) {
  NINES_CHECK(ready());
  uint32_t id = 0;
  NINES_CHECK(note(with_ballast([&]() -> Status {
    NINES_TRY(id, persistent_id(slo));
    return Ok{};
  })));
  if (ids_.size() <= index) ids_.resize(size_t{index} + 1, 0);
  ids_[index] = id;
  NINES_CHECK(note(replay_chunks(id, index, replay)));
  slo::Batch batch;
  uint64_t known_skips = 0;  // counted when the file was opened
  NINES_CHECK(note(each_journal_row(known_skips, [&](JournalRow&& row) {
    select(row, id, index, batch);
    if (batch.slots.size() < kReplaySlots) return;
    replay(batch);
    batch = {};
  })));
  if (!batch.slots.empty() || !batch.sketches.empty()) replay(batch);
  return Ok{};
}

Status SqliteStore::replay_chunks(uint32_t id, uint32_t index,
                                  const std::function<void(const slo::Batch&)>& replay) {
  // By the hours there are and one look-up in each: the rows of an hour lie together for the fold.
  Connection& c = *connection_;
  slo::Batch batch;
  for (int64_t hour = INT64_MIN;;) {
    NINES_TRY(const bool more, c.chunk_next_hour.with(hour).row());
    if (!more) break;
    hour = c.chunk_next_hour.integer(0);
    c.chunk_next_hour.reset();
    Chunk chunk;
    NINES_TRY(const bool any, read_chunk(hour, id, chunk));
    if (!any) continue;
    chunk.replay(hour, index, batch);
    if (batch.slots.size() < kReplaySlots) continue;
    replay(batch);
    batch = {};
  }
  if (!batch.slots.empty() || !batch.sketches.empty()) replay(batch);
  return Ok{};
}

Result<bool> SqliteStore::read_chunk(int64_t hour, uint32_t id, Chunk& chunk) {
  Statement& get = connection_->chunk_get.with(hour, int64_t{id});
  NINES_TRY(const bool any, get.row());
  if (!any) return false;
  const std::string_view body = get.bytes(1);
  auto read = row_crc(hour, int64_t{id}, body) == static_cast<uint32_t>(get.integer(0))
                  ? Chunk::decode(body)
                  : std::nullopt;
  get.reset();
  if (!read) {
    ++restored_.skipped_rows;
    return false;
  }
  chunk = std::move(*read);
  return true;
}

Status SqliteStore::check_commit(const Commit& commit) const {
  const auto known = [this](uint32_t slo) { return slo < ids_.size() && ids_[slo] != 0; };
  const bool all = std::all_of(commit.batch.slots.begin(), commit.batch.slots.end(),
                               [&](const auto& s) { return known(s.slo); }) &&
                   std::all_of(commit.batch.sketches.begin(), commit.batch.sketches.end(),
                               [&](const auto& s) { return known(s.slo); });
  if (all) return Ok{};
  return Error{Errc::invalid_argument, "commit names an SLO that was not attached", 0};
}

Status SqliteStore::write_commit(const Commit& commit, const std::string& alerts,
                                 const std::vector<const Document*>& documents) {
  Connection& c = *connection_;
  const std::string body =
      encode_journal(commit.batch, ids_, alerts != alerts_ ? &alerts : nullptr);
  const int64_t t = commit.now.seconds();
  Transaction transaction(c);
  NINES_CHECK(transaction.begin());
  NINES_CHECK(c.journal_put
                  .with(next_seq_, t, static_cast<int64_t>(row_crc(next_seq_, t, body)), Blob{body})
                  .run());
  NINES_CHECK(write_events(commit.events));
  NINES_CHECK(put_each(documents));
  NINES_CHECK(transaction.commit());
  stats_.last_row_bytes = body.size();
  return Ok{};
}

Status SqliteStore::commit(Commit& commit) {
  NINES_CHECK(check_commit(commit));
  for (slo::AlertEvent& event : commit.events) {
    if (event.boot == 0) event.boot = restored_.boot;
  }
  const std::string alerts = encode_alerts(commit.alerts);
  const bool alerts_changed = alerts != alerts_ && !(alerts_.empty() && commit.alerts.empty());
  if (commit.batch.empty() && commit.events.empty() && held_.empty() && !alerts_changed)
    return Ok{};
  Status status = ready();
  std::vector<const Document*> documents;
  if (status.ok()) {
    auto changed = documents_to_write(commit.documents);
    if (changed.ok()) documents = std::move(*changed);
    status = note(with_ballast(
        [&] { return write_commit(commit, alerts_changed ? alerts : alerts_, documents); }));
  }
  if (!status.ok()) {
    ++stats_.failed_commits;
    hold_events(commit.events);
    return status;
  }
  if (alerts_changed) alerts_ = alerts;
  stats_.documents_written += documents.size();
  number_events(commit.events);
  ++next_seq_;
  ++stats_.commits;
  ++stats_.journal_rows;
  return Ok{};
}

Result<uint64_t> SqliteStore::cursor(const std::string& destination) {
  NINES_CHECK(ready());
  Statement& get = connection_->cursor_get.with(std::string_view(destination));
  NINES_TRY(const bool any, get.row());
  if (!any) {
    get.reset();
    NINES_CHECK(set_cursor(destination, next_event_ - 1));
    return next_event_ - 1;
  }
  const int64_t seq = get.integer(0);
  const bool intact = row_crc(seq, destination) == static_cast<uint32_t>(get.integer(1));
  get.reset();
  if (intact) return static_cast<uint64_t>(seq);
  ++restored_.skipped_rows;
  return uint64_t{0};  // told again rather than not at all: receivers merge by sequence
}

Status SqliteStore::set_cursor(const std::string& destination, uint64_t sequence) {
  NINES_CHECK(ready());
  const auto seq = static_cast<int64_t>(sequence);
  return note(with_ballast([&] {
    return connection_->cursor_put
        .with(std::string_view(destination), seq, static_cast<int64_t>(row_crc(seq, destination)))
        .run();
  }));
}

StateStore::Stats SqliteStore::stats() const noexcept {
  Stats stats = stats_;
  stats.bytes_written = meter_.bytes;
  stats.flushes = meter_.flushes;
  stats.held_events = held_.size();
  struct stat status {};
  if (memory_ != nullptr) {
    stats.memory_bytes = memory_->bytes();
    stats.file_bytes = static_cast<uint64_t>(memory_->database_bytes());
  } else if (::stat(path_.c_str(), &status) == 0) {
    stats.file_bytes = static_cast<uint64_t>(status.st_size);
  }
  return stats;
}

}  // namespace nines::store
