// TemplateWatch: how often each service logs each template, now and usually. Keeps the last six
// minutes in slots of 10 s, and for each series (a template of a service, all lines of a service,
// all error lines of it) a baseline that is forgotten by halves:
//
//   all hours   lines a minute, half-life 72 h of watched time
//   week        lines of each of the 168 hours of a week (UTC, hour 0 is Monday 00:00), one byte
//               each (a logarithm, within 3.6 %), half-life 4 weeks; only series of 32 lines or
//               more
//   usual       of an hour: its own history, drawn towards that of the same hour of all days by an
//               hour's weight, which is drawn towards all hours by an hour's weight
//   dispersion  Pearson's chi2 of the minutes over their number, at least 1: what wavers in healthy
//               minutes is divided out of every score (as RequestFlow does)
//   peak        the most lines of one minute in the last one to two weeks
//
// A minute becomes part of the baseline when it leaves the six minutes, if all of it was watched
// and learning was not held (in an incident, unless no service is known for half an hour yet). Time
// not watched (the agent was stopped, the input lagged) is not learned nor counted as silence.
//
// Bounded: 0.4 KiB a template of a service with its week, 0.25 KiB without one; at most
// max_templates of them (the one not seen for longest makes room) and max_services (0.9 KiB each).
// Not thread-safe; no clock: `now` and the times of lines are given.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/result.hpp"
#include "nines/base/time.hpp"
#include "nines/incident/template_miner.hpp"

namespace nines::incident {

struct WatchLimits {
  size_t max_services = 256;
  size_t max_templates = 2048;   // of services; with and without error apart
  size_t max_first_seen = 64;    // events that wait to be taken; beyond: counted only
  int64_t learn_minutes = 1440;  // watched, of a service, before what is new to it is an event
};

// How the time since the last advance() was.
struct Watched {
  bool complete = true;  // all lines of it were read: the input does not lag
  bool learn = true;     // no incident is open
};

// A template that a service has never logged before.
struct FirstSeen {
  std::string service;
  TemplateId line = 0;
  bool error = false;
  WallTime at{};
};

struct CountFinding {
  std::string service;
  TemplateId line = 0;  // 0: all lines of the service; with `error` all error lines
  bool error = false;
  uint64_t seen = 0;
  double expected = 0;  // in the same time
  double seconds = 0;
  double dispersion = 1;
  double score = 0;  // about chi2 with one degree of freedom; below 0: fewer than usual
  WallTime first_seen{};
};

// Of the slots asked for.
struct ServiceRate {
  std::string service;
  double seconds = 0;
  uint64_t lines = 0, errors = 0;
  double usual_lines = 0, usual_errors = 0;  // in the same time
};

// An error template that is busy now, for the Detector.
struct ErrorCourse {
  std::string service;
  TemplateId line = 0;
  std::vector<uint32_t> slots;  // newest first; the first one is not over yet
  WallTime slots_end{};         // of the one that is not over yet
  double usual = 0;             // a minute, the most of this hour and its neighbours
  double dispersion = 1;
  uint32_t peak = 0;  // lines of the busiest minute of the last weeks
  int64_t known_minutes = 0;
};

// When a service was last heard, for the Detector.
struct Hearing {
  std::string service;
  WallTime last{};
  int64_t quiet_s = 0;    // watched seconds since, in slots
  int64_t longest_s = 0;  // usually: the longest of the last eight days on which it was heard
  int days = 0;           // of them, this one included
  double lines_a_minute = 0;
};

class TemplateWatch {
 public:
  static constexpr int64_t kSlotS = 10;
  static constexpr size_t kSlots = 36;  // the last six minutes, the slot that runs included

  explicit TemplateWatch(WatchLimits limits = {});
  ~TemplateWatch();
  TemplateWatch(TemplateWatch&&) noexcept;
  TemplateWatch& operator=(TemplateWatch&&) noexcept;

  // Lines that are older than the slots are told in stats() only; those from the future count now.
  void count(std::string_view service, TemplateId line, bool error, WallTime at,
             uint32_t times = 1);
  // To be called at least once a slot; more than a minute since the last call was not watched.
  void advance(WallTime now, Watched how = {});

  // A template became part of another one (TemplateMiner::take_merges), in all services.
  void merge(TemplateId from, TemplateId to);
  // A service is known to be gone: what it does not log is no silence.
  void forget(std::string_view service);

  std::vector<FirstSeen> take_first_seen();

  // The strongest excesses and deficits of each service from `since` (at most the slots) up to the
  // last slot that is over, at most `most` of a service and direction; strongest first. Scores
  // below `least` are left out. Services watched for less than half an hour give none.
  std::vector<CountFinding> findings(WallTime since, size_t most = 3, double least = 10) const;
  std::vector<ServiceRate> rates(WallTime since) const;  // by name

  // Error templates with at least so many lines in the last minute and the slot that runs.
  std::vector<ErrorCourse> busy_errors(uint64_t least) const;
  std::vector<Hearing> hearing() const;

  // Baselines, gaps and what was forgotten; not the slots. Version 1, with a checksum.
  std::string save() const;
  // Instead of what is known. corrupt: nothing was taken.
  Status restore(std::string_view saved);

  struct Stats {
    size_t services = 0, templates = 0, memory_bytes = 0;
    uint64_t lines = 0, late = 0, left_out = 0;  // left out: beyond max_services
    uint64_t forgotten = 0, first_seen_dropped = 0;
  };
  Stats stats() const noexcept;

  struct Impl;  // of the .cpp files

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace nines::incident
