#include "http/front.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "http/content_coding.hpp"
#include "http/host_name.hpp"
#include "http/page.hpp"
#include "http/routes.hpp"

namespace nines::agent::http {
namespace {

constexpr size_t kWorthCompressing = 1024;
constexpr size_t kShownHost = 100;
constexpr int kFastest = 1;  // between a node's own log lines
constexpr const char* kProblem = "application/problem+json";
// Of answers that are data: opened by themselves they load and run nothing.
constexpr const char* kDataPolicy = "default-src 'none'; frame-ancestors 'none'";

bool compresses(std::string_view type) {
  return type.starts_with("text/") || type.find("json") != std::string_view::npos ||
         type.starts_with("image/svg");
}

void as_text(HttpResponse& response) {
  const auto tree = nlohmann::json::parse(response.body, nullptr, false);
  if (!tree.is_object()) return;
  response.content_type = "text/plain; charset=utf-8";
  response.body = tree.value("detail", "") + "\n";
}

}  // namespace

struct Front::Impl {
  Impl(FrontOptions given, RouteTable table)
      : options(std::move(given)),
        routes(std::move(table)),
        rate(options.rate),
        page(options.page) {}

  FrontOptions options;
  RouteTable routes;
  RateLimit rate;
  PageFiles page;
  FrontStats stats;

  bool takes_origin(const std::string& origin) const {
    const auto& all = options.cors_origins;
    return !origin.empty() && std::any_of(all.begin(), all.end(), [&](const std::string& one) {
      return one == "*" || one == origin;
    });
  }

  void add_cors(const HttpRequest& request, HttpResponse& response) const {
    if (options.cors_origins.empty()) return;
    response.headers.emplace_back("Vary", "Origin");
    if (!takes_origin(request.origin)) return;
    response.headers.emplace_back("Access-Control-Allow-Origin", request.origin);
    response.headers.emplace_back("Access-Control-Expose-Headers", "ETag, Link, Nines-Complete");
  }

  // What a browser asks before it sends a write for another origin.
  HttpResponse preflight(const HttpRequest& request) const {
    const std::string allowed = routes.allowed(request.path);
    if (allowed.empty()) return problem(404, "nothing is served at '" + request.path + "'");
    HttpResponse response{204, "text/plain", "", {{"Allow", allowed + ", OPTIONS"}}};
    if (takes_origin(request.origin)) {
      response.headers.emplace_back("Access-Control-Allow-Methods", allowed);
      response.headers.emplace_back("Access-Control-Allow-Headers",
                                    "Authorization, Content-Type, If-None-Match, Last-Event-ID");
      response.headers.emplace_back("Access-Control-Max-Age", "600");
    }
    return response;
  }

  // nullopt: it goes on to the routes.
  std::optional<HttpResponse> answer(const HttpRequest& request) {
    ++stats.requests;
    if (const auto wait_s = rate.wait(request.address, options.now())) {
      HttpResponse response = problem(
          429, "too many requests of one address; try again in " + std::to_string(*wait_s) + " s");
      response.headers.emplace_back("Retry-After", std::to_string(*wait_s));
      return response;
    }
    if (options.hosts && !may_be_here(request.host, *options.hosts)) {
      ++stats.refused;
      return problem(421, "this agent is not '" + request.host.substr(0, kShownHost) +
                              "'; ask it by its address, or name the proxy before it in "
                              "api.public_url");
    }
    if (request.method == "OPTIONS") return preflight(request);
    const bool reads = request.method == "GET" || request.method == "HEAD";
    if (reads && page.has_index()) {
      if (auto file = page.find(request)) return file;
    }
    auto refused = routes.refuse(request);
    if (refused) ++stats.refused;
    if (!refused && request.path == "/api/openapi.json") {
      return HttpResponse{200, "application/json", std::string(options.openapi), {}};
    }
    return refused;
  }

  void shorten(const HttpRequest& request, HttpResponse& response) {
    const bool small = response.body.size() < kWorthCompressing;
    if (small || !compresses(response.content_type)) return;
    response.headers.emplace_back("Vary", "Accept-Encoding");
    if (!takes_gzip(request.accept_encoding)) return;
    std::string packed = gzip(response.body, kFastest);
    if (packed.empty() || packed.size() >= response.body.size()) return;
    ++stats.compressed;
    stats.bytes_saved += response.body.size() - packed.size();
    response.body = std::move(packed);
    response.headers.emplace_back("Content-Encoding", "gzip");
  }

  void finish(const HttpRequest& request, HttpResponse& response) {
    const auto unless_set = [&](const char* name, const char* value) {
      if (response.header(name) == nullptr) response.headers.emplace_back(name, value);
    };
    unless_set("Content-Security-Policy", kDataPolicy);
    unless_set("Referrer-Policy", "no-referrer");
    unless_set("X-Frame-Options", "DENY");
    unless_set("Cross-Origin-Resource-Policy", "same-origin");
    add_cors(request, response);
    if (response.stream) return;
    if (response.content_type == kProblem && wants_text(request.accept)) as_text(response);
    const bool reads = request.method == "GET" || request.method == "HEAD";
    const bool tagged = response.header("ETag") != nullptr;  // a file of the page, as it is sent
    if (reads && response.status == 200 && !tagged) {
      const std::string etag = etag_of(response.body);
      response.headers.emplace_back("ETag", etag);
      unless_set("Cache-Control", "no-cache");
      if (matches(request.if_none_match, etag)) {
        response.status = 304;
        response.body.clear();
      }
    }
    if (response.status == 304) ++stats.not_modified;
    if (response.header("Content-Encoding") == nullptr) shorten(request, response);
  }
};

Front::Front(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Front::~Front() = default;

Result<std::unique_ptr<Front>> Front::create(FrontOptions options) {
  NINES_TRY(RouteTable table, RouteTable::parse(options.openapi));
  return std::unique_ptr<Front>(
      new Front(std::make_unique<Impl>(std::move(options), std::move(table))));
}

AsyncHandler Front::before(AsyncHandler next) {
  Impl* const impl = impl_.get();
  return [impl, next = std::move(next)](const HttpRequest& request, Reply reply) {
    if (auto answer = impl->answer(request)) {
      impl->finish(request, *answer);
      return reply(std::move(*answer));
    }
    HttpRequest asked;  // what finish() looks at
    asked.method = request.method;
    asked.origin = request.origin;
    asked.accept = request.accept;
    asked.accept_encoding = request.accept_encoding;
    asked.if_none_match = request.if_none_match;
    next(request, [impl, asked = std::move(asked), reply = std::move(reply)](HttpResponse answer) {
      impl->finish(asked, answer);
      reply(std::move(answer));
    });
  };
}

FrontStats Front::stats() const {
  FrontStats out = impl_->stats;
  out.rate_limited = impl_->rate.refused();
  out.forgotten = impl_->rate.forgotten();
  return out;
}

}  // namespace nines::agent::http
