#include "http/server_metrics.hpp"

#include <cstdint>
#include <string_view>

#include "view/metric_family.hpp"

namespace nines::agent::http {

std::string server_metrics(const ServerStats& server, const FrontStats& front,
                           const EventStats& events) {
  const view::MetricFamily families[] = {
      {"nines_http_requests_total", "Requests answered.", server.requests},
      {"nines_http_errors_total", "Requests answered with 4xx or 5xx.", server.errors},
      {"nines_http_connections", "Connections open.", server.connections},
      {"nines_http_connections_refused_total", "Connections beyond those that may be open.",
       server.refused_connections},
      {"nines_http_timeouts_total", "Clients closed for being slow or silent.", server.timeouts},
      {"nines_http_rate_limited_total", "Requests answered with 429.", front.rate_limited},
      {"nines_http_addresses_forgotten_total", "Addresses beyond those whose rate is remembered.",
       front.forgotten},
      {"nines_http_refused_total", "Requests for a path, method or parameter that there is not.",
       front.refused},
      {"nines_http_not_modified_total", "Answers that the client had already (304).",
       front.not_modified},
      {"nines_http_compressed_total", "Answers sent compressed.", front.compressed},
      {"nines_http_saved_bytes_total", "Bytes that compression saved.", front.bytes_saved},
      {"nines_http_event_clients", "Clients that listen to events.", events.clients},
      {"nines_http_event_bytes", "Bytes of events that are kept for them.", events.bytes},
      {"nines_http_events_total", "Events told.", events.published},
      {"nines_http_events_too_large_total", "Events that were too large to be told.",
       events.too_large},
      {"nines_http_event_clients_dropped_total", "Clients that did not read their events.",
       events.dropped},
      {"nines_http_event_clients_refused_total", "Clients beyond those that may listen.",
       events.refused},
  };
  return view::metric_families(families);
}

}  // namespace nines::agent::http
