#include <algorithm>
#include <map>

#include "timeline/inert.hpp"

namespace nines::timeline {
namespace {

constexpr size_t kMostText = 120;

class Diagram {
 public:
  Diagram(const Timeline& timeline, const RenderOptions& options)
      : timeline_(timeline), entries_(timeline.entries()), options_(options) {
    for (const NodeClock& clock : timeline.nodes()) {
      const std::string id = "n" + std::to_string(ids_.size());
      ids_.emplace(clock.node, id);
      out_ += "  participant " + id + " as " + inert_mermaid(node_text(clock)) + '\n';
    }
  }

  std::string draw(size_t most) {
    const size_t shown = std::min(most, entries_.size());
    std::string day;
    for (size_t i = 0; i < shown; ++i) {
      if (std::string date = date_text(entries_[i].at, options_.zone); date != day) {
        close();
        day = std::move(date);
        note_over_all(day + ' ' + zone_text(entries_[i].at, options_.zone));
      }
      enter(i, shown);
      event(i);
    }
    close();
    for (const std::string& remark : remarks(timeline_, entries_.size() - shown))
      note_over_all(remark);
    return std::move(out_);
  }

 private:
  void note_over_all(const std::string& text) {
    if (ids_.empty()) return;
    const std::string last = "n" + std::to_string(ids_.size() - 1);
    out_ +=
        "  Note over n0" + (ids_.size() > 1 ? "," + last : "") + ": " + inert_mermaid(text) + '\n';
  }

  // Opens, goes on with or closes the `par` that holds a group.
  void enter(size_t i, size_t shown) {
    const auto& group = entries_[i].group;
    if (group && group == open_) {
      out_ += "  and\n";
      return;
    }
    close();
    if (!group || i + 1 >= shown || entries_[i + 1].group != group) return;
    open_ = group;
    out_ += "  par order not known\n";
  }
  void close() {
    if (open_) out_ += "  end\n";
    open_.reset();
  }

  void event(size_t i) {
    const Entry& entry = entries_[i];
    const std::string& id = ids_[entry.event.node];
    if (entry.after && entries_[*entry.after].event.node != entry.event.node) {
      out_ += "  " + ids_[entries_[*entry.after].event.node] + "-->>" + id + ": " +
              std::string(name_of(entry.event.kind)) + '\n';
    }
    // Colons of times are plain here: everything behind the first one is text.
    out_ += "  Note over " + id + ": " + clock_text(entry.at, options_.zone) + ' ';
    out_ += inert_mermaid(uncertainty_text(entry)) + ' ' + std::string(name_of(entry.event.kind));
    const std::string what = inert_mermaid(what_text(entry, kMostText));
    out_ += (what.empty() ? "" : " " + what) + '\n';
  }

  const Timeline& timeline_;
  const std::vector<Entry>& entries_;
  const RenderOptions& options_;
  std::map<std::string, std::string> ids_;
  std::string out_;
  std::optional<size_t> open_;
};

}  // namespace

std::string render_mermaid(const Timeline& timeline, const RenderOptions& options) {
  std::string out = "sequenceDiagram\n";
  out += "  title " + inert_mermaid(title_text(timeline, options)) + '\n';
  return out + Diagram(timeline, options).draw(options.most_shown);
}

}  // namespace nines::timeline
