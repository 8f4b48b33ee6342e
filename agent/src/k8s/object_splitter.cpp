#include "k8s/object_splitter.hpp"

#include <algorithm>

namespace nines::agent::k8s {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

}  // namespace

bool ObjectSplitter::complete() const noexcept {
  return shape_ == Shape::list ? ended_ : depth_ == 0;
}

bool ObjectSplitter::feed(std::string_view bytes) {
  for (size_t i = 0; i < bytes.size(); ++i) {
    // Most bytes stand in strings of objects: up to the next that means something at once.
    if (collecting_ && string_ && !escaped_) {
      const size_t end = std::min(bytes.find_first_of("\"\\", i), bytes.size());
      if (!keep(bytes.substr(i, end - i))) return false;
      i = end;
      if (i == bytes.size()) break;
    }
    if (!step(bytes[i])) return false;
  }
  return true;
}

bool ObjectSplitter::step(char c) {
  if (string_) return in_string(c) && keep({&c, 1});
  // Between the items of a list.
  const bool between = items_ && !collecting_ && depth_ == 2;
  if (between && c != '{' && c != '[' && c != ']') return c == ',' || is_blank(c);
  switch (c) {
    case '"':
      string_ = true;
      if (depth_ == 1) text_.clear();
      return depth_ > 0 && keep({&c, 1});
    case ':':
      if (depth_ == 1) key_ = text_;
      return depth_ > 0 && keep({&c, 1});
    case '{':
    case '[': return open(c) && keep({&c, 1}) && ++depth_ > 0;
    case '}':
    case ']': {
      --depth_;
      return depth_ >= 0 && keep({&c, 1}) && close();
    }
    default: break;
  }
  if (depth_ == 0) return is_blank(c);
  return keep({&c, 1});
}

bool ObjectSplitter::in_string(char c) {
  constexpr size_t kMaxKey = 64;
  const bool ends = c == '"' && !escaped_;
  escaped_ = c == '\\' && !escaped_;
  if (ends) {
    string_ = false;
  } else if (depth_ == 1 && text_.size() < kMaxKey) {
    text_ += c;
  }
  return true;
}

// Before the bracket is kept and the depth grows.
bool ObjectSplitter::open(char c) {
  if (depth_ == 0 && (c != '{' || ended_)) return false;
  const int object_depth = shape_ == Shape::list ? 2 : 0;
  if (shape_ == Shape::list && depth_ == 1 && c == '[' && key_ == "items") {
    items_ = true;
    envelope_ += '[';
    return true;
  }
  const bool begins = depth_ == object_depth && (shape_ == Shape::stream || items_);
  if (begins && c != '{') return false;
  if (begins) collecting_ = true;
  return true;
}

// After the bracket was kept and the depth shrank.
bool ObjectSplitter::close() {
  const int object_depth = shape_ == Shape::list ? 2 : 0;
  if (collecting_ && depth_ == object_depth) return finish_object();
  if (items_ && depth_ == 1) {
    items_ = false;
    envelope_ += ']';
  }
  if (shape_ == Shape::list && depth_ == 0) ended_ = true;
  return true;
}

bool ObjectSplitter::keep(std::string_view bytes) {
  if (!collecting_) {
    if (shape_ == Shape::stream || items_) return true;
    envelope_ += bytes;
    return envelope_.size() <= kMaxEnvelope;
  }
  if (object_.size() + bytes.size() > max_object_bytes_) too_large_ = true;
  if (!too_large_) object_ += bytes;
  return true;
}

bool ObjectSplitter::finish_object() {
  collecting_ = false;
  bool go_on = true;
  if (too_large_) {
    ++oversized_;
  } else {
    go_on = on_object_(object_);
  }
  too_large_ = false;
  object_.clear();
  if (object_.capacity() > kKeepCapacity) object_.shrink_to_fit();
  return go_on;
}

}  // namespace nines::agent::k8s
