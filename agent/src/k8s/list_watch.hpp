// ListWatch: the sans-I/O half of following objects of the Kubernetes API (pods, events): what to
// ask next, what its bytes mean, and how long to wait in between. LIST in pages, then WATCH from
// where the list ended, and again from the last event after a disconnect; 410 Gone starts over with
// a list. What the objects are is the Resource's.
//
//   watch ends after it had been useful   asked again after about the base wait
//   list ends                             the watch follows at once
//   anything else                         exponential back-off with jitter, Retry-After is kept
//
// A quick 410 counts as a failure, so that a server that answers so for ever is not worn out.
// Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "k8s/object_splitter.hpp"
#include "k8s/pod_reader.hpp"

namespace nines::agent::k8s {

struct SyncOptions {
  std::string node;
  int64_t page = 100;     // objects a LIST page
  int64_t watch_s = 240;  // after which the server is to end a watch
  int64_t base_ms = 1'000, max_ms = 300'000;
  int64_t useful_ms = 30'000;  // a watch that stood so long was useful even if it was quiet
  size_t max_object_bytes = 2 * 1024 * 1024;  // etcd takes 1.5 MiB
};

struct SyncStats {
  uint64_t lists = 0, watches = 0;  // completed; opened
  uint64_t events = 0, bookmarks = 0;
  uint64_t expired = 0;    // 410 Gone: listed anew
  uint64_t failures = 0;   // exchanges that brought nothing
  uint64_t malformed = 0;  // objects that could not be read
  uint64_t oversized = 0;  // objects passed over
  uint64_t foreign = 0;    // objects that are not of this node
  uint64_t left_out = 0;   // texts beyond their bound
};

// How an exchange ended.
struct Ended {
  int status = 0;      // of the answer; 0: there was none
  bool whole = false;  // the answer was not cut short
  std::optional<int64_t> retry_after_ms;
  int64_t lived_ms = 0;
  std::string error;  // or the body of an answer that is no 2xx
};

// What is followed, and where it goes.
class Resource {
 public:
  virtual ~Resource() = default;
  // Path and first parameter: "/api/v1/pods?fieldSelector=...".
  virtual std::string target() const = 0;
  // As RBAC calls them: "pods".
  virtual std::string name() const = 0;
  // What take() does not get between the two is there no more.
  virtual void begin_list() = 0;
  virtual void end_list() = 0;
  enum class Taken : uint8_t { yes, foreign, malformed };
  virtual Taken take(const ApiObject& object, bool deleted) = 0;
};

class ListWatch {
 public:
  // `resource` must outlive it.
  ListWatch(SyncOptions options, Resource& resource, uint64_t seed);

  // Path and query of the next request. One exchange at a time.
  std::string begin();
  // Bytes of its 2xx answer; false: no more is wanted.
  bool on_data(std::string_view bytes);
  // Gives how long to wait before the next begin(), in ms.
  int64_t on_end(const Ended& ended);

  bool watching() const noexcept { return phase_ == Phase::watch; }
  // At least one list has been completed in this life.
  bool synced() const noexcept { return stats_.lists > 0; }
  // Grows with everything that shows what is known to be as the API has it.
  uint64_t heard() const noexcept { return heard_; }
  const std::string& trouble() const noexcept { return trouble_; }  // empty: none
  const SyncStats& stats() const noexcept { return stats_; }

 private:
  enum class Phase : uint8_t { list, watch };

  bool on_item(std::string_view json);
  bool on_event(std::string_view json);
  bool on_error_event(const ApiObject& object);
  bool take(const ApiObject& object, bool deleted);
  int64_t end_list(const Ended& ended);
  int64_t end_watch(const Ended& ended);
  int64_t fail(const Ended& ended);
  void start_over();
  int64_t wait_ms(std::optional<int64_t> at_least_ms);
  uint64_t random();

  SyncOptions options_;
  Resource& resource_;
  uint64_t random_state_;
  Phase phase_ = Phase::list;
  std::unique_ptr<ObjectSplitter> splitter_;
  std::string resource_version_, continue_;
  bool in_list_ = false;    // some page of the present list has been asked for
  bool from_cache_ = true;  // the first list may come from the server's memory
  bool expired_ = false;    // the present watch cannot go on from where it was
  bool useful_ = false;     // the present watch brought something
  bool broken_ = false;     // the present exchange brought what cannot be read
  int tries_ = 0;
  uint64_t heard_ = 0;
  std::string trouble_;
  SyncStats stats_;
};

}  // namespace nines::agent::k8s
