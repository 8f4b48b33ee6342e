#include "k8s/pod_reader.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <nlohmann/json.hpp>

#include "nines/base/time.hpp"

namespace nines::agent::k8s {
namespace {

constexpr size_t kMaxNameBytes = 253, kMaxTextBytes = 4096, kMaxReasonBytes = 64,
                 kMaxImageBytes = 512;
constexpr std::string_view kOurs = "nines.io/", kManifestHash = "kubernetes.io/config.hash";

// The names of nlohmann::json's SAX interface.
class Handler {
 public:
  Handler(ApiObject& out, bool event) : out_(out), event_(event) {}
  bool typed() const { return !event_ || !out_.event.empty(); }

  bool null() { return true; }
  bool boolean(bool value) {
    if (value && at({"metadata", "ownerReferences", "[]", "controller"}) && !pod().owners.empty())
      pod().owners.back().controller = true;
    if (value && at({"gone"})) pod().gone = true;
    return true;
  }
  bool number_integer(int64_t value) { return number(value); }
  bool number_unsigned(uint64_t value) {
    return number(static_cast<int64_t>(std::min<uint64_t>(value, INT64_MAX)));
  }
  bool number_float(double, const std::string&) { return true; }
  bool string(std::string& value) {
    text(value);
    return true;
  }
  template <class Binary>
  bool binary(Binary&) {
    return false;
  }
  bool start_object(size_t) {
    if (at({"metadata", "ownerReferences", "[]"}) && pod().owners.size() < kMaxContainers)
      pod().owners.emplace_back();
    if (at({"status", "conditions", "[]"})) condition_ = {};
    if (at({"spec", "containers", "[]"})) image_ = {};
    if (in_container_list(3)) {
      if (pod().containers.size() < kMaxContainers)
        pod().containers.emplace_back();
      else
        ++out_.left_out;
    }
    return push("");
  }
  bool key(std::string& name) {
    if (path_.size() <= kDeepest) path_.back() = name;
    return true;
  }
  bool end_object() { return pop(); }
  bool start_array(size_t) { return push("[]"); }
  bool end_array() { return pop(); }
  template <class Exception>
  bool parse_error(size_t, const std::string&, const Exception&) {
    return false;
  }

 private:
  static constexpr size_t kDeepest = 7;    // below it nothing is wanted
  static constexpr size_t kMaxDepth = 64;  // hostile nesting

  RawPod& pod() { return out_.pod; }

  bool push(const char* name) {
    if (path_.size() >= kMaxDepth) return false;
    path_.emplace_back(name);
    return true;
  }
  bool pop() {
    path_.pop_back();
    return true;
  }

  // Is the present value at this place of the object?
  bool at(std::initializer_list<std::string_view> wanted) const {
    const size_t skip = event_ ? 1 : 0;
    if (path_.size() != wanted.size() + skip) return false;
    if (event_ && path_.front() != "object") return false;
    return std::equal(wanted.begin(), wanted.end(), path_.begin() + static_cast<ptrdiff_t>(skip));
  }
  // metadata/labels/KEY: the key.
  const std::string* member_of(std::string_view map) const {
    const size_t skip = event_ ? 1 : 0;
    if (path_.size() != 3 + skip || (event_ && path_.front() != "object")) return nullptr;
    return path_[skip] == "metadata" && path_[skip + 1] == map ? &path_[skip + 2] : nullptr;
  }
  bool in_container_list(size_t depth) const {
    const size_t skip = event_ ? 1 : 0;
    if (path_.size() != depth + skip || path_[skip] != "status" || path_[skip + 2] != "[]")
      return false;
    const std::string& list = path_[skip + 1];
    return list == "containerStatuses" || list == "initContainerStatuses" ||
           list == "ephemeralContainerStatuses";
  }

  void assign(std::string& field, std::string& value, size_t most) {
    if (value.size() <= most)
      field = std::move(value);
    else
      ++out_.left_out;
  }
  void add(RawPod::Texts& texts, const std::string& key, std::string& value, size_t most_texts,
           size_t most_bytes) {
    if (texts.size() >= most_texts || key.size() > kMaxKeyBytes || value.size() > most_bytes) {
      ++out_.left_out;
      return;
    }
    texts.emplace_back(key, std::move(value));
  }

