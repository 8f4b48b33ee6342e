// GET /api/queries/saved, and GET, PUT and DELETE of /api/queries/saved/{name}: the statements that
// people keep on this node. They hold no log lines, so that reading them needs no token; changing
// them does. What is none of these goes to `next`.
#pragma once

#include <functional>
#include <string>

#include "app/logbook.hpp"
#include "http/message.hpp"
#include "query/shelf.hpp"

namespace nines::agent::http {

// All of it runs on the thread of the server; `done` is called there too.
struct ShelfAccess {
  std::string token;
  std::function<query::QueryShelf&()> shelf;
  std::function<WallTime()> now;
  // Whether it is a statement that an agent may be asked.
  std::function<Status(const std::string& sql)> check;
  std::function<void(Record, std::function<void(Result<Record>)> done)> record;
};

AsyncHandler make_shelf_api(ShelfAccess access, AsyncHandler next);

}  // namespace nines::agent::http
