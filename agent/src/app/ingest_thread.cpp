#include "app/ingest_thread.hpp"

#include <sys/syscall.h>
#include <unistd.h>

namespace nines::agent {
namespace {

constexpr int kPollMs = 10'000;
constexpr size_t kSliceBytes = 4 * 1024 * 1024;  // between two looks at requests: some milliseconds

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
    more = ingest_->inputs().poll(more ? 0 : kPollMs, kSliceBytes);
    run_jobs();
    const bool first_end = !told && !more;
    told = told || first_end || clock_.mono().ns - started.ns > kCatchUpNs;
    if (first_end || (told && wanted_.exchange(false)) || ingest_->pipeline().full()) {
      on_hand_over_(ingest_->hand_over());
    }
  }
}

HandOver IngestThread::stop() {
  stopping_ = true;
  ingest_->inputs().wake();
  if (thread_.joinable()) thread_.join();
  return ingest_->hand_over();
}

}  // namespace nines::agent
