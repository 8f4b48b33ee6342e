#include "http/bearer.hpp"

#include <algorithm>
#include <string_view>

#include "app/token.hpp"

namespace nines::agent::http {

std::optional<HttpResponse> refusal(const HttpRequest& request, const std::string& token) {
  constexpr std::string_view kScheme = "bearer ";
  std::string_view given = request.authorization;
  const bool bearer = given.size() > kScheme.size() &&
                      std::equal(kScheme.begin(), kScheme.end(), given.begin(), [](char a, char b) {
                        return a == (b >= 'A' && b <= 'Z' ? b + 32 : b);
                      });
  if (!bearer) {
    HttpResponse response =
        problem(401,
                "this needs the header 'Authorization: Bearer TOKEN'; the token is in the file "
                "that api.token_file names, else in api.token of the agent's state directory");
    response.headers.emplace_back("WWW-Authenticate", "Bearer");
    return response;
  }
  given.remove_prefix(kScheme.size());
  if (same_token(given, token)) return std::nullopt;
  return problem(403, "the bearer token is not this agent's");
}

}  // namespace nines::agent::http
