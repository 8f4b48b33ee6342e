#include "app/ingest_thread.hpp"

#include <sys/syscall.h>
#include <unistd.h>

namespace nines::agent {
namespace {

constexpr int kPollMs = 10'000;
constexpr size_t kFirstBytes = 64 * 1024;  // after a wait: what a node usually logs meanwhile

// What was there before us is handed over in one batch, as far as memory allows: files are read one
// beside the other, and what comes in a later batch than younger lines counts as late.
constexpr int64_t kCatchUpNs = 60 * kNsPerSecond;

// Do no harm (law 3): logs are read at idle I/O priority, so that what writes them goes first.
void lower_io_priority() {
  constexpr int kWhoProcess = 1, kClassIdle = 3, kClassShift = 13;
  ::syscall(SYS_ioprio_set, kWhoProcess, 0, kClassIdle << kClassShift);
}

}  // namespace

IngestThread::IngestThread(std::unique_ptr<Ingest> ingest, const Clock& clock,
                           OnHandOver on_hand_over)
    : ingest_(std::move(ingest)), clock_(clock), on_hand_over_(std::move(on_hand_over)) {}

IngestThread::~IngestThread() {
  if (thread_.joinable()) stop();
}

void IngestThread::start() {
  thread_ = std::thread([this] { run(); });
}

void IngestThread::request() {
  wanted_ = true;
  ingest_->inputs().wake();
}

void IngestThread::post(std::function<void(Ingest&)> job) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  ingest_->inputs().wake();
}

void IngestThread::run_jobs() {
  std::vector<std::function<void(Ingest&)>> jobs;
  {
    const std::lock_guard lock(mutex_);
    jobs.swap(jobs_);
  }
  for (const auto& job : jobs) job(*ingest_);
}

// Waits or reads, as far as the governor lets us (law 3). True: there is more to read.
bool IngestThread::read_on(bool more) {
  collector::Governor& governor = ingest_->governor();
  const Instant now = clock_.mono();
  if (governor.wants_pressure(now, more)) {
    governor.note_pressure(now, collector::read_pressure());
  }
  if (!more) return ingest_->inputs().poll(kPollMs, kFirstBytes);
  const collector::Governor::Grant grant = governor.next(now, clock_.thread_cpu_ns());
  if (grant.pause_until > now) {
    ingest_->inputs().pause(static_cast<int>((grant.pause_until.ns - now.ns) / kNsPerMs + 1));
    return true;
  }
  const bool still_more = ingest_->inputs().poll(0, grant.bytes);
  governor.spent(grant.bytes);
  return still_more;
}

void IngestThread::run() {
  lower_io_priority();
  run_jobs();
  ingest_->inputs().rescan();
  HandOver first = ingest_->hand_over();
  first.first_look = true;
  on_hand_over_(std::move(first));
  bool more = true;
  bool told = false;  // caught up once, or long enough at it
  const Instant started = clock_.mono();
  while (!stopping_) {
    more = read_on(more);
    run_jobs();
    const bool first_end = !told && !more;
    told = told || first_end || clock_.mono().ns - started.ns > kCatchUpNs;
    if (first_end || (told && wanted_.exchange(false)) || ingest_->pipeline().full()) {
      on_hand_over_(ingest_->hand_over(more ? Ingest::kNothingKnown : clock_.wall()));
    }
  }
}

HandOver IngestThread::stop() {
  stopping_ = true;
  ingest_->inputs().wake();
  if (thread_.joinable()) thread_.join();
  ingest_->finish();
  return ingest_->hand_over();
}

}  // namespace nines::agent
