// Upstreams: the engines of `upstream:` in nines.yaml, each with how far it was told. On the
// control thread, which owns the SLO engine that they read.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "app/judge.hpp"
#include "config/config.hpp"
#include "nines/upstream/slo_samples.hpp"
#include "upstream/sample_driver.hpp"

namespace nines::agent {

class Upstreams {
 public:
  // `io`, `clock` and `judge` must outlive it. `kept`: the documents of an earlier life.
  Upstreams(boost::asio::io_context& io, const Clock& clock, const NodeConfig& config,
            const Judge& judge, const std::vector<store::Document>& kept, uint64_t seed);
  ~Upstreams();

  static constexpr const char* kDocuments = "upstream";

  // Everything up to `now` is counted and judged.
  void known_until(WallTime now);
  // How far each was told: belongs into the next commit.
  std::vector<store::Document> progress() const;
  std::vector<UpstreamStatus> status() const;

 private:
  struct One;
  const Judge& judge_;
  WallTime known_until_{};
  std::vector<std::unique_ptr<One>> all_;
};

}  // namespace nines::agent
