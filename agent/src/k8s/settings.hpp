// `kubernetes:` of nines.yaml.
#pragma once

#include <string>

namespace nines::agent::k8s {

struct Settings {
  std::string api = "auto";  // auto, off, or an URL
  std::string token_file, ca_file;
  bool events = true;  // Events are followed, where pods are
  std::string node;    // empty: $NODE_NAME, then the node of the configuration
};

}  // namespace nines::agent::k8s
