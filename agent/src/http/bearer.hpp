// The bearer token of writes and of queries.
#pragma once

#include <optional>
#include <string>

#include "http/message.hpp"

namespace nines::agent::http {

// nullopt: the request has it. Else 401 or 403.
std::optional<HttpResponse> refusal(const HttpRequest& request, const std::string& token);

}  // namespace nines::agent::http
