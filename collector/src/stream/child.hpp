// A child process whose output is read: started without a shell, killed with us, never waited for.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "../file/fs.hpp"
#include "nines/base/result.hpp"

namespace nines::collector {

class Child {
 public:
  Child() = default;
  ~Child() { stop(); }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // argv[0] is looked for in PATH. Its output and messages can then be read without blocking.
  Status start(const std::vector<std::string>& argv);
  bool running() const noexcept { return pid_ > 0; }
  int output() const noexcept { return output_.get(); }
  int messages() const noexcept { return messages_.get(); }
  // Ends it and takes what it last said. Its exit status, or -1 when it was ended by a signal.
  int stop() noexcept;
  // Keeps the last line written to stderr.
  void read_messages();
  const std::string& last_message() const noexcept { return last_message_; }

 private:
  pid_t pid_ = -1;
  UniqueFd output_, messages_;
  std::string last_message_;
};

}  // namespace nines::collector
