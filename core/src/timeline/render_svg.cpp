#include <algorithm>
#include <array>
#include <map>

#include "timeline/inert.hpp"
#include "timeline/svg_axis.hpp"

namespace nines::timeline {
namespace {

constexpr int kTop = 64, kLane = 40, kCell = 6;  // pixels
constexpr size_t kMostArrows = 100, kTold = 5;

// How a kind looks: colour and shape, so that one of them is enough; what matters most hides others
// that fall onto the same place.
struct Look {
  std::string_view colour, shape, legend;
  int rank;
};
constexpr std::string_view kCircle = "m-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0z",
                           kDiamond = "m0-6l6 6-6 6-6-6z", kUp = "m0-6l6 11h-12z",
                           kDown = "m0 6l6-11h-12z", kSquare = "m-5-5h10v10h-10z";

const Look& look_of(EventKind kind) {
  static constexpr Look kBad{"nb", kUp, "alert, silence, kernel", 5},
      kPeople{"np", kDiamond, "page, acknowledgement", 4},
      kChange{"nc", kSquare, "change, action", 3}, kGood{"ng", kDown, "recovery", 2},
      kElse{"no", kCircle, "other", 1};
  switch (kind) {
    case EventKind::alert:
    case EventKind::node_silent:
    case EventKind::kernel: return kBad;
    case EventKind::page:
    case EventKind::ack: return kPeople;
    case EventKind::change:
    case EventKind::action: return kChange;
    case EventKind::recovery:
    case EventKind::resolved:
    case EventKind::node_back: return kGood;
    default: return kElse;
  }
}

constexpr std::string_view kStyle =
    "<style>.nt{--f:#1f2328;--d:#59636e;--l:#d1d9e0;--b:#fff;--r:#cf222e;--y:#9a6700;--u:#0969da;"
    "--g:#1a7f37;font:12px system-ui,sans-serif}@media(prefers-color-scheme:dark){.nt{--f:#e6edf3;"
    "--d:#9aa4af;--l:#2d333b;--b:#0e1116;--r:#f85149;--y:#d29922;--u:#4493f8;--g:#3fb950}}"
    ".nt text{fill:var(--f)}.nt .nd{fill:var(--d)}.nt .nl{stroke:var(--l)}.nt .nw{fill:var(--b)}"
    ".nt .nb{fill:var(--r)}.nt .np{fill:var(--y)}.nt .nc{fill:var(--u)}.nt .ng{fill:var(--g)}"
    ".nt .no{fill:var(--d)}.nt .nu{opacity:.3}.nt .na{stroke:var(--d);fill:none;"
    "stroke-dasharray:3 2}.nt .nq{fill-opacity:.15;stroke:var(--f);stroke-dasharray:2 2}</style>";

// Events of one lane that fall into one cell.
struct Mark {
  std::vector<size_t> told;  // the first of them
  size_t count = 0;
  const Look* look = nullptr;
  bool sure = true;
  int64_t low = kLast, high = -kLast, at = 0;
  static constexpr int64_t kLast = int64_t{1} << 62;
};

class Picture {
 public:
  Picture(const Timeline& timeline, const RenderOptions& options)
      : timeline_(timeline),
        entries_(timeline.entries()),
        options_(options),
        axis_(first(), last(), options.zone) {
    for (const NodeClock& clock : timeline.nodes()) {
      if (lanes_.size() == kMostLanes) break;
      lanes_.emplace(clock.node, lanes_.size());
    }
    collect();
  }

  std::string draw() {
    const int height = lane_y(lanes_.size()) + 34;
    const std::string size = std::to_string(SvgAxis::kWidth) + ' ' + std::to_string(height);
    out_ = "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"nt\" viewBox=\"0 0 " + size +
           "\" role=\"img\" aria-labelledby=\"nt-title nt-desc\">";
    out_ += "<title id=\"nt-title\">" + inert_xml(title_text(timeline_, options_), 200) +
            "</title><desc id=\"nt-desc\">" + description() + "</desc>";
    out_ += kStyle;
    out_ += "<rect class=\"nw\" width=\"100%\" height=\"100%\"/>";
    text(12, 22, inert_xml(title_text(timeline_, options_), 110), " font-weight=\"600\"");
    if (!entries_.empty()) axis_.draw(out_, kTop - 14, lane_y(lanes_.size()) - 10);
    for (const auto& [node, lane] : lanes_) draw_lane(lane);
    draw_arrows();
    for (const auto& [place, mark] : marks_) draw_mark(place.first, mark);
    draw_legend(height - 12);
    return out_ + "</svg>\n";
  }

 private:
  WallTime first() const { return entries_.empty() ? WallTime{} : entries_.front().at; }
  WallTime last() const { return entries_.empty() ? WallTime{} : entries_.back().at; }
  static int lane_y(size_t lane) { return kTop + 20 + static_cast<int>(lane) * kLane; }

  void collect() {
    for (size_t i = 0; i < entries_.size(); ++i) {
      const auto lane = lanes_.find(entries_[i].event.node);
      if (lane == lanes_.end()) {
        ++not_drawn_;
        continue;
      }
      Mark& mark = marks_[{lane->second, axis_.x(entries_[i].at) / (10 * kCell)}];
      add(mark, i);
    }
  }

  void add(Mark& mark, size_t i) {
    const Entry& entry = entries_[i];
    const Look& look = look_of(entry.event.kind);
    if (mark.look == nullptr || look.rank > mark.look->rank) {
      mark.look = &look;
      mark.at = entry.at.ns;
    }
    if (++mark.count <= kTold) mark.told.push_back(i);
    if (!entry.clock_known || entry.doubtful) {
      mark.sure = false;
      return;
    }
    mark.low = std::min(mark.low, entry.low.ns);
    mark.high = std::max(mark.high, entry.high.ns);
  }

