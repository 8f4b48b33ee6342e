// Drafting: zero configuration while the agent runs. Logs that appear later get drafted SLOs, which
// are attached, restored and followed like those of the start. Control thread.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "app/ingest.hpp"
#include "app/ingest_thread.hpp"
#include "app/judge.hpp"
#include "app/setup.hpp"
#include "app/worker.hpp"
#include "nines/store/state_store.hpp"

namespace boost::asio {
class io_context;
}

namespace nines::agent {

class Drafting {
 public:
  // What it works with; all outlive it. `store` is touched by jobs of `store_work` only.
  struct Parts {
    boost::asio::io_context& io;
    const Clock& clock;
    const Setup& setup;
    const std::string& log_root;
    Worker& store_work;
    store::StateStore& store;
    Judge& judge;
    IngestThread& ingest;
  };
  explicit Drafting(Parts parts);

  // Looks for logs that have appeared, unless it just has.
  void look();

 private:
  struct Draft;
  using Drafts = std::shared_ptr<std::vector<Draft>>;

  slo::SloSpec with_free_name(slo::SloSpec spec) const;
  void take_in(const slo::SloSpec& spec, std::vector<Draft>& fresh);
  void watch(const Drafts& drafts);
  void follow(Ingest& ingest, const Drafts& drafts);

  Parts parts_;
  std::set<std::string> drafted_;  // generations: what they count, whatever the name
  Instant last_look_;
  bool looking_ = false;
};

}  // namespace nines::agent
