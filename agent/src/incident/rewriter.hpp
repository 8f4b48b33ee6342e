// Rewriter: a language model that may put a narrative into other words (an OpenAI-compatible API).
// What it writes is told only if core::accepts_rewrite() finds nothing in it that the facts do not
// have; otherwise, and while it does not answer, the plain sentences are told, with a note.
//
// One question at a time, one deadline, bounded answers; the last text that was accepted is told
// again while the sentences stay the same. On the thread of `io`.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "nines/base/result.hpp"
#include "nines/incident/narrative.hpp"

namespace boost::asio {
class io_context;
}

namespace nines::agent::incident {

struct Rewritten {
  std::string text;
  bool rewritten = false;  // by the model
  std::string note;        // why it is not; empty: nothing stands against it
};

class Rewriter {
 public:
  using Done = std::function<void(const Rewritten&)>;

  Rewriter(boost::asio::io_context& io, NarrativeConfig config);
  ~Rewriter();

  // `known`: names that must be facts where they occur. `done` comes once, at once or later, or
  // never when the Rewriter ends before that.
  void tell(const nines::incident::Narrative& narrative, std::vector<std::string> known, Done done);

  struct Counters {
    uint64_t accepted = 0;
    uint64_t repeated = 0;  // the sentences were as before: not asked again
    uint64_t refused = 0;   // said what the facts do not say
    uint64_t failed = 0;    // no answer in time, or none that is understood
    uint64_t busy = 0;      // another question was under way
  };
  const Counters& counters() const noexcept { return counters_; }

 private:
  Counters counters_;
  boost::asio::io_context& io_;
  NarrativeConfig config_;
  bool asking_ = false;
  std::string last_plain_, last_text_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

// The body of a request for a chat completion.
std::string rewrite_request(const std::string& model, const nines::incident::Narrative& narrative);
// The text of its answer.
Result<std::string> rewrite_answer(const std::string& body);

}  // namespace nines::agent::incident
