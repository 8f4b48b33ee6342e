// One entry for everything that reads log bytes: the first byte selects the parser, the rest is the
// line. Beyond crashes it checks that parse() and parse_all() tell the same.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "log_oracle.hpp"
#include "nines/log/cri.hpp"
#include "nines/log/timestamp.hpp"

namespace {

using namespace nines;
using namespace nines::log;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

void agree(FormatKind kind, std::string_view line) {
  const std::string difference = log::test::disagreement(kind, line);
  require(difference.empty(), difference.c_str());
}

// The first byte chooses the layout.
void layouts(std::string_view text) {
  if (text.empty()) return;
  const size_t index = static_cast<unsigned char>(text[0]) % std::size(log::test::kLayoutSamples);
  const FormatSpec format{
      FormatKind::layout, std::string(log::test::kLayoutSamples[index].pattern), {}};
  const std::string_view line = text.substr(1);
  const std::string difference = log::test::disagreement(format, line);
  require(difference.empty(), difference.c_str());
  (*make_parser(format, {}, log::test::kOracleContext))->leads(line);
}

// A pattern that compiles must run.
void patterns(std::string_view text) {
  const size_t stop = text.find('\n');
  const FormatSpec format{FormatKind::layout, std::string(text.substr(0, stop)), {}};
  if (!make_parser(format, {}, log::test::kOracleContext).ok()) return;
  const std::string_view line = stop == std::string_view::npos ? "" : text.substr(stop + 1);
  const std::string difference = log::test::disagreement(format, line);
  require(difference.empty(), difference.c_str());
}

void times(std::string_view text) {
  for (const auto& t : {parse_any_time(text, log::test::kOracleContext),
                        parse_iso_time(text, log::test::kOracleContext),
                        parse_bsd_time(text, log::test::kOracleContext), parse_clf_time(text)}) {
    if (!t) continue;
    require(t->length > 0 && t->length <= text.size(), "length within the text");
    require(t->ts.ns >= 0, "time within 1970..2200");
  }
  if (const auto t = parse_epoch(text)) require(t->ns >= 0, "epoch within 1970..2200");
}

// Lines of one container; its state must survive a restart behind each of them.
void cri(std::string_view text) {
  constexpr size_t kMaxBytes = 64;
  PieceJoiner joiner(kMaxBytes);
  joiner.restore(text);
  PieceJoiner restarted(kMaxBytes);
  while (!text.empty()) {
    const size_t stop = text.find('\n');
    PieceJoiner::Line record;
    Piece piece;
    if (parse_cri(text.substr(0, stop), piece) && joiner.push(piece, 0, record)) {
      require(record.content.size() <= kMaxBytes, "joined record within its bound");
    }
    require(restarted.restore(joiner.save()), "saved state is restored");
    require(restarted.save() == joiner.save(), "restored state is the saved one");
    text = stop == std::string_view::npos ? std::string_view() : text.substr(stop + 1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(static_cast<const char*>(static_cast<const void*>(data)) + 1,
                              size - 1);
  switch (data[0]) {
    case 'j': agree(FormatKind::json, text); break;
    case 'c': agree(FormatKind::combined, text); break;
    case 'l': agree(FormatKind::logfmt, text); break;
    case 's': agree(FormatKind::syslog, text); break;
    case 'p': agree(FormatKind::plain, text); break;
    case 'y': layouts(text); break;
    case 'Y': patterns(text); break;
    case 't': times(text); break;
    case 'r': cri(text); break;
    case 'd': {
      const std::string_view lines[] = {text.substr(0, text.size() / 2),
                                        text.substr(text.size() / 2), text};
      const Detection found = detect_format(lines);
      require(found.matched <= found.sampled, "matched lines are sampled lines");
      break;
    }
    default: break;
  }
  return 0;
}
