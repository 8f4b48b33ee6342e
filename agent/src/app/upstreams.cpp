#include "app/upstreams.hpp"

#include <algorithm>
#include <utility>

#include "app/log.hpp"
#include "cli/commands.hpp"

namespace nines::agent {
namespace {

std::vector<upstream::Label> labels_of(const UpstreamConfig& config) {
  std::vector<upstream::Label> labels;
  for (const auto& [name, value] : config.labels) labels.push_back({name, value});
  return labels;
}

}  // namespace

struct Upstreams::One {
  std::unique_ptr<upstream::SloSamples> samples;
  std::unique_ptr<SampleDriver> writer;  // asks samples
};

Upstreams::Upstreams(boost::asio::io_context& io, const Clock& clock, const NodeConfig& config,
                     const Judge& judge, const std::vector<store::Document>& kept, uint64_t seed)
    : judge_(judge) {
  for (const UpstreamConfig& wanted : config.upstream) {
    if (wanted.kind == UpstreamConfig::Kind::alertmanager) continue;  // told by notify/
    if (wanted.is_broker()) continue;                                 // told by Brokers
    auto one = std::make_unique<One>();
    one->samples = std::make_unique<upstream::SloSamples>(
        judge.engine(),
        [this](uint32_t slo) {
          const auto [good, bad] = judge_.totals(slo);
          return upstream::SloTotals{good, bad};
        },
        config.node, labels_of(wanted), kVersion, wanted.every_s);
    const auto source = [this, samples = one->samples.get()](int64_t from_s, int64_t to_s) {
      return samples->between(from_s, to_s, known_until_);
    };
    const auto canary = [samples = one->samples.get()](int64_t at_s) {
      return samples->canary(at_s);
    };
    one->writer = std::make_unique<SampleDriver>(io, clock, wanted, source, canary, ++seed);
    const auto found = std::find_if(kept.begin(), kept.end(),
                                    [&](const store::Document& d) { return d.key == wanted.name; });
    if (found != kept.end() && !one->writer->restore(found->body)) {
      log::warn("upstream", "how far " + wanted.name + " was told is not known: it is told anew");
    }
    all_.push_back(std::move(one));
  }
}

Upstreams::~Upstreams() = default;

void Upstreams::known_until(WallTime now) {
  known_until_ = now;
  for (const auto& one : all_) one->writer->known_until(now);
}

std::vector<store::Document> Upstreams::progress() const {
  std::vector<store::Document> out;
  for (const auto& one : all_) {
    std::string body = one->writer->progress();
    if (!body.empty()) out.push_back({kDocuments, one->writer->name(), std::move(body)});
  }
  return out;
}

std::vector<UpstreamStatus> Upstreams::status() const {
  std::vector<UpstreamStatus> out;
  for (const auto& one : all_) out.push_back({one->writer->name(), one->writer->stats()});
  return out;
}

}  // namespace nines::agent
