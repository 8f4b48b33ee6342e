#include "http/timeline_api.hpp"

#include <algorithm>
#include <charconv>
#include <memory>
#include <string_view>

#include "config/reader.hpp"
#include "http/query.hpp"
#include "nines/log/format.hpp"
#include "nines/log/timestamp.hpp"

namespace nines::agent::http {
namespace {

using timeline::StoryWish;

constexpr std::string_view kTimeline = "/api/timeline";
constexpr std::string_view kIncidents = "/api/incidents/", kOfIncident = "/timeline";
constexpr int64_t kUsualNs = 86400 * kNsPerSecond;  // without a since
constexpr int64_t kBeforeNs = 1800 * kNsPerSecond;  // of an incident
constexpr size_t kMostEvents = 20'000, kLeastWidth = 60, kMostWidth = 400;

Error bad(std::string what) { return Error{Errc::invalid_argument, std::move(what)}; }

// A length of time before now, or a moment.
Result<WallTime> moment(const std::string& text, std::string_view name, WallTime now) {
  const auto ms = config::parse_duration_ms(text);
  if (ms && *ms >= 0) return WallTime{now.ns - *ms * kNsPerMs};
  const auto parsed = log::parse_iso_time(text, {});
  const bool zoned =
      text.find('T') != std::string::npos &&
      (text.back() == 'Z' || text.find_first_of("+-", text.find('T')) != std::string::npos);
  if (parsed && parsed->length == text.size() && zoned) return parsed->ts;
  return bad(std::string(name) +
             " must be a time ago such as 24h or 30m, or a moment with its zone such as "
             "2026-11-21T10:00:00Z, found '" +
             text + "'");
}

Result<size_t> number(std::string_view text, std::string_view name, size_t least, size_t most) {
  size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && value >= least && value <= most) {
    return value;
  }
  return bad(std::string(name) + " must lie within " + std::to_string(least) + ".." +
             std::to_string(most) + ", found '" + std::string(text) + "'");
}

std::string all_kinds() {
  std::string out;
  for (size_t i = 0; i < timeline::core::kEventKinds; ++i) {
    const auto name = timeline::core::name_of(static_cast<timeline::core::EventKind>(i));
    out += (out.empty() ? "" : ", ") + std::string(name);
  }
  return out;
}

Status read_kinds(const std::string& text, StoryWish& wish) {
  for (size_t from = 0; from < text.size();) {
    const size_t comma = std::min(text.find(',', from), text.size());
    std::string name = text.substr(from, comma - from);
    std::replace_if(
        name.begin(), name.end(), [](char c) { return c == '-' || c == '_'; }, ' ');
    const auto kind = timeline::core::kind_named(name);
    if (!kind) return bad("kind must be some of " + all_kinds() + ", found '" + name + "'");
    wish.filter.kinds.push_back(*kind);
    from = comma + 1;
  }
  return Ok{};
}

Status read_format(const std::string& text, StoryWish& wish) {
  using Format = StoryWish::Format;
  if (text.empty() || text == "json") {
    wish.format = Format::json;
  } else if (text == "text") {
    wish.format = Format::text;
  } else if (text == "mermaid") {
    wish.format = Format::mermaid;
  } else if (text == "svg") {
    wish.format = Format::svg;
  } else {
    return bad("format must be json, text, mermaid or svg, found '" + text + "'");
  }
  return Ok{};
}

Status read_times(const std::string& query, WallTime now, StoryWish& wish) {
  const std::string since = decoded_parameter(query, "since");
  const std::string until = decoded_parameter(query, "until");
  if (!until.empty()) {
    NINES_TRY(wish.filter.until, moment(until, "until", now));
  }
  if (!since.empty()) {
    NINES_TRY(wish.filter.since, moment(since, "since", now));
  } else if (!wish.filter.since) {
    wish.filter.since = WallTime{wish.filter.until.value_or(now).ns - kUsualNs};
  }
  if (wish.filter.until && *wish.filter.since >= *wish.filter.until) {
    return bad("until must be later than since");
  }
  return Ok{};
}

Status read_rest(const std::string& query, StoryWish& wish) {
  wish.filter.node = decoded_parameter(query, "node");
  wish.filter.service = decoded_parameter(query, "service");
  wish.zone = decoded_parameter(query, "zone");
  wish.filter.limit = kMostEvents;
  if (const auto limit = parameter(query, "limit"); !limit.empty()) {
    NINES_TRY(wish.filter.limit, number(limit, "limit", 1, kMostEvents));
  }
  if (const auto width = parameter(query, "width"); !width.empty()) {
    NINES_TRY(const size_t columns, number(width, "width", 1, 10'000));
    wish.width = std::clamp(columns, kLeastWidth, kMostWidth);
  }
  NINES_CHECK(read_kinds(decoded_parameter(query, "kind"), wish));
  return read_format(decoded_parameter(query, "format"), wish);
}

Result<StoryWish> wish_of(const TimelineAccess& access, const std::string& id,
                          const std::string& query) {
  StoryWish wish;
  const WallTime now = access.now();
  if (!id.empty()) {
    const auto incident = access.incident ? access.incident(id) : std::nullopt;
    if (!incident) {
      return Error{Errc::not_found,
                   access.incident
                       ? "there is no incident " + id + "; /api/incidents?state=all lists them"
                       : "this agent keeps no incidents: incidents: in nines.yaml"};
    }
    wish = story_of(*incident, now);
  }
  NINES_CHECK(read_times(query, now, wish));
  NINES_CHECK(read_rest(query, wish));
  return wish;
}

const char* type_of(StoryWish::Format format) {
  switch (format) {
    case StoryWish::Format::text:
    case StoryWish::Format::mermaid: return "text/plain; charset=utf-8";
    case StoryWish::Format::svg: return "image/svg+xml";
    case StoryWish::Format::json: break;
  }
  return "application/json";
}

HttpResponse answer_error(const Error& error) {
  switch (error.code) {
    case Errc::invalid_argument: return problem(400, error.message);
    case Errc::not_found: return problem(404, error.message);
    default: return problem(503, error.message);
  }
}

void answer(const TimelineAccess& access, const std::string& id, const HttpRequest& request,
            const Reply& reply) {
  if (request.method != "GET" && request.method != "HEAD") {
    HttpResponse response = problem(405, "'" + request.path + "' is only read");
    response.headers.emplace_back("Allow", "GET, HEAD");
    return reply(std::move(response));
  }
  auto wish = wish_of(access, id, request.query);
  if (!wish.ok()) return reply(answer_error(wish.error()));
  const StoryWish::Format format = wish->format;
  access.tell(std::move(*wish), [reply, format](Result<std::string> told) {
    if (!told.ok()) return reply(answer_error(told.error()));
    HttpResponse response{200, type_of(format), std::move(*told), {}};
    // Opened by itself it is a document: nothing in it may run or load.
    if (format == StoryWish::Format::svg) {
      response.headers.emplace_back("Content-Security-Policy",
                                    "default-src 'none'; style-src 'unsafe-inline'");
    }
    reply(std::move(response));
  });
}

}  // namespace

StoryWish story_of(const nines::incident::Incident& incident, WallTime now) {
  StoryWish wish;
  wish.scope = timeline::scope_of(incident);
  wish.title = incident.id + ": " + incident.title;
  const WallTime began = incident.began.ns != 0 ? incident.began : incident.opened;
  wish.filter.since = WallTime{began.ns - kBeforeNs};
  // What ends it is part of it.
  wish.filter.until = WallTime{(incident.over() ? incident.resolved.ns : now.ns) + kNsPerSecond};
  return wish;
}

AsyncHandler make_timeline_api(TimelineAccess access, AsyncHandler next) {
  const auto shared = std::make_shared<const TimelineAccess>(std::move(access));
  return [shared, next = std::move(next)](const HttpRequest& request, Reply reply) {
    std::string_view path = request.path;
    if (path == kTimeline) {
      return answer(*shared, decoded_parameter(request.query, "incident"), request, reply);
    }
    if (path.starts_with(kIncidents) && path.ends_with(kOfIncident) &&
        path.size() > kIncidents.size() + kOfIncident.size()) {
      path.remove_prefix(kIncidents.size());
      path.remove_suffix(kOfIncident.size());
      return answer(*shared, std::string(path), request, reply);
    }
    next(request, std::move(reply));
  };
}

}  // namespace nines::agent::http
