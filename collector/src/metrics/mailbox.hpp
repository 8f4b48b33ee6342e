// Mailbox: where the answer of a fetch is left, by whatever thread, for the reading thread to pick
// up. Shared with the callback, so that a late answer finds a place to die.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "file/fs.hpp"
#include "nines/base/result.hpp"

namespace nines::collector {

class Mailbox {
 public:
  static Result<std::shared_ptr<Mailbox>> create();

  int fd() const noexcept { return fd_.get(); }  // readable: something was left
  // Answers to earlier questions are dropped from now on. Gives what to answer to.
  uint64_t ask();
  void answer(uint64_t question, Result<std::string> text);
  std::optional<Result<std::string>> collect();
  bool waiting() const;  // an answer is there

 private:
  mutable std::mutex mutex_;
  UniqueFd fd_;
  uint64_t question_ = 0;
  std::optional<Result<std::string>> answer_;
};

}  // namespace nines::collector
