// Who a client thinks he talks to (the header Host). A page of anybody's site can have its own name
// lead to 127.0.0.1 and then read what is served there as if it were its own (DNS rebinding); its
// requests say so in Host. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nines::agent::http {

// Whether `host` (as in the header, with or without port) can be this node: an address, a name
// without a dot or of a zone that nobody can register (localhost, .local, .internal, .lan ...), one
// of `known` (without port), or nothing, which browsers do not send.
bool may_be_here(std::string_view host, const std::vector<std::string>& known);

}  // namespace nines::agent::http
