// What the configuration and the SLOs mean for who is told of incidents.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "incident/pager.hpp"
#include "nines/peer/peer_node.hpp"
#include "nines/slo/engine.hpp"

namespace nines::agent {

incident::PagerRules pager_rules(const NodeConfig& config);
incident::core::BookRules book_rules(const NodeConfig& config);

// Null: no on-call document is configured, or it cannot be read any more, which the log says; then
// everybody is told. `state`: the directory where past pages may lie.
std::shared_ptr<const incident::OnCall> on_call_of(const NodeConfig& config,
                                                   const std::string& state);

// Whether each service of the incident has SLOs, and all of them are excluded now: nobody is told,
// as no alert is. Never of an incident without service.
bool in_maintenance(const slo::SloEngine& engine, const incident::core::Incident& incident);

// Of the nodes that know an incident one tells of it: the one that opened it; when its peers find
// that silent, the first by name of those that are there.
bool tells_of(const std::string& self, const std::string& opened_on,
              const std::vector<peer::PeerView>& peers);
// The same where there is on-call: of those that have chosen whom to tell, and when (is_claim), and
// are not gone, the first by name; before anybody has, who tells_of() says, and each node whose own
// alert burns in it. Until they hear of each other's choice two may tell, rather than nobody.
bool pages_for(const std::string& self, const incident::core::Incident& incident,
               const std::vector<peer::PeerView>& peers);

}  // namespace nines::agent
