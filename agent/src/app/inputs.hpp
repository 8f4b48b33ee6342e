// From what a source names to the input that reads it. Files are not made here: one tailer reads
// those of all sources.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "nines/base/result.hpp"
#include "nines/base/time.hpp"
#include "nines/collector/input.hpp"
#include "nines/collector/metrics_inputs.hpp"
#include "nines/collector/pod_directory.hpp"
#include "nines/collector/tailer.hpp"
#include "nines/slo/spec.hpp"

namespace nines::agent {

// What people call a source that is not files: "journal", "syslog+udp://...", a URL.
std::string input_name(const slo::SourceSelector& selector);

// What inputs need of the process that they run in.
struct InputEnvironment {
  collector::Fetch fetch;  // for scrapes
  std::string state_dir;   // whose file system is among the vitals
  bool once = false;       // inputs end where they presently end
  std::shared_ptr<const collector::PodFeed> pods = nullptr;  // who tells of pods; null: nobody
  bool reread = false;       // files only, up to where they were read (collector::TailerOptions)
  std::string service = {};  // of the source: each has inputs, and positions, of its own
};

// `selector.input` is not files. `saved` holds every position of an earlier life; the input takes
// its own.
Result<std::unique_ptr<collector::Input>> make_input(uint32_t source,
                                                     const slo::SourceSelector& selector,
                                                     const InputEnvironment& environment,
                                                     const std::vector<slo::Position>& saved,
                                                     collector::RecordConsumer& consumer,
                                                     const Clock& clock);

// What the tailer needs to know of a source that is files.
collector::FileSource file_source(const slo::SourceSelector& selector, collector::GlobSpec globs);

// An argument of `nines tail`: a glob, or - (standard input), journal:[UNIT], kmsg:, vitals:,
// udp://, tcp://, unix://, unix-stream://, http://, https:// (scraped).
slo::SourceSelector selector_of_argument(const std::string& argument);

}  // namespace nines::agent
