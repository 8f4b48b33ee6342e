// Whether a host of a URL is one of a network of one's own, by what it is called: nothing is
// resolved.
#pragma once

#include <string_view>

namespace nines::agent::net {

// Addresses of RFC 1918 and RFC 4193, and names that no public server has: .local, .internal,
// .home.arpa, .lan and those of a Kubernetes cluster (.svc, .cluster.local). Not link-local ones:
// there the metadata services of clouds answer.
bool is_private_host(std::string_view host);

}  // namespace nines::agent::net
