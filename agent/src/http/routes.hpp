// RouteTable: what is served, read from the OpenAPI document that is served as well. The document
// is the one place where a path, its methods, parameters and answers stand; what it does not
// describe is refused before a handler sees it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.hpp"
#include "nines/base/result.hpp"

namespace nines::agent::http {

class RouteTable {
 public:
  // An OpenAPI 3.1 document in JSON. A path has at most one {parameter}, which may hold slashes.
  static Result<RouteTable> parse(std::string_view openapi);

  // nullopt: the request may go on. Else 404, 405 with Allow, or 400 for its parameters.
  std::optional<HttpResponse> refuse(const HttpRequest& request) const;
  // "GET, HEAD, POST" of the path; empty: nothing is served there.
  std::string allowed(std::string_view path) const;
  size_t size() const noexcept { return paths_.size(); }

 private:
  enum class Type : uint8_t { text, integer, choice };
  struct Parameter {
    std::string name;
    Type type = Type::text;
    int64_t min = INT64_MIN, max = INT64_MAX;  // integer: of the value; text: max bytes
    std::vector<std::string> choices;
    bool required = false;
  };
  struct Operation {
    std::string method;
    std::vector<Parameter> parameters;  // of the query
  };
  struct Path {
    std::string before, after;  // around the {parameter}
    bool has_parameter = false;
    std::string instead;  // where that is changed which cannot be written here (x-instead)
    std::vector<Operation> operations;
  };
  friend struct RouteReader;

  const Path* find(std::string_view path) const;
  static std::string methods_of(const Path& path);
  static std::optional<std::string> trouble(const Operation& operation, std::string_view query);
  static std::optional<std::string> trouble(const Parameter& parameter, const std::string& value);

  std::vector<Path> paths_;
};

}  // namespace nines::agent::http
