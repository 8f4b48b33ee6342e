#include "pipeline/pod_rules.hpp"

#include <algorithm>

#include "nines/log/format.hpp"

namespace nines::collector {
namespace {

bool label_holds(std::string_view wanted, const PodInfo& pod) {
  const size_t equals = wanted.find('=');
  const std::string_view key = wanted.substr(0, equals);
  if (!has_text(pod.labels, key)) return false;
  return equals == std::string_view::npos ||
         find_text(pod.labels, key) == wanted.substr(equals + 1);
}

bool is_format(const std::string& name) {
  const auto format = log::format_from_name(name);
  // A pattern has no place in an annotation.
  return name == "auto" || (format.ok() && format->kind != log::FormatKind::regex);
}

bool is_multiline(const std::string& text) {
  return text == "auto" || text == "none" || log::StartPattern::compile(text).ok();
}

std::string annotation(const PodInfo& pod, std::string_view key) {
  return std::string(find_text(pod.annotations, key));
}

}  // namespace

bool selects_pods(const slo::SourceSelector& s) {
  return !s.k8s_namespace.empty() || !s.k8s_pod.empty() || !s.k8s_container.empty() ||
         !s.k8s_labels.empty();
}

bool counts_pod(const slo::SourceSelector& selector, const PodInfo* pod) {
  if (!selects_pods(selector)) return true;
  if (pod == nullptr) return selector.k8s_labels.empty();
  if (find_text(pod->annotations, "nines.io/exclude") == "true") return false;
  if (find_text(pod->annotations, "nines.io/include") == "false") return false;
  return std::all_of(selector.k8s_labels.begin(), selector.k8s_labels.end(),
                     [pod](const std::string& label) { return label_holds(label, *pod); });
}

PodOverrides overrides_of(const PodInfo& pod) {
  PodOverrides out;
  out.format = annotation(pod, "nines.io/format");
  out.multiline = annotation(pod, "nines.io/multiline");
  out.service = annotation(pod, "nines.io/service");
  if (!out.format.empty() && !is_format(out.format)) {
    out.format.clear();
    ++out.refused;
  }
  if (!out.multiline.empty() && !is_multiline(out.multiline)) {
    out.multiline.clear();
    ++out.refused;
  }
  return out;
}

std::unique_ptr<log::StartPattern> PodOverrides::start_pattern() const {
  if (multiline.empty() || multiline == "auto" || multiline == "none") return nullptr;
  auto pattern = log::StartPattern::compile(multiline);
  return pattern.ok() ? std::move(*pattern) : nullptr;
}

}  // namespace nines::collector
