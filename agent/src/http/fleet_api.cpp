#include "http/fleet_api.hpp"

namespace nines::agent::http {

AsyncHandler make_fleet_api(std::function<std::string()> fleet, AsyncHandler next) {
  return
      [fleet = std::move(fleet), next = std::move(next)](const HttpRequest& request, Reply reply) {
        if (request.path != "/api/fleet") return next(request, std::move(reply));
        if (request.method != "GET" && request.method != "HEAD") {
          return reply(problem(405, "/api/fleet is only read"));
        }
        reply({200, "application/json", fleet(), {}});
      };
}

}  // namespace nines::agent::http
