#include "nines/query/operator.hpp"

#include "match_operators.hpp"
#include "nines/base/contract.hpp"
#include "operators.hpp"

namespace nines::query {
namespace {

template <class... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};
template <class... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;

using Names = std::vector<std::string>;

void add_names(Names& names, const std::vector<Column>& columns) {
  for (const Column& column : columns) names.push_back(column.name);
}

Names group_columns(const GroupStage& stage) {
  Names names;
  add_names(names, stage.keys);
  for (const AggregateSpec& spec : stage.aggregates) names.push_back(spec.name);
  return names;
}

Names project_columns(const ProjectStage& stage) {
  Names names;
  add_names(names, stage.columns);
  return names;
}

}  // namespace

void Operator::merge(Operator&) { NINES_ASSERT(mergeable()); }
void Operator::save(std::string&) const { NINES_ASSERT(mergeable()); }
Status Operator::merge_saved(std::string_view) {
  return Error{Errc::unsupported, "this stage has no state to merge", 0};
}

std::unique_ptr<Operator> make_operator(const Stage& stage, std::span<const std::string> inputs,
                                        const Limits& limits, RowSink& out) {
  return std::visit(
      Overloaded{
          [&](const GroupStage& s) { return make_group(s, inputs, limits, out); },
          [&](const ProjectStage& s) { return make_project(s, inputs, out); },
          [&](const SortStage& s) { return make_sort(s, inputs, limits, out); },
          [&](const AnomalyStage& s) { return make_anomaly(s, inputs, limits, out); },
          [&](const SessionStage& s) { return make_session(s, inputs, limits, out); },
          [&](const MatchStage& s) { return make_match(s, inputs, limits, out); },
          [&](const ContextByStage& s) { return make_context_by(s, inputs, limits, out); },
      },
      stage);
}

std::vector<std::string> columns_of(const Stage& stage, std::span<const std::string> inputs) {
  const auto first = [&](size_t n) { return Names(inputs.begin(), inputs.begin() + n); };
  return std::visit(Overloaded{
                        [](const GroupStage& s) { return group_columns(s); },
                        [](const ProjectStage& s) { return project_columns(s); },
                        [&](const SortStage& s) { return first(s.keep); },
                        [&](const AnomalyStage& s) {
                          Names names = first(inputs.size());
                          names.push_back(s.name);
                          return names;
                        },
                        [&](const SessionStage& s) { return session_columns(s, inputs); },
                        [&](const MatchStage& s) { return match_columns(s, inputs); },
                        [&](const ContextByStage& s) { return context_by_columns(s, inputs); },
                    },
                    stage);
}

}  // namespace nines::query