  bool number(int64_t value) {
    if (at({"code"})) out_.code = value;
    if (at({"count"})) out_.noticed.count = value;
    if (at({"series", "count"})) out_.noticed.series = value;
    if (in_container_list(6) && path_.back() == "exitCode" && !pod().containers.empty()) {
      RawPod::Container& container = pod().containers.back();
      const bool last = path_[path_.size() - 3] == "lastState";
      if (!last || container.ended.empty()) container.exit_code = value;
    }
    if (in_container_list(4) && path_.back() == "restartCount" && !pod().containers.empty()) {
      pod().containers.back().restarts =
          static_cast<int32_t>(std::clamp<int64_t>(value, 0, std::numeric_limits<int32_t>::max()));
    }
    return true;
  }

  void text(std::string& value) {
    if (event_ && path_.size() == 1 && path_[0] == "type") {
      assign(out_.event, value, 16);
    } else if (const std::string* label = member_of("labels")) {
      add(pod().labels, *label, value, kMaxLabels, kMaxLabelBytes);
    } else if (const std::string* annotation = member_of("annotations")) {
      if (annotation->starts_with(kOurs))
        add(pod().annotations, *annotation, value, kMaxAnnotations, kMaxAnnotationBytes);
      else if (*annotation == kManifestHash)
        assign(pod().manifest_hash, value, kMaxNameBytes);
    } else if (in_container_list(4)) {
      if (path_.back() == "name" && !pod().containers.empty())
        assign(pod().containers.back().name, value, kMaxNameBytes);
    } else if (in_container_list(6)) {
      container_state(path_[path_.size() - 3], path_[path_.size() - 2], path_.back(), value);
    } else if (path_.size() > 1 && path_[event_ ? 1 : 0] == "status") {
      status_text(value);
    } else if (path_.size() > 1 && path_[event_ ? 1 : 0] == "spec") {
      spec_text(value);
    } else {
      plain_text(value);
      event_text(value);
    }
  }

  // "state" or "lastState", "waiting" or "terminated", and the key.
  void container_state(const std::string& when, const std::string& what, const std::string& key,
                       std::string& value) {
    if (pod().containers.empty()) return;
    RawPod::Container& container = pod().containers.back();
    const bool last = when == "lastState";
    if (what == "waiting" && key == "reason" && !last) {
      assign(container.waiting, value, kMaxReasonBytes);
    } else if (what == "terminated" && key == "reason") {
      assign(last ? container.ended_last : container.ended, value, kMaxReasonBytes);
    } else if (what == "terminated" && key == "finishedAt") {
      (last ? container.ended_last_s : container.ended_s) = parse_time(value);
    }
  }

  void status_text(std::string& value) {
    if (at({"status", "phase"})) {
      assign(pod().phase, value, 32);
    } else if (at({"status", "startTime"})) {
      pod().started_s = parse_time(value);
    } else if (at({"status", "reason"})) {
      assign(pod().reason, value, kMaxReasonBytes);
    } else if (at({"status", "conditions", "[]", "type"})) {
      condition_.ready = value == "Ready";
    } else if (at({"status", "conditions", "[]", "status"})) {
      condition_.holds = value == "True";
    } else if (at({"status", "conditions", "[]", "lastTransitionTime"})) {
      condition_.since_s = parse_time(value);
    }
    if (!condition_.ready) return;
    pod().has_ready = true;
    pod().ready = condition_.holds;
    pod().ready_since_s = condition_.since_s;
  }

  void spec_text(std::string& value) {
    if (at({"spec", "nodeName"})) return assign(pod().node, value, kMaxNameBytes);
    const bool name = at({"spec", "containers", "[]", "name"});
    if (!name && !at({"spec", "containers", "[]", "image"})) return;
    assign(name ? image_.first : image_.second, value, kMaxImageBytes);
    if (image_.first.empty() || image_.second.empty()) return;
    if (pod().images.size() < kMaxContainers) {
      pod().images.push_back(std::exchange(image_, {}));
    } else {
      ++out_.left_out;
    }
  }

