// Who is suspected is asked of all nodes: what they know of the minutes concerned is laid together
// with what this one knows.
#include <algorithm>
#include <future>

#include "app/incidents.hpp"

namespace nines::agent {
namespace {

using incident::EvidenceQuestion;

constexpr int64_t kLookBackNs = 3600 * kNsPerSecond;  // what is usual
constexpr int64_t kPatienceNs = 4 * kNsPerSecond;
constexpr auto kAnswerWithin = std::chrono::seconds(3);

EvidenceQuestion question_of(const incident::core::TrailQuestion& question) {
  return {{question.onset.ns - kLookBackNs},
          question.onset,
          question.now,
          incident::kMostEvidenceBytes};
}

uint32_t bytes_each(size_t share) {
  return static_cast<uint32_t>(
      std::clamp<size_t>(share, incident::kLeastEvidenceBytes, incident::kMostEvidenceBytes));
}

incident::NodeTime clock_of(const std::vector<incident::NodeTime>& clocks,
                            const std::string& node) {
  const auto found = std::find_if(clocks.begin(), clocks.end(),
                                  [&](const auto& clock) { return clock.node == node; });
  return found != clocks.end() ? *found : incident::NodeTime{node, 0, std::nullopt};
}

incident::Gathered gathered_of(std::vector<query::NodeAnswer>&& answers, EvidenceQuestion question,
                               const std::vector<incident::NodeTime>& clocks) {
  question.max_bytes = incident::kMostEvidenceBytes;
  const EvidenceQuestion wide = incident::widened(question, incident::widest_ahead(clocks));
  incident::Gathered out;
  for (query::NodeAnswer& answer : answers) {
    if (!answer.body.ok()) {
      out.missing.emplace_back(answer.node, answer.body.error().message);
      continue;
    }
    auto evidence = incident::decode_evidence(*answer.body, wide);
    if (!evidence) {
      out.missing.emplace_back(answer.node, "its answer is damaged");
      continue;
    }
    incident::correct(*evidence, clock_of(clocks, answer.node), question);
    evidence->node = std::move(answer.node);
    out.evidence.push_back(std::move(*evidence));
  }
  return out;
}

}  // namespace

void Incidents::ask(const incident::core::TrailQuestion& question, Done done) {
  Queries* const queries = parts_.queries();
  const EvidenceQuestion wanted = question_of(question);
  std::vector<incident::NodeTime> clocks;
  if (clocks_) clocks = clocks_(question.onset);
  EvidenceQuestion wide = incident::widened(wanted, incident::widest_ahead(clocks));
  const bool asked =
      queries != nullptr &&
      queries->gather(
          [wide](size_t share) mutable {
            wide.max_bytes = bytes_each(share);
            return encode(wide);
          },
          incident::kMostBytesOfAll, kPatienceNs,
          [this, alive = std::weak_ptr<bool>(alive_), question, wanted, clocks,
           done](std::vector<query::NodeAnswer> answers) {
            if (alive.expired()) return;
            ask_here(question, gathered_of(std::move(answers), wanted, clocks), done);
          });
  if (!asked) ask_here(question, {}, std::move(done));
}

// On the thread that answers peers, which waits for a moment of the thread that reads.
void Incidents::answer_others() {
  Queries* const queries = parts_.queries();
  if (queries == nullptr) return;
  queries->answer_evidence(
      [&ingest = parts_.ingest](std::string_view bytes) -> Result<std::string> {
        const auto question = incident::decode_question(bytes);
        if (!question) return Error{Errc::corrupt, "no question of an incident"};
        auto told = std::make_shared<std::promise<std::string>>();
        auto answer = told->get_future();
        ingest.post([told, question = *question](Ingest& reader) {
          const bool watches = reader.watcher() != nullptr;
          told->set_value(watches ? encode(reader.watcher()->share(question)) : std::string());
        });
        if (answer.wait_for(kAnswerWithin) != std::future_status::ready) {
          return Error{Errc::timeout, "the node is busy reading"};
        }
        std::string text = answer.get();
        if (text.empty()) return Error{Errc::unsupported, "nothing is watched for incidents here"};
        return text;
      });
}

}  // namespace nines::agent
