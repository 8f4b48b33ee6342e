// ObjectSplitter: cuts what the Kubernetes API sends into its objects as the bytes come, so that
// one object at a time is in memory, never a list of them. Knows brackets and strings only; what an
// object means is read by pod_reader.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace nines::agent::k8s {

class ObjectSplitter {
 public:
  enum class Shape : uint8_t {
    list,    // {"metadata":{...},"items":[{...},{...}]}: the elements of "items"
    stream,  // {...}{...}: watch events
  };
  // Called with each whole object; false ends feed().
  using OnObject = std::function<bool(std::string_view)>;

  // Objects over max_object_bytes are passed over and counted.
  ObjectSplitter(Shape shape, size_t max_object_bytes, OnObject on_object)
      : shape_(shape), max_object_bytes_(max_object_bytes), on_object_(std::move(on_object)) {}

  // False: this is not what was expected, or on_object said so. Not to be fed again then.
  bool feed(std::string_view bytes);
  // list: the document has been closed. stream: not in the middle of an object.
  bool complete() const noexcept;
  // list: the document without its items.
  const std::string& envelope() const noexcept { return envelope_; }
  uint64_t oversized() const noexcept { return oversized_; }

 private:
  static constexpr size_t kMaxEnvelope = 64 * 1024, kKeepCapacity = 64 * 1024;

  bool step(char c);
  bool open(char c);
  bool close();
  bool in_string(char c);
  bool keep(std::string_view bytes);
  bool finish_object();

  Shape shape_;
  size_t max_object_bytes_;
  OnObject on_object_;
  std::string object_, envelope_, text_, key_;  // text_: last string of the outermost level
  int depth_ = 0;
  bool string_ = false, escaped_ = false, items_ = false, collecting_ = false, too_large_ = false;
  bool ended_ = false;
  uint64_t oversized_ = 0;
};

}  // namespace nines::agent::k8s
