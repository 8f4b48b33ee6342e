#include "app/node_capacity.hpp"

#include <charconv>
#include <optional>
#include <string_view>

#include "nines/collector/stream.hpp"

namespace nines::agent {
namespace {

struct Field {
  std::string_view field, vital;
};
constexpr Field kFields[] = {{"\"cpu_busy\":", "cpu"},
                             {"\"memory_used_fraction\":", "memory"},
                             {"\"disk_root_used_fraction\":", "disk_root"},
                             {"\"disk_var_lib_used_fraction\":", "disk_var_lib"},
                             {"\"disk_state_used_fraction\":", "disk_state"}};

// Told, but of no use for forecasts.
constexpr Field kTold[] = {{"\"swap_used_fraction\":", "swap"},
                           {"\"temperature_celsius\":", "temperature_celsius"},
                           {"\"psi_cpu_some_avg60\":", "psi_cpu_some_avg60"},
                           {"\"psi_memory_some_avg60\":", "psi_memory_some_avg60"},
                           {"\"psi_io_some_avg60\":", "psi_io_some_avg60"}};

// A number of a line that the vitals reader made: flat JSON without blanks.
std::optional<double> number_of(std::string_view line, std::string_view field) {
  const size_t at = line.find(field);
  if (at == std::string_view::npos) return std::nullopt;
  const char* const from = line.data() + at + field.size();
  double value = 0;
  const auto done = std::from_chars(from, line.data() + line.size(), value);
  return done.ec == std::errc() ? std::optional<double>(value) : std::nullopt;
}

}  // namespace

class NodeCapacity::Consumer final : public collector::RecordConsumer {
 public:
  Consumer(slo::Capacity& capacity, const Clock& clock) : capacity_(capacity), clock_(clock) {}
  collector::Taken consume(collector::LogStream&, std::string_view data,
                           collector::Reading) override {
    const WallTime now = clock_.wall();
    for (const Field& field : kFields) {
      const auto share = number_of(data, field.field);
      if (!share) continue;
      capacity_.add(field.vital, *share, now);
      if (told) told(field.vital, *share, now);
    }
    for (const Field& field : kTold) {
      const auto value = told ? number_of(data, field.field) : std::nullopt;
      if (value) told(field.vital, *value, now);
    }
    constexpr std::string_view kLow = "\"undervoltage\":";
    const size_t low = data.find(kLow);
    if (told && low != std::string_view::npos) {
      told("undervoltage", data.substr(low + kLow.size()).starts_with("true") ? 1 : 0, now);
    }
    return {data.size()};
  }
  void opened(collector::LogStream&) override {}
  void closed(collector::LogStream&) override {}
  OnVital told;

 private:
  slo::Capacity& capacity_;
  const Clock& clock_;
};

NodeCapacity::NodeCapacity() = default;
NodeCapacity::~NodeCapacity() = default;

Result<std::unique_ptr<NodeCapacity>> NodeCapacity::create(collector::VitalsOptions options,
                                                           const Clock& clock) {
  std::unique_ptr<NodeCapacity> out(new NodeCapacity);
  options.identity = kDocuments;
  options.every_s = kEveryS;
  out->consumer_ = std::make_unique<Consumer>(out->capacity_, clock);
  NINES_TRY(out->input_,
            collector::VitalsInput::create(std::move(options), *out->consumer_, {}, clock));
  return out;
}

void NodeCapacity::restore(const std::vector<store::Document>& documents) {
  for (const store::Document& document : documents) {
    // A damaged one is begun anew.
    (void)capacity_.restore({document.key, document.body});
  }
}

void NodeCapacity::tell(OnVital told) { consumer_->told = std::move(told); }

void NodeCapacity::sample() { (void)input_->read(1); }

std::vector<store::Document> NodeCapacity::documents_of(std::vector<slo::Capacity::Kept> kept) {
  std::vector<store::Document> out;
  out.reserve(kept.size());
  for (auto& one : kept) out.push_back({kDocuments, std::move(one.vital), std::move(one.text)});
  return out;
}

}  // namespace nines::agent
