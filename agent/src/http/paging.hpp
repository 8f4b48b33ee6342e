// Pages of lists: ?limit=N, and ?cursor= as the Link header of the page before gave it (RFC 8288).
// A cursor names the last element that was shown, so what comes in at the head of a list in between
// neither repeats nor hides anything.
#pragma once

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <vector>

#include "http/message.hpp"
#include "http/query.hpp"
#include "nines/base/result.hpp"

namespace nines::agent::http {

struct PageWish {
  size_t limit = 0;
  std::string after;  // key of the last element that is known; empty: from the head
};

// The route table has checked that `limit` is a number within bounds.
inline PageWish page_of(std::string_view query, size_t usual, size_t most = 1000) {
  PageWish wish{usual, decoded_parameter(query, "cursor")};
  const std::string_view given = parameter(query, "limit");
  if (!given.empty()) std::from_chars(given.data(), given.data() + given.size(), wish.limit);
  wish.limit = std::clamp<size_t>(wish.limit, 1, most);
  return wish;
}

// Leaves one page of `items`; `key` names an element. The cursor of the next page, if there is one.
template <class T, class Key>
Result<std::optional<std::string>> take_page(std::vector<T>& items, const PageWish& wish, Key key) {
  if (!wish.after.empty()) {
    const auto last = std::find_if(items.begin(), items.end(),
                                   [&](const T& one) { return key(one) == wish.after; });
    if (last == items.end()) {
      return Error{Errc::invalid_argument,
                   "what the cursor names is not in the list any more; begin without it"};
    }
    items.erase(items.begin(), last + 1);
  }
  if (items.size() <= wish.limit) return std::optional<std::string>();
  items.erase(items.begin() + static_cast<std::ptrdiff_t>(wish.limit), items.end());
  return std::optional(std::string(key(items.back())));
}

// Link: </api/x?limit=2&cursor=...>; rel="next", with the other parameters as they were sent.
inline void link_next(HttpResponse& response, const HttpRequest& request,
                      const std::optional<std::string>& cursor) {
  if (!cursor) return;
  std::string target;
  for (size_t from = 0; from <= request.path.size();) {
    const size_t slash = std::min(request.path.find('/', from), request.path.size());
    target += percent_encode(std::string_view(request.path).substr(from, slash - from));
    if (slash < request.path.size()) target += '/';
    from = slash + 1;
  }
  target += '?';
  std::string_view rest = request.query;
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    // The header must not be left by what a client sent.
    const bool plain = pair.find_first_of("<>\"\r\n ") == std::string_view::npos;
    if (!pair.empty() && plain && !pair.starts_with("cursor=")) target += std::string(pair) + "&";
  }
  target += "cursor=" + percent_encode(*cursor);
  response.headers.emplace_back("Link", "<" + target + ">; rel=\"next\"");
}

}  // namespace nines::agent::http
