#include "k8s/list_watch.hpp"

#include <algorithm>

#include "http/message.hpp"

namespace nines::agent::k8s {
namespace {

constexpr int kBadRequest = 400, kGone = 410;

// The server does not know the version or page that it was asked to go on from.
bool is_lost(int status) { return status == kGone || status == kBadRequest; }

std::string what_failed(const Ended& ended, const std::string& name) {
  if (ended.status == 0) return ended.error;
  std::string out = "the Kubernetes API answers " + std::to_string(ended.status);
  if (ended.status == 401) return out + ": the service account's token is not accepted";
  if (ended.status == 403) {
    return out + ": this service account may not read " + name +
           "; grant it get, list and watch of " + name;
  }
  return ended.error.empty() ? out : out + ": " + ended.error.substr(0, 200);
}

}  // namespace

ListWatch::ListWatch(SyncOptions options, Resource& resource, uint64_t seed)
    : options_(std::move(options)), resource_(resource), random_state_(seed) {}

std::string ListWatch::begin() {
  std::string target = resource_.target();
  useful_ = expired_ = broken_ = false;
  if (phase_ == Phase::watch) {
    ++stats_.watches;
    splitter_ =
        std::make_unique<ObjectSplitter>(ObjectSplitter::Shape::stream, options_.max_object_bytes,
                                         [this](std::string_view json) { return on_event(json); });
    return target + "&watch=true&allowWatchBookmarks=true&resourceVersion=" +
           http::percent_encode(resource_version_) +
           "&timeoutSeconds=" + std::to_string(options_.watch_s);
  }
  splitter_ =
      std::make_unique<ObjectSplitter>(ObjectSplitter::Shape::list, options_.max_object_bytes,
                                       [this](std::string_view json) { return on_item(json); });
  if (!in_list_) resource_.begin_list();
  in_list_ = true;
  target += "&limit=" + std::to_string(options_.page);
  if (!continue_.empty()) return target + "&continue=" + http::percent_encode(continue_);
  // Out of the server's watch cache, which has an index by node: the cheapest there is.
  return from_cache_ ? target + "&resourceVersion=0" : target;
}

bool ListWatch::on_data(std::string_view bytes) {
  const uint64_t before = splitter_->oversized();
  const bool go_on = splitter_->feed(bytes);
  stats_.oversized += splitter_->oversized() - before;
  if (!go_on && !expired_ && !broken_) {
    broken_ = true;
    ++stats_.malformed;
  }
  return go_on;
}

bool ListWatch::on_item(std::string_view json) {
  const auto object = read_object(json);
  if (object && take(*object, false)) return true;
  ++stats_.malformed;  // the others are as good as before
  return true;
}

// False: this is none of them. One that is not ours is passed over.
bool ListWatch::take(const ApiObject& object, bool deleted) {
  const Resource::Taken taken = resource_.take(object, deleted);
  if (taken == Resource::Taken::malformed) return false;
  stats_.left_out += object.left_out;
  if (taken == Resource::Taken::foreign) ++stats_.foreign;
  return true;
}

bool ListWatch::on_event(std::string_view json) {
  const auto object = read_event(json);
  const bool change = object && (object->event == "ADDED" || object->event == "MODIFIED" ||
                                 object->event == "DELETED");
  const bool bookmark = object && object->event == "BOOKMARK";
  if (object && object->event == "ERROR") return on_error_event(*object);
  const bool sound = object && !object->resource_version.empty() &&
                     (bookmark || (change && take(*object, object->event == "DELETED")));
  if (!sound) {
    // An event was missed: only a list can tell what it was.
    ++stats_.malformed;
    broken_ = expired_ = true;
    trouble_ = "the Kubernetes API sent an event that could not be read";
    return false;
  }
  resource_version_ = object->resource_version;
  ++(bookmark ? stats_.bookmarks : stats_.events);
  ++heard_;
  useful_ = true;
  return true;
}

bool ListWatch::on_error_event(const ApiObject& object) {
  broken_ = true;
  expired_ = object.code == kGone || object.reason == "Expired" || object.reason == "Gone";
  if (expired_)
    ++stats_.expired;
  else
    trouble_ = "the Kubernetes API ended the watch: " + object.message.substr(0, 200);
  return false;
}

int64_t ListWatch::on_end(const Ended& ended) {
  return phase_ == Phase::list ? end_list(ended) : end_watch(ended);
}

int64_t ListWatch::end_list(const Ended& ended) {
  if (is_lost(ended.status)) {
    ++stats_.expired;
    start_over();
    return fail(ended);
  }
  if (ended.status / 100 != 2 || !ended.whole || broken_ || !splitter_->complete())
    return fail(ended);  // the same page again
  const auto frame = read_object(splitter_->envelope());
  if (!frame || frame->resource_version.empty()) {
    ++stats_.malformed;
    return fail(ended);
  }
  continue_ = frame->continue_token;
  if (!continue_.empty()) return 0;
  resource_.end_list();
  in_list_ = false;
  resource_version_ = frame->resource_version;
  phase_ = Phase::watch;
  ++stats_.lists;
  ++heard_;
  trouble_.clear();
  return 0;
}

int64_t ListWatch::end_watch(const Ended& ended) {
  const bool answered = ended.status / 100 == 2;
  if (is_lost(ended.status)) {
    ++stats_.expired;
    expired_ = true;
  }
  useful_ = useful_ || (answered && ended.lived_ms >= options_.useful_ms);
  if (expired_) start_over();
  if (!useful_) return fail(ended);
  tries_ = 0;
  if (answered && ended.whole && !broken_) {
    ++heard_;  // until now there was nothing that it did not tell
    trouble_.clear();
  }
  return wait_ms(std::nullopt);
}

int64_t ListWatch::fail(const Ended& ended) {
  ++stats_.failures;
  if (ended.status / 100 != 2) {
    trouble_ = what_failed(ended, resource_.name());
  } else if (trouble_.empty() && !ended.whole && !broken_) {
    trouble_ = ended.error;
  }
  const int64_t wait = wait_ms(ended.retry_after_ms);
  ++tries_;
  return wait;
}

void ListWatch::start_over() {
  phase_ = Phase::list;
  continue_.clear();
  resource_version_.clear();
  in_list_ = false;
  from_cache_ = false;  // it may be what was too old
}

// Half of it is chance: the agents of all nodes lose a server at the same instant.
int64_t ListWatch::wait_ms(std::optional<int64_t> at_least_ms) {
  const int64_t most = std::min(options_.max_ms, options_.base_ms << std::min(tries_, 20));
  const int64_t wait =
      most / 2 + static_cast<int64_t>(random() % static_cast<uint64_t>(most - most / 2 + 1));
  return wait + std::clamp<int64_t>(at_least_ms.value_or(0), 0, options_.max_ms);
}

// SplitMix64 (S. Vigna): enough for jitter, and the same numbers everywhere.
uint64_t ListWatch::random() {
  uint64_t z = (random_state_ += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace nines::agent::k8s
