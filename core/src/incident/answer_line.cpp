#include "nines/incident/answer_line.hpp"

namespace nines::incident {
namespace {

constexpr TemplateId kAnswers = 0x416e7377'65727300ULL;  // and the class of the status
constexpr std::string_view kTexts[] = {"answers 1xx", "answers 2xx", "answers 3xx", "answers 4xx",
                                       "answers 5xx"};

}  // namespace

TemplateId answer_line(int64_t status) noexcept {
  return status < 100 || status > 599 ? 0 : kAnswers + static_cast<uint64_t>(status / 100);
}

std::string_view answer_text(TemplateId line) noexcept {
  const TemplateId of = line - kAnswers;
  return of < 1 || of > 5 ? std::string_view() : kTexts[of - 1];
}

}  // namespace nines::incident
