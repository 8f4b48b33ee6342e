// From what an SLO names (container, namespace) to globs, and from a container log's path back.
#include "nines/collector/pipeline.hpp"

namespace nines::collector {

GlobSpec globs_of(const slo::SourceSelector& selector) {
  GlobSpec globs;
  globs.include = selector.paths;
  globs.exclude = selector.exclude;
  const bool container = !selector.k8s_namespace.empty() || !selector.k8s_pod.empty() ||
                         !selector.k8s_container.empty();
  if (container) {
    const auto any = [](const std::string& s) { return s.empty() ? std::string("*") : s; };
    globs.include.push_back("/var/log/pods/" + any(selector.k8s_namespace) + "_" +
                            any(selector.k8s_pod) + "_*/" + any(selector.k8s_container) + "/*.log");
  }
  return globs;
}

// The kubelet's own naming (facts: packaging 6); `_` cannot occur in Kubernetes names.
std::optional<ContainerPath> parse_container_path(std::string_view path) {
  constexpr std::string_view kPods = "/pods/", kContainers = "/containers/";
  if (const size_t at = path.find(kPods); at != std::string_view::npos) {
    std::string_view rest = path.substr(at + kPods.size());
    const size_t slash = rest.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    const std::string_view pod_dir = rest.substr(0, slash);
    rest.remove_prefix(slash + 1);
    const size_t container_end = rest.find('/');
    const size_t first = pod_dir.find('_');
    const size_t second = pod_dir.find('_', first + 1);
    if (container_end == std::string_view::npos || first == std::string_view::npos ||
        second == std::string_view::npos) {
      return std::nullopt;
    }
    return ContainerPath{pod_dir.substr(0, first), pod_dir.substr(first + 1, second - first - 1),
                         rest.substr(0, container_end)};
  }
  if (const size_t at = path.find(kContainers); at != std::string_view::npos) {
    const std::string_view rest = path.substr(at + kContainers.size());
    const size_t first = rest.find('_');
    const size_t second = rest.find('_', first + 1);
    const size_t dash = rest.rfind('-');
    if (first == std::string_view::npos || second == std::string_view::npos ||
        dash == std::string_view::npos || dash < second) {
      return std::nullopt;
    }
    return ContainerPath{rest.substr(first + 1, second - first - 1), rest.substr(0, first),
                         rest.substr(second + 1, dash - second - 1)};
  }
  return std::nullopt;
}

}  // namespace nines::collector