  std::string description() const {
    std::string out = std::to_string(entries_.size()) + " events of " +
                      std::to_string(timeline_.nodes().size()) + " nodes";
    if (!entries_.empty()) {
      out += ", " + moment(first()) + " to " + moment(last()) + ' ' +
             inert_xml(zone_text(first(), options_.zone));
    }
    out +=
        ". A mark is where an event most likely was, the bar behind it where it may have been; "
        "dashed marks may be anywhere.";
    for (const std::string& remark : remarks(timeline_, not_drawn_)) out += ' ' + remark + '.';
    return out;
  }
  std::string moment(WallTime at) const {
    return date_text(at, options_.zone) + ' ' + clock_text(at, options_.zone);
  }

  // `escaped`: has gone through inert_xml.
  void text(int x, int y, const std::string& escaped, std::string_view more = {}) {
    out_ += "<text x=\"" + std::to_string(x) + "\" y=\"" + std::to_string(y) + '"';
    out_ += more;
    out_ += '>' + escaped + "</text>";
  }

  void draw_lane(size_t lane) {
    const NodeClock& clock = timeline_.nodes()[lane];  // both are by name
    const int y = lane_y(lane);
    out_ += "<line class=\"nl\" x1=\"" + std::to_string(SvgAxis::kLeft) + "\" x2=\"" +
            std::to_string(SvgAxis::kRight) + "\" y1=\"" + std::to_string(y) + "\" y2=\"" +
            std::to_string(y) + "\"/>";
    text(12, y - 2, inert_xml(clock.node, 22));
    const std::string all = node_text(clock);  // "node-b: clock +12 s ±1 ms by spans"
    const std::string state = all.substr(all.rfind(": clock ") + 8);
    text(12, y + 12, inert_xml(state, 34), " class=\"nd\" font-size=\"10\"");
  }

  void draw_arrows() {
    size_t drawn = 0;
    for (const Entry& entry : entries_) {
      if (!entry.after || drawn == kMostArrows) continue;
      const Entry& cause = entries_[*entry.after];
      const auto from = lanes_.find(cause.event.node), to = lanes_.find(entry.event.node);
      if (from == lanes_.end() || to == lanes_.end() || from == to) continue;
      ++drawn;
      out_ += "<path class=\"na\" d=\"M" + axis_.px(cause.at) + ' ' +
              std::to_string(lane_y(from->second)) + 'L' + axis_.px(entry.at) + ' ' +
              std::to_string(lane_y(to->second)) + "\"/>";
    }
  }

  void draw_mark(size_t lane, const Mark& mark) {
    const int y = lane_y(lane);
    out_ += "<g>";
    out_ += "<title>" + told(mark) + "</title>";
    const int from = axis_.x({mark.low}), to = axis_.x({mark.high});
    if (mark.low <= mark.high && to > from) {
      out_ += "<rect class=\"nu " + std::string(mark.look->colour) + "\" x=\"" +
              SvgAxis::tenths(from) + "\" y=\"" + std::to_string(y - 4) + "\" width=\"" +
              SvgAxis::tenths(to - from) + "\" height=\"8\"/>";
    }
    out_ += "<path class=\"" + std::string(mark.look->colour) + (mark.sure ? "" : " nq") +
            "\" d=\"M" + axis_.px({mark.at}) + ' ' + std::to_string(y);
    out_ += mark.look->shape;
    out_ += "\"/>";
    if (mark.count > 1) {
      out_ += "<text class=\"nd\" font-size=\"9\" text-anchor=\"middle\" x=\"" +
              axis_.px({mark.at}) + "\" y=\"" + std::to_string(y - 9) + "\">" +
              std::to_string(mark.count) + "</text>";
    }
    out_ += "</g>";
  }

  std::string told(const Mark& mark) const {
    std::string out;
    for (const size_t i : mark.told) {
      const Entry& entry = entries_[i];
      out += (out.empty() ? "" : "\n") + clock_text(entry.at, options_.zone) + ' ' +
             uncertainty_text(entry) + ' ' + std::string(name_of(entry.event.kind)) + ' ' +
             inert_xml(what_text(entry, 160));
    }
    if (mark.count > mark.told.size())
      out += "\nand " + std::to_string(mark.count - mark.told.size()) + " more";
    return out;
  }

  void draw_legend(int y) {
    std::map<int, const Look*> used;
    for (const auto& [place, mark] : marks_) used[-mark.look->rank] = mark.look;
    int x = SvgAxis::kLeft;
    for (const auto& [rank, look] : used) {
      out_ += "<path class=\"" + std::string(look->colour) + "\" d=\"M" + std::to_string(x) + ' ' +
              std::to_string(y - 4) + std::string(look->shape) + "\"/>";
      text(x + 10, y, std::string(look->legend));
      x += 24 + 7 * static_cast<int>(look->legend.size());
    }
  }

  const Timeline& timeline_;
  const std::vector<Entry>& entries_;
  const RenderOptions& options_;
  SvgAxis axis_;
  std::map<std::string, size_t> lanes_;
  std::map<std::pair<size_t, int>, Mark> marks_;  // lane, cell
  size_t not_drawn_ = 0;
  std::string out_;
};

}  // namespace

std::string render_svg(const Timeline& timeline, const RenderOptions& options) {
  return Picture(timeline, options).draw();
}

}  // namespace nines::timeline
