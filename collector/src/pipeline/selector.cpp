// From what an SLO names (container, namespace) to globs, and from a container log's path back.
#include <algorithm>
#include <charconv>

#include "nines/collector/pipeline.hpp"

namespace nines::collector {
namespace {

// Kubernetes names are RFC 1123: lower-case letters, digits, '-' and '.', at most 253.
bool is_name(std::string_view text) {
  constexpr size_t kMaxName = 253;
  return !text.empty() && text.size() <= kMaxName &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
         });
}

// "3.log", "3.log.20250219-233547", "3.log.20250219-233547.gz", "3.log.gz", "3.log.tmp".
std::optional<int32_t> restart_of(std::string_view file) {
  int32_t n = 0;
  const auto [end, error] = std::from_chars(file.data(), file.data() + file.size(), n);
  if (error != std::errc() || n < 0 || file.front() == '-') return std::nullopt;
  const std::string_view rest = file.substr(static_cast<size_t>(end - file.data()));
  if (rest == ".log" || rest.starts_with(".log.")) return n;
  return std::nullopt;
}

// NS_POD_UID/CONTAINER/N.log; `_` cannot occur in Kubernetes names (facts: packaging 6).
std::optional<ContainerPath> parse_pod_path(std::string_view rest) {
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
  ContainerPath path;
  path.ns = pod_dir.substr(0, first);
  path.pod = pod_dir.substr(first + 1, second - first - 1);
  path.uid = pod_dir.substr(second + 1);
  path.container = rest.substr(0, container_end);
  path.restart = restart_of(rest.substr(container_end + 1));
  const bool named = is_name(path.ns) && is_name(path.pod) && is_name(path.container);
  if (!named || !is_name(path.uid)) return std::nullopt;
  return path;
}

// POD_NS_CONTAINER-ID.log; the id has no '-', a container's name may.
std::optional<ContainerPath> parse_link_path(std::string_view rest) {
  const size_t first = rest.find('_');
  const size_t second = rest.find('_', first + 1);
  const size_t dash = rest.rfind('-');
  if (first == std::string_view::npos || second == std::string_view::npos ||
      dash == std::string_view::npos || dash < second) {
    return std::nullopt;
  }
  ContainerPath path;
  path.ns = rest.substr(first + 1, second - first - 1);
  path.pod = rest.substr(0, first);
  path.container = rest.substr(second + 1, dash - second - 1);
  if (!is_name(path.ns) || !is_name(path.pod) || !is_name(path.container)) return std::nullopt;
  return path;
}

}  // namespace

GlobSpec globs_of(const slo::SourceSelector& selector) {
  GlobSpec globs;
  globs.include = selector.paths;
  globs.exclude = selector.exclude;
  const bool container = !selector.k8s_namespace.empty() || !selector.k8s_pod.empty() ||
                         !selector.k8s_container.empty() || !selector.k8s_labels.empty();
  if (container) {
    const auto any = [](const std::string& s) { return s.empty() ? std::string("*") : s; };
    globs.include.push_back("/var/log/pods/" + any(selector.k8s_namespace) + "_" +
                            any(selector.k8s_pod) + "_*/" + any(selector.k8s_container) + "/*.log");
  }
  return globs;
}

// The last such folder counts: the logs of a node may be mounted anywhere, and a path may begin
// with it.
std::optional<ContainerPath> parse_container_path(std::string_view path) {
  const auto behind = [path](std::string_view folder) -> std::optional<std::string_view> {
    const size_t at = path.rfind(folder);
    if (at != std::string_view::npos) return path.substr(at + folder.size());
    if (path.starts_with(folder.substr(1))) return path.substr(folder.size() - 1);
    return std::nullopt;
  };
  if (const auto pods = behind("/pods/")) {
    if (auto found = parse_pod_path(*pods)) return found;
  }
  const auto name = behind("/containers/");
  if (!name || name->find('/') != std::string_view::npos) return std::nullopt;
  return parse_link_path(*name);
}

}  // namespace nines::collector
