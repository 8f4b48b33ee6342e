#include <algorithm>

#include "timeline/inert.hpp"

namespace nines::timeline {
namespace {

constexpr size_t kUncertainty = 8, kMostNode = 16, kKind = 11;

std::string padded(std::string text, size_t width) {
  const size_t has = columns(text);
  if (has < width) text.append(width - has, ' ');
  return text;
}

// "┌" opens a group of concurrent events, "│" goes on, "└" closes it.
std::string_view bracket(const std::vector<Entry>& entries, size_t i) {
  const Entry& entry = entries[i];
  if (!entry.clock_known || entry.doubtful) return "?";
  if (!entry.group) return " ";
  const auto same = [&](size_t from, size_t step) {
    for (size_t k = from + step; k < entries.size(); k += step) {
      if (entries[k].clock_known && !entries[k].doubtful) return entries[k].group == entry.group;
    }
    return false;
  };
  const bool opens = !same(i, size_t{0} - 1), closes = !same(i, 1);
  return opens ? "┌" : closes ? "└" : "│";
}

size_t node_width(const Timeline& timeline) {
  size_t width = 4;
  for (const NodeClock& clock : timeline.nodes())
    width = std::max(width, columns(inert(clock.node, kMostNode)));
  return width;
}

void put_head(std::string& out, const Timeline& timeline, const RenderOptions& options,
              size_t width) {
  out += inert(title_text(timeline, options), width) + '\n';
  for (const NodeClock& clock : timeline.nodes())
    out += "  " + inert(node_text(clock), width - 2) + '\n';
}

}  // namespace

std::string render_text(const Timeline& timeline, const RenderOptions& options) {
  const size_t width = std::clamp<size_t>(options.width, 60, 400);
  const size_t nodes = node_width(timeline);
  const auto& entries = timeline.entries();
  std::string out, day;
  put_head(out, timeline, options, width);
  for (size_t i = 0; i < entries.size(); ++i) {
    const Entry& entry = entries[i];
    if (std::string date = date_text(entry.at, options.zone); date != day) {
      day = std::move(date);
      out += "-- " + day + ' ' + zone_text(entry.at, options.zone) + '\n';
    }
    std::string line{bracket(entries, i)};
    line += ' ' + clock_text(entry.at, options.zone) + ' ';
    line += padded(uncertainty_text(entry), kUncertainty) + ' ';
    line += padded(inert(entry.event.node, kMostNode), nodes) + ' ';
    line += padded(std::string(name_of(entry.event.kind)), kKind) + ' ';
    const size_t used = columns(line);
    line += what_text(entry, width > used + 8 ? width - used : 8);
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + '\n';
  }
  if (entries.empty()) out += "no events\n";
  for (const std::string& remark : remarks(timeline, 0)) out += "! " + remark + '\n';
  return out;
}

}  // namespace nines::timeline
