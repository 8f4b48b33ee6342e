#include "app/inputs.hpp"

#include <string_view>
#include <utility>

#include "nines/collector/inputs.hpp"
#include "nines/log/format.hpp"
#include "nines/log/timestamp.hpp"

namespace nines::agent {

namespace {

template <class Kind>
Result<std::unique_ptr<collector::Input>> as_input(Result<std::unique_ptr<Kind>> made) {
  if (!made.ok()) return made.error();
  return std::unique_ptr<collector::Input>(std::move(*made));
}

}  // namespace

std::string input_name(const slo::SourceSelector& s) {
  switch (s.input) {
    case slo::InputKind::files: break;
    case slo::InputKind::journal: return s.units.empty() ? "journal" : "journal:" + s.units.front();
    case slo::InputKind::syslog: return "syslog+" + s.listen.front();
    case slo::InputKind::standard_input: return "stdin";
    case slo::InputKind::kmsg: return "kmsg";
    case slo::InputKind::scrape: return s.url;
    case slo::InputKind::vitals: return "vitals";
  }
  return "files";
}

Result<std::unique_ptr<collector::Input>> make_input(uint32_t source,
                                                     const slo::SourceSelector& selector,
                                                     const InputEnvironment& environment,
                                                     const std::vector<slo::Position>& saved,
                                                     collector::RecordConsumer& consumer,
                                                     const Clock& clock) {
  switch (selector.input) {
    case slo::InputKind::files: break;
    case slo::InputKind::journal: {
      collector::JournalOptions options;
      options.units = selector.units;
      options.start = selector.start;
      options.once = environment.once;
      options.sources = {source};
      return collector::make_journal_input(options, consumer, saved, clock);
    }
    case slo::InputKind::standard_input: {
      collector::StdinOptions options;
      options.sources = {source};
      return collector::make_stdin_input(options, consumer, clock);
    }
    case slo::InputKind::syslog: {
      collector::SyslogOptions options;
      options.listen = selector.listen;
      options.sources = {source};
      return collector::make_syslog_input(std::move(options), consumer, clock);
    }
    case slo::InputKind::kmsg: {
      collector::KmsgOptions options;
      options.start = selector.start;
      options.once = environment.once;
      options.sources = {source};
      return collector::make_kmsg_input(std::move(options), consumer, saved, clock);
    }
    case slo::InputKind::scrape: {
      collector::ScrapeOptions options;
      options.url = selector.url;
      options.token_file = selector.token_file;
      options.every_s = selector.scrape_every_s;
      options.identity = environment.service + "/" + std::to_string(options.every_s);
      options.sources = {source};
      return as_input(
          collector::ScrapeInput::create(options, environment.fetch, consumer, saved, clock));
    }
    case slo::InputKind::vitals: {
      collector::VitalsOptions options;
      options.every_s = selector.vitals_every_s;
      options.identity = environment.service + "/" + std::to_string(options.every_s);
      options.state_dir = environment.state_dir;
      options.sources = {source};
      return as_input(collector::VitalsInput::create(options, consumer, saved, clock));
    }
    default: break;
  }
  return Error{Errc::invalid_argument, "files have no input of their own"};
}

collector::FileSource file_source(const slo::SourceSelector& selector, collector::GlobSpec globs) {
  collector::FileSource out;
  out.globs = std::move(globs);
  out.from_end = selector.start == "end";
  if (const auto start = log::parse_iso_time(selector.start, {})) out.not_before = start->ts;
  out.ignore_older_s = selector.ignore_older_s;
  out.newest_first = selector.newest_first;
  if (selector.excess == slo::Excess::wait) {
    out.max_bytes_per_s = selector.max_bytes_per_s;
    out.max_lines_per_s = selector.max_lines_per_s;
  }
  return out;
}

slo::SourceSelector selector_of_argument(const std::string& argument) {
  using slo::InputKind;
  slo::SourceSelector out;
  const auto after = [&](std::string_view prefix) { return argument.substr(prefix.size()); };
  if (argument == "-") {
    out.input = InputKind::standard_input;
  } else if (argument.starts_with("journal:")) {
    out.input = InputKind::journal;
    if (argument != "journal:") out.units = {after("journal:")};
  } else if (argument == "kmsg:") {
    out.input = InputKind::kmsg;
  } else if (argument == "vitals:") {
    out.input = InputKind::vitals;
  } else if (argument.starts_with("udp://") || argument.starts_with("tcp://") ||
             argument.starts_with("unix://") || argument.starts_with("unix-stream://")) {
    out.input = InputKind::syslog;
    out.listen = {argument};
  } else if (argument.starts_with("http://") || argument.starts_with("https://")) {
    out.input = InputKind::scrape;
    out.url = argument;
  } else {
    out.paths = {argument};
  }
  return out;
}

}  // namespace nines::agent
