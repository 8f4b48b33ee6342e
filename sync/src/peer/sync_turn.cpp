#include "peer/sync_turn.hpp"

#include <algorithm>

namespace nines::peer {
namespace {

constexpr size_t kSeriesAtOnce = 16, kPiecesAtOnce = 256;

// What is small and names the rest first, then from the newest to the oldest.
bool sooner(const fleet::PartKey& a, const fleet::PartKey& b) {
  if (a.kind != b.kind) return a.kind < b.kind;
  return a.index != b.index ? a.index > b.index : a < b;
}

}  // namespace

void SyncTurn::stop() {
  const uint64_t request = request_;
  *this = {};
  request_ = request;
}

Message SyncTurn::ask(Stage stage, std::vector<uint64_t> series) {
  stage_ = stage;
  return Ask{++request_, stage == Stage::origins ? std::string() : origin_, std::move(series)};
}

Message SyncTurn::begin(uint64_t request) {
  stop();
  request_ = request - 1;
  return ask(Stage::origins, {});
}

std::optional<Message> SyncTurn::next() {
  if (!wanted_.empty()) {
    const size_t count = std::min(kPiecesAtOnce, wanted_.size());
    asked_.assign(wanted_.begin(), wanted_.begin() + static_cast<ptrdiff_t>(count));
    wanted_.erase(wanted_.begin(), wanted_.begin() + static_cast<ptrdiff_t>(count));
    Want want{++request_, origin_, asked_};
    std::sort(asked_.begin(), asked_.end());
    progress_ = false;
    stage_ = Stage::pieces;
    return want;
  }
  if (!series_.empty()) {
    const size_t count = std::min(kSeriesAtOnce, series_.size());
    std::vector<uint64_t> ids(series_.begin(), series_.begin() + static_cast<ptrdiff_t>(count));
    series_.erase(series_.begin(), series_.begin() + static_cast<ptrdiff_t>(count));
    return ask(Stage::blocks, std::move(ids));
  }
  if (!origins_.empty()) {
    origin_ = std::move(origins_.front());
    origins_.pop_front();
    return ask(Stage::parts, {});
  }
  stop();
  return std::nullopt;
}

std::optional<Message> SyncTurn::on(const OriginDigests& digests, const fleet::FleetState& state) {
  if (stage_ != Stage::origins || digests.request != request_) return std::nullopt;
  for (auto& origin : state.missing(digests.origins)) origins_.push_back(std::move(origin));
  return next();
}

std::optional<Message> SyncTurn::on(const PartDigests& digests, const fleet::FleetState& state) {
  const bool awaited = stage_ == Stage::parts || stage_ == Stage::blocks;
  if (!awaited || digests.request != request_ || digests.origin != origin_) return std::nullopt;
  auto keys = state.missing(origin_, digests.parts);
  std::sort(keys.begin(), keys.end(), sooner);
  for (const auto& key : keys) {
    if (key.kind == fleet::PartKind::series) {
      if (stage_ == Stage::parts && series_.size() < state.limits().max_series) {
        series_.push_back(key.id);
      }
    } else {
      wanted_.push_back(key);
    }
  }
  return next();
}

std::optional<Message> SyncTurn::on(const Parts& parts) {
  if (stage_ != Stage::pieces || parts.request != request_ || parts.origin != origin_) {
    return std::nullopt;
  }
  for (const auto& part : parts.parts) {
    const auto found = std::lower_bound(asked_.begin(), asked_.end(), part.key);
    if (found == asked_.end() || *found != part.key) continue;
    asked_.erase(found);
    progress_ = true;
  }
  if (!parts.last) return std::nullopt;
  // What did not fit into the answer is asked for again, as long as something came.
  if (progress_) wanted_.insert(wanted_.begin(), asked_.begin(), asked_.end());
  asked_.clear();
  return next();
}

}  // namespace nines::peer
