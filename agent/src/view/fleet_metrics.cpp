#include "view/fleet_metrics.hpp"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <string_view>

#include "view/metric_family.hpp"

namespace nines::agent::view {
namespace {

uint64_t count(const std::vector<peer::PeerView>& peers, bool (*which)(const peer::PeerView&)) {
  return static_cast<uint64_t>(std::count_if(peers.begin(), peers.end(), which));
}

}  // namespace

std::string fleet_metrics(const fleet::FleetState& state, const peer::PeerNode& node,
                          const peer::PeerDriver::Counters& driver, peer::Now now) {
  const auto& f = state.counters();
  const auto& p = node.counters();
  const auto peers = node.peers(now);
  using State = peer::PeerView::State;
  const MetricFamily families[] = {
      {"nines_peers_known", "Nodes known beside this one.", peers.size()},
      {"nines_peers_connected", "Nodes with a session.",
       count(peers, [](const peer::PeerView& v) { return v.connected; })},
      {"nines_peers_silent", "Nodes that no peer hears.",
       count(peers, [](const peer::PeerView& v) { return v.state == State::silent; })},
      {"nines_peer_isolated", "1: this node hears less than half of its peers.",
       node.isolated() ? 1U : 0U},
      {"nines_peer_sessions_total", "Sessions begun.", p.sessions},
      {"nines_peer_sessions_refused_total",
       "Peers refused: another cluster or name, broken protocol, too many links.",
       p.refused_sessions},
      {"nines_peer_links_broken_total", "Links that ended without a goodbye.", p.broken_links},
      {"nines_peer_links_half_open_total", "Links given up because nothing was heard.",
       p.half_open},
      {"nines_peer_bytes_received_total", "Bytes of frames received.", p.bytes_in},
      {"nines_peer_bytes_sent_total", "Bytes of frames sent.", p.bytes_out},
      {"nines_peer_syncs_total", "Turns of catching up that ended well.", p.syncs},
      {"nines_peer_syncs_given_up_total", "Turns of catching up that took too long.",
       p.syncs_given_up},
      {"nines_peer_unanswered_total", "Requests of peers that do not read.", p.unanswered},
      {"nines_peer_untold_total", "Changes not pushed to peers that do not read; caught up later.",
       p.untold},
      {"nines_peer_pauses_total", "Times this process was stopped for more than 10 s.", p.pauses},
      {"nines_peer_tls_failed_total", "TLS handshakes that failed.", driver.handshakes_failed},
      {"nines_peer_sources_refused_total",
       "Connections of addresses that had half of all handshakes under way.",
       driver.sources_refused},
      {"nines_peer_connects_failed_total", "Connects to peers that failed.",
       driver.connects_failed},
      {"nines_peer_certificate_reloads_total", "Certificates read again.", driver.reloads},
      {"nines_peer_certificate_reloads_failed_total", "New certificates that cannot be used.",
       driver.reloads_failed},
      {"nines_peer_beyond_role_total",
       "Pieces and requests that the role of a peer's certificate does not allow.", p.beyond_role},
      {"nines_peer_queries_total", "Connections that asked this node.", driver.queries},
      {"nines_peer_queries_refused_total",
       "Connections that may not ask this node, or were too many at once.", driver.queries_refused},
      {"nines_peer_queries_opened_total", "Connections to nodes that were asked.",
       driver.queries_opened},
      {"nines_peer_queries_kept_total", "Nodes asked over a connection of an earlier query.",
       driver.queries_kept},
      {"nines_peer_calls_total", "Nodes asked to connect to this one, to be asked.", driver.calls},
      {"nines_peer_calls_answered_total", "Nodes that did.", driver.calls_answered},
      {"nines_fleet_bytes", "Memory of what is known of the fleet.", state.bytes()},
      {"nines_fleet_cells_taken_total", "Cells of counts taken from peers.", f.cells_taken},
      {"nines_fleet_cells_adopted_total", "Own cells of an earlier life taken back from peers.",
       f.adopted},
      {"nines_fleet_cells_future_total", "Cells refused: later than the clocks of most.",
       f.cells_future},
      {"nines_fleet_invalid_total", "Parts refused: they break a rule.", f.invalid},
      {"nines_fleet_nodes_refused_total", "Nodes beyond the limit.", f.origins_refused},
      {"nines_fleet_nodes_evicted_total", "Silent nodes that gave way to new ones.",
       f.origins_evicted},
      {"nines_fleet_days_dropped_total", "Days of hours given up for want of memory.",
       f.days_dropped},
      {"nines_fleet_events_dropped_total", "Events of nodes beyond the limits of their streams.",
       std::accumulate(std::begin(f.events_dropped), std::end(f.events_dropped), uint64_t{0})},
  };
  return metric_families(families);
}

}  // namespace nines::agent::view
