// Which request a line belongs to, where its format does not say: "TraceID: 4f1c...", "[req-id=7]",
// "request_id=\"...\"" anywhere in a message.
#pragma once

#include <string_view>

namespace nines::incident {

struct RequestMark {
  std::string_view request, span;  // into the message; empty: none
};

// Words trace, request, req, correlation or x-request (and span), then id, whatever their case and
// whatever joins them; then : or = or a space; then the value, of 6 to 64 letters, digits, - and _,
// with a digit among them. The first of each kind counts; trace before request.
RequestMark find_request(std::string_view message) noexcept;

}  // namespace nines::incident
