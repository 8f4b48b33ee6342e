#include "metrics/mailbox.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace nines::collector {

Result<std::shared_ptr<Mailbox>> Mailbox::create() {
  auto box = std::make_shared<Mailbox>();
  box->fd_.reset(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (box->fd_.valid()) return box;
  return Error{Errc::io, "scrape: eventfd failed (out of descriptors? see ulimit -n)", errno};
}

uint64_t Mailbox::ask() {
  const std::lock_guard lock(mutex_);
  answer_.reset();
  return ++question_;
}

void Mailbox::answer(uint64_t question, Result<std::string> text) {
  const std::lock_guard lock(mutex_);
  if (question != question_ || answer_) return;
  answer_.emplace(std::move(text));
  const uint64_t one = 1;
  (void)!::write(fd_.get(), &one, sizeof one);
}

std::optional<Result<std::string>> Mailbox::collect() {
  uint64_t count = 0;
  (void)!::read(fd_.get(), &count, sizeof count);
  const std::lock_guard lock(mutex_);
  return std::exchange(answer_, std::nullopt);
}

bool Mailbox::waiting() const {
  const std::lock_guard lock(mutex_);
  return answer_.has_value();
}

}  // namespace nines::collector