  void event_text(std::string& value) {
    RawEvent& noticed = out_.noticed;
    if (at({"involvedObject", "kind"}))
      assign(noticed.kind, value, kMaxReasonBytes);
    else if (at({"involvedObject", "namespace"}))
      assign(noticed.ns, value, kMaxNameBytes);
    else if (at({"involvedObject", "name"}))
      assign(noticed.name, value, kMaxNameBytes);
    else if (at({"involvedObject", "uid"}))
      assign(noticed.uid, value, kMaxNameBytes);
    else if (at({"type"}))
      assign(noticed.type, value, 32);
    else if (at({"source", "host"}) || at({"reportingInstance"}))
      assign(noticed.host, value, kMaxNameBytes);
    else if (at({"source", "component"}) || at({"reportingComponent"}))
      assign(noticed.component, value, kMaxNameBytes);
    else if (at({"firstTimestamp"}))
      noticed.first_s = parse_time(value);
    else if (at({"lastTimestamp"}))
      noticed.last_s = parse_time(value);
    else if (at({"eventTime"}))
      noticed.seen_s = parse_time(value);
    else if (at({"series", "lastObservedTime"}))
      noticed.series_s = parse_time(value);
  }

  void plain_text(std::string& value) {
    if (at({"metadata", "namespace"}))
      assign(pod().ns, value, kMaxNameBytes);
    else if (at({"metadata", "name"}))
      assign(pod().name, value, kMaxNameBytes);
    else if (at({"metadata", "uid"}))
      assign(pod().uid, value, kMaxNameBytes);
    else if (at({"metadata", "resourceVersion"}))
      assign(out_.resource_version, value, 64);
    else if (at({"metadata", "continue"}))
      assign(out_.continue_token, value, kMaxTextBytes);
    else if (at({"metadata", "creationTimestamp"}))
      pod().created_s = parse_time(value);
    else if (at({"metadata", "deletionTimestamp"}))
      pod().deleting = true;
    else if (at({"reason"}))
      assign(out_.reason, value, 64);
    else if (at({"message"}))
      assign(out_.message, value, kMaxTextBytes);
    else if (!pod().owners.empty() && at({"metadata", "ownerReferences", "[]", "kind"}))
      assign(pod().owners.back().kind, value, kMaxNameBytes);
    else if (!pod().owners.empty() && at({"metadata", "ownerReferences", "[]", "name"}))
      assign(pod().owners.back().name, value, kMaxNameBytes);
    else if (!pod().owners.empty() && at({"metadata", "ownerReferences", "[]", "uid"}))
      assign(pod().owners.back().uid, value, kMaxNameBytes);
  }

  struct Condition {
    bool ready = false, holds = false;
    int64_t since_s = 0;
  };

  ApiObject& out_;
  bool event_;
  std::vector<std::string> path_;
  Condition condition_;                        // of the pod, that is being read
  std::pair<std::string, std::string> image_;  // the same: name and image of a container
};

std::optional<ApiObject> read(std::string_view json, bool event) {
  ApiObject out;
  Handler handler(out, event);
  if (!nlohmann::json::sax_parse(json.begin(), json.end(), &handler) || !handler.typed())
    return std::nullopt;
  // A key may come twice in hostile JSON: the last one counts, as for other readers.
  for (RawPod::Texts* texts : {&out.pod.labels, &out.pod.annotations}) {
    std::stable_sort(texts->begin(), texts->end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    auto last = std::unique(texts->rbegin(), texts->rend(),
                            [](const auto& a, const auto& b) { return a.first == b.first; });
    texts->erase(texts->begin(), last.base());
  }
  return out;
}

std::optional<int> digits(std::string_view text, size_t at, size_t count) {
  int value = 0;
  const std::string_view part = text.substr(at, count);
  const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
  if (error != std::errc() || end != part.data() + part.size() || value < 0) return std::nullopt;
  return value;
}

}  // namespace

std::optional<ApiObject> read_object(std::string_view json) { return read(json, false); }
std::optional<ApiObject> read_event(std::string_view json) { return read(json, true); }

int64_t parse_time(std::string_view text) {
  if (text.size() > 20 && text[19] == '.') {
    const size_t end = text.find_first_not_of("0123456789", 20);
    if (end == 20 || end + 1 != text.size()) return 0;
  } else if (text.size() != 20) {
    return 0;
  }
  if (text.back() != 'Z') return 0;
  const auto year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
  const auto hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
  if (!year || !month || !day || !hour || !minute || !second) return 0;
  if (*month < 1 || *month > 12 || *day < 1 || *day > 31) return 0;
  return days_from_civil(*year, *month, *day) * 86400 + *hour * 3600 + *minute * 60 + *second;
}

}  // namespace nines::agent::k8s
