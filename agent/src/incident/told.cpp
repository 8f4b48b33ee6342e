#include "incident/told.hpp"

#include <algorithm>

#include "incident/log_context.hpp"

namespace nines::agent::incident {
namespace {

constexpr size_t kMostText = 240, kMostLine = 240;
constexpr size_t kLinesAPage = core::kMaxEventDetails - 3;  // beside part, page, left_out
constexpr size_t kOverhead = 8;                             // of a detail: its key and lengths

}  // namespace

std::string shortened(std::string text, size_t most) {
  if (text.size() <= most) return text;
  const std::string_view kMore = " ...";
  size_t end = most - kMore.size();
  const size_t sentence = text.rfind(';', end);
  if (sentence != std::string::npos && sentence > most / 2) {
    end = sentence + 1;
  } else {
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  }
  text.resize(end);
  return text.append(kMore);
}

void make_fit(Told& told, size_t names) {
  constexpr size_t kNumbers = 64;  // of an event: times, sequence, lengths
  const size_t room = core::kMaxEventBytes - std::min(core::kMaxEventBytes / 2, names + kNumbers);
  const auto size = [&] {
    size_t bytes = told.text.size();
    for (const auto& [key, value] : told.details) bytes += key.size() + value.size() + 4;
    return bytes;
  };
  for (const char* const name : {"example", "pod"}) {
    if (size() <= room) return;
    std::erase_if(told.details, [&](const auto& detail) { return detail.first == name; });
  }
  const size_t over = size() > room ? size() - room : 0;
  constexpr size_t kLeast = 32;
  if (over > 0) {
    told.text =
        shortened(told.text, told.text.size() > over + kLeast ? told.text.size() - over : kLeast);
  }
}

std::vector<Told> pages(const std::string& part, const std::string& text,
                        const std::vector<std::string>& lines, size_t left_out) {
  std::vector<Told> out(1);
  out.back().text = shortened(text, kMostText);
  size_t room = kMostTold - out.back().text.size() - part.size() - 3 * kOverhead, on_page = 0;
  for (size_t i = 0; i < lines.size(); ++i) {
    const std::string line = cut_line(lines[i], kMostLine);
    if (on_page == kLinesAPage || line.size() + kOverhead > room) {
      if (out.size() == kMostPages) {
        left_out += lines.size() - i;
        break;
      }
      Told& page = out.emplace_back();
      page.text = shortened(text, kMostText / 4);
      room = kMostTold - page.text.size() - part.size() - 3 * kOverhead;
      on_page = 0;
    }
    out.back().details.emplace_back(std::to_string(i + 1), line);
    room -= std::min(room, line.size() + kOverhead);
    ++on_page;
  }
  for (size_t i = 0; i < out.size(); ++i) {
    core::Details head{{"part", part},
                       {"page", std::to_string(i + 1) + "/" + std::to_string(out.size())}};
    if (i + 1 == out.size() && left_out > 0) {
      head.emplace_back("left_out", std::to_string(left_out));
    }
    out[i].details.insert(out[i].details.begin(), head.begin(), head.end());
  }
  return out;
}

}  // namespace nines::agent::incident
