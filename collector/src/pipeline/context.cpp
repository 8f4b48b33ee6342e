#include "pipeline/context.hpp"

#include <algorithm>

#include "nines/collector/pipeline.hpp"

namespace nines::collector {

void StreamContext::open(std::string_view path) {
  const auto names = parse_container_path(path);
  if (!names) return;
  ns = names->ns;
  pod = names->pod;
  container = names->container;
  uid = names->uid;
  restart = names->restart;
}

StreamContext::Look StreamContext::look(const LogStream& stream, const PodFeed* feed, Instant now,
                                        const SourceOf& source_of) {
  const uint64_t generation = feed != nullptr && in_container() ? feed->generation() : 0;
  if (decided_ && generation == seen_ && stream.matched == globbed_) {
    return {matched_.empty() ? Gate::skip : Gate::read, false};
  }
  if (!first_look_) first_look_ = now;
  bool changed = !decided_ || stream.matched != globbed_;
  if (generation != 0) {
    // A pod that is forgotten stays what it was to the files it left.
    PodPtr found = feed->current()->find(ns, pod, uid);
    if (found != nullptr && found != pod_info_) {
      changed = changed || pod_info_ == nullptr || !(*found == *pod_info_);
      pod_info_ = std::move(found);
      overrides_ = overrides_of(*pod_info_);
      values_of_ = nullptr;
    }
  }
  const bool by_pod =
      std::any_of(stream.matched.begin(), stream.matched.end(), [&](uint32_t index) {
        const SourceView source = source_of(index);
        return source.uses_pod || selects_pods(source.selector);
      });
  const bool missed = feed != nullptr && in_container() && by_pod && pod_info_ == nullptr;
  if (missed && !decided_ && now.ns - first_look_->ns < kPodHoldNs) return {Gate::wait, false};
  unknown_ = missed;
  seen_ = generation;
  globbed_ = stream.matched;
  decided_ = true;
  if (!changed) return {matched_.empty() ? Gate::skip : Gate::read, false};
  overridden_.reset();
  matched_.clear();
  for (const uint32_t source : stream.matched) {
    if (counts_pod(source_of(source).selector, pod_info_.get())) matched_.push_back(source);
  }
  return {matched_.empty() ? Gate::skip : Gate::read, true};
}

const slo::SourceSelector& StreamContext::effective(const slo::SourceSelector& selector) {
  if (!overrides_.any()) return selector;
  if (overridden_ == nullptr) {
    auto mine = std::make_shared<slo::SourceSelector>(selector);
    if (!overrides_.format.empty()) mine->format = overrides_.format;
    if (!overrides_.multiline.empty()) mine->multiline = overrides_.multiline;
    overridden_ = std::move(mine);
  }
  return *overridden_;
}

Value StreamContext::value_of(const Program::Context& context) const {
  const auto text = [](std::string_view t) {
    return t.empty() ? Value::null() : Value::of_text(t);
  };
  switch (context.field) {
    case ContextField::restart: return restart ? Value::of_int(*restart) : Value::null();
    case ContextField::pod_uid:
      if (pod_info_ != nullptr) return Value::of_text(pod_info_->uid);
      return text(uid);
    case ContextField::owner: return pod_info_ ? text(*pod_info_->owner) : Value::null();
    case ContextField::owner_kind: return pod_info_ ? text(*pod_info_->owner_kind) : Value::null();
    case ContextField::label:
      if (pod_info_ == nullptr || !has_text(pod_info_->labels, context.label)) return Value::null();
      return Value::of_text(find_text(pod_info_->labels, context.label));
    default: return Value::null();
  }
}

const std::vector<Value>& StreamContext::values(const Program& program, uint64_t generation) {
  if (values_of_ == &program && values_generation_ == generation) return values_;
  values_of_ = &program;
  values_generation_ = generation;
  values_.clear();
  for (const Program::Context& context : program.context) values_.push_back(value_of(context));
  return values_;
}

}  // namespace nines::collector
