#include "query/priority.hpp"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace nines::agent::query {
namespace {

constexpr int kNice = 10;
constexpr int kIoClassIdle = 3 << 13;  // linux/ioprio.h
constexpr int kIoOfThread = 1;

}  // namespace

void lower_thread_priority() {
  const auto thread = static_cast<id_t>(::syscall(SYS_gettid));
  ::setpriority(PRIO_PROCESS, thread, kNice);
  ::syscall(SYS_ioprio_set, kIoOfThread, 0, kIoClassIdle);
}

}  // namespace nines::agent::query
