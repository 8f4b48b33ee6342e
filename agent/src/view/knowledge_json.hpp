// Articles of the knowledge base as JSON, the same from the command line and the API.
#pragma once

#include "nines/base/json_writer.hpp"
#include "nines/store/knowledge_base.hpp"

namespace nines::agent::view {

void write_found(JsonWriter& json, const store::Knowledge& found);
void write_article(JsonWriter& json, const store::Article& article);

}  // namespace nines::agent::view
