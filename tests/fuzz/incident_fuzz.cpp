// What a hostile peer may send as events of incidents: each behind its length (u16, little endian).
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "nines/incident/communication.hpp"
#include "nines/incident/incident_book.hpp"
#include "nines/incident/postmortem.hpp"

namespace {

using namespace nines;
using namespace nines::incident;

const WallTime kNow = WallTime::from_s(1'772'366'400);

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

std::string story(const IncidentBook& book) {
  std::string out;
  JsonWriter json(out);
  json.begin_array();
  for (const Incident& i : book.list({}, kNow)) write_json(json, i, kNow);
  json.end_array();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view in(reinterpret_cast<const char*>(data), size);
  std::vector<IncidentEvent> events;
  while (in.size() > 2 && events.size() < 64) {
    const size_t length = static_cast<size_t>(static_cast<uint8_t>(in[0])) |
                          static_cast<size_t>(static_cast<uint8_t>(in[1])) << 8;
    in.remove_prefix(2);
    const auto event = decode_event(in.substr(0, length));
    in.remove_prefix(length < in.size() ? length : in.size());
    if (!event) continue;
    require(decode_event(encode_event(*event)) == event, "what was read can be written");
    events.push_back(*event);
  }
  IncidentBook forth({"c", "x", 1}), back({"c", "y", 1});
  for (const auto& e : events) forth.merge(e, kNow);
  for (auto e = events.rbegin(); e != events.rend(); ++e) back.merge(*e, kNow);
  require(story(forth) == story(back), "the order does not matter");
  for (const Incident& i : forth.list({}, kNow)) {
    communication(Template::update, i, kNow);
    postmortem_markdown(postmortem_of(i, {}, kNow));
  }
  forth.tick(kNow);
  require(forth.stats(kNow).events <= 64 + 8, "nothing multiplies");
  return 0;
}
