// /api/kb/...: the knowledge base; everything else goes on to `next`.
//   GET /api/kb/search?q=WORDS[&service=][&template=ID,ID][&kind=][&limit=]
//   GET /api/kb/ID[?format=text]    one article; the id escaped as any part of a path
#pragma once

#include <functional>

#include "app/librarian.hpp"
#include "http/message.hpp"

namespace nines::agent::http {

struct KbAccess {
  std::function<Librarian&()> librarian;
};

AsyncHandler make_kb_api(KbAccess access, AsyncHandler next);

}  // namespace nines::agent::http
