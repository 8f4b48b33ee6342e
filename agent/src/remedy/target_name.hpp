// How the object of an action is named in the log of remediation: unique in the cluster, and enough
// to find the object again after a restart.
//   unit/NODE/UNIT  program/NODE/SERVICE  pod/NS/NAME  deployment/NS/NAME  node/NAME
//   webhook/[NODE/]SERVICE  lambda/[NODE/]SERVICE
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "remedy/execution.hpp"

namespace nines::agent::remedy {

// The object of `verb` on `node`. `node` is part of the name where the object is the node's own.
// `node` may be empty for what is asked outside: it is then asked for all nodes alike.
std::string target_name(nines::remedy::Verb verb, std::string_view node, const Target& object);
// nullopt: it is no name of an object of that verb.
std::optional<Target> object_of(nines::remedy::Verb verb, std::string_view name);

}  // namespace nines::agent::remedy
