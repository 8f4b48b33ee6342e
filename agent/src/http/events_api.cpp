#include "http/events_api.hpp"

#include <utility>

namespace nines::agent::http {

AsyncHandler make_events_api(EventHub& hub, std::function<std::string()> hello, AsyncHandler next) {
  return [&hub, hello = std::move(hello), next = std::move(next)](const HttpRequest& request,
                                                                  Reply reply) {
    if (request.path != "/api/events") return next(request, std::move(reply));
    HttpResponse response{200, "text/event-stream", "", {{"Cache-Control", "no-store"}}};
    if (request.method == "HEAD") return reply(std::move(response));
    response.stream = hub.listen(request.last_event_id, hello());
    if (response.stream == nullptr) {
      response = problem(503, "too many listen already; ask again later, or poll");
      response.headers.emplace_back("Retry-After", "15");
    }
    reply(std::move(response));
  };
}

}  // namespace nines::agent::http
