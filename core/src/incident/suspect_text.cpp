#include "nines/incident/suspect_text.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace nines::incident {
namespace {

std::string rounded(double value) {
  char text[32];
  const double size = std::fabs(value);
  const char* const format = size >= 100 || size == 0 ? "%.0f" : size >= 1 ? "%.1f" : "%.3g";
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string share(double part, double of) {
  return of > 0 ? rounded(100 * part / of) + " %" : "never";
}

std::string seconds(double value) {
  return value < 1 ? rounded(value * 1000) + " ms" : rounded(value) + " s";
}

std::string now_and_usually(const FlowFinding& f) {
  return std::to_string(f.hits) + " of " + std::to_string(f.of) + " requests, usually in " +
         share(f.hits_before, f.of_before);
}

class Teller {
 public:
  explicit Teller(const SuspectNames& names) : names_(names) {}

  std::string tell(const FlowFinding& f) const {
    switch (f.kind) {
      case FlowFinding::Kind::path:
        if (f.next == 0) return quoted(f.line) + " is its last line in " + now_and_usually(f);
        return quoted(f.line) + " is followed by " + quoted(f.next) + " in " + now_and_usually(f);
      case FlowFinding::Kind::silent:
        return "is heard after " + service(f.caller) + "'s " + quoted(f.line) + " in " +
               now_and_usually(f);
      case FlowFinding::Kind::error:
        return "logs the error " + quoted(f.line) + " in " + now_and_usually(f);
      case FlowFinding::Kind::slow:
        return "from " + quoted(f.line) + " to " +
               (f.caller == f.service ? std::string("its") : service(f.caller) + "'s") +
               " next line it takes " + seconds(f.seconds) + ", usually " +
               seconds(f.seconds_before) + " (" + std::to_string(f.hits) + " times)";
    }
    return {};
  }

  std::string tell(const CountFinding& f) const {
    const std::string what = f.line != 0 ? quoted(f.line) : f.error ? "errors" : "anything at all";
    const std::string usual = "usually " + rounded(f.expected) + " in that time";
    if (f.seen == 0) {
      return "has not logged " + what + " for " + seconds(f.seconds) + ", " + usual;
    }
    return "logs " + (f.line != 0 || f.error ? what : std::string("lines")) + " " +
           std::to_string(f.seen) + " times in " + seconds(f.seconds) + ", " + usual;
  }

 private:
  const std::string& service(ServiceId id) const {
    static const std::string kUnknown = "another service";
    return id < names_.services.size() ? names_.services[id] : kUnknown;
  }
  std::string quoted(TemplateId line) const {
    const std::string text = names_.text_of(line);
    return text.empty() ? "a line that is forgotten" : '"' + text + '"';
  }

  const SuspectNames& names_;
};

std::string tell(const UsageFinding& f, const std::string& gauge) {
  return (gauge.empty() ? "uses " : gauge + " is ") + rounded(f.now) + ", usually " +
         rounded(f.usual) + " and at most " + rounded(f.high) + " (95 %)";
}

std::string wrong_if(const CountFinding& f) {
  return f.score < 0 ? "its logs are not read at present (another node, lag, rotation), or nobody "
                       "has asked anything of it"
                     : "it is asked for more, or for other things, than usual: then those who ask "
                       "are to be looked at";
}

std::string wrong_if(FlowFinding::Kind kind) {
  switch (kind) {
    case FlowFinding::Kind::path:
    case FlowFinding::Kind::error:
      return "a service that it calls failed first and logs nothing that is read here, or callers "
             "send what they never sent before";
    case FlowFinding::Kind::silent:
      return "its logs are not read at present (another node, lag, rotation), or its callers have "
             "stopped calling it on purpose";
    case FlowFinding::Kind::slow:
      return "what it waits for is slow and logs nothing that is read here: the network, a "
             "database, a node without memory";
  }
  return {};
}

// A line that comes now and did not: an error, or what follows where something else did. 0: none.
TemplateId new_line(const FlowFinding& f) {
  if (f.kind == FlowFinding::Kind::error) return f.line;
  const bool rose =
      static_cast<double>(f.hits) * f.of_before > f.hits_before * static_cast<double>(f.of);
  return f.kind == FlowFinding::Kind::path && rose ? f.next : 0;
}

double weighed(const FlowFinding& f) {
  return f.kind == FlowFinding::Kind::slow ? f.score / 2 : f.score;
}

}  // namespace

std::vector<SuspectText> tell_suspects(const std::vector<Suspect>& suspects,
                                       const SuspectNames& names, size_t most, size_t evidence) {
  const Teller teller(names);
  std::vector<SuspectText> out;
  for (const Suspect& suspect : suspects) {
    if (out.size() == most) break;
    SuspectText& told = out.emplace_back();
    if (suspect.service < names.services.size()) told.service = names.services[suspect.service];
    told.score = suspect.score;
    struct Piece {
      double score = 0;
      std::string text, wrong;
      TemplateId line = 0, fresh = 0;
    };
    std::vector<Piece> pieces;
    for (const FlowFinding& f : suspect.flow) {
      pieces.push_back({weighed(f), teller.tell(f), wrong_if(f.kind), f.line, new_line(f)});
    }
    for (const UsageFinding& f : suspect.usage) {
      const std::string gauge = names.gauge_of ? names.gauge_of(told.service) : std::string();
      pieces.push_back({f.score, tell(f, gauge),
                        "something planned uses it: a backup, a compaction, more traffic", 0, 0});
    }
    for (const std::string& fact : suspect.facts) {
      pieces.push_back({INFINITY, fact,
                        "it fails for what it was given: a service that it needs, its "
                        "configuration, memory that others took",
                        0});
    }
    for (const CountFinding& f : suspect.counts) {
      pieces.push_back({std::abs(f.score), teller.tell(f), wrong_if(f), f.line});
    }
    std::stable_sort(pieces.begin(), pieces.end(),
                     [](const Piece& a, const Piece& b) { return a.score > b.score; });
    if (!pieces.empty()) {
      told.wrong_if = pieces.front().wrong;
      const auto fresh = std::find_if(pieces.begin(), pieces.end(),
                                      [](const Piece& piece) { return piece.fresh != 0; });
      told.line = fresh != pieces.end() ? fresh->fresh : pieces.front().line;
    }
    for (Piece& piece : pieces) {
      if (told.evidence.size() == evidence) break;
      told.evidence.push_back(std::move(piece.text));
    }
  }
  return out;
}

}  // namespace nines::incident
