#include "../../../core/src/query/quiet_keys.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace nines::query {
namespace {

struct State {
  uint64_t hash = 0;
  std::string key;
  QuietLinks quiet;
};

struct Keys {
  KeyTable<State> table;
  QuietKeys<State> quiet{table};

  uint32_t come(const std::string& key, int64_t ts) {
    const uint32_t id = table.create(hash_bytes(key), key);
    table.link(id);
    quiet.push(id, ts);
    return id;
  }
  std::string in_order() const {
    std::string out;
    for (uint32_t id = quiet.oldest(); id != kNobody; id = quiet.behind(id)) out += table[id].key;
    return out;
  }
};

}  // namespace

TEST_CASE("Keys stand in the order in which they were last heard of") {
  Keys keys;
  CHECK(keys.quiet.oldest() == kNobody);
  const uint32_t a = keys.come("a", 1);
  keys.come("b", 2);
  const uint32_t c = keys.come("c", 3);
  CHECK(keys.in_order() == "abc");
  keys.quiet.remove(a);
  CHECK(keys.in_order() == "bc");
  keys.quiet.push(a, 4);
  CHECK(keys.in_order() == "bca");
  keys.quiet.remove(c);  // from the middle
  keys.quiet.push(c, 4);
  CHECK(keys.in_order() == "bac");
  keys.quiet.remove(c);  // from the end
  CHECK(keys.in_order() == "ba");
  keys.come("d", 0);  // a time before that of others makes it no older
  CHECK(keys.in_order() == "bad");
}

TEST_CASE("The list of quiet keys is as good as new when its last key has gone") {
  Keys keys;
  const uint32_t a = keys.come("a", 1);
  keys.quiet.remove(a);
  CHECK(keys.quiet.oldest() == kNobody);
  CHECK(keys.quiet.quiet_for(0, INT64_MAX) == kNobody);
  keys.quiet.push(a, 2);
  keys.come("b", 3);
  CHECK(keys.in_order() == "ab");
}

TEST_CASE("A key is quiet for a time once more than that has gone by since it was touched") {
  Keys keys;
  const uint32_t a = keys.come("a", 100);
  const uint32_t b = keys.come("b", 105);
  CHECK(keys.quiet.quiet_for(10, 110) == kNobody);
  CHECK(keys.quiet.quiet_for(10, 111) == a);
  keys.quiet.remove(a);
  CHECK(keys.quiet.quiet_for(10, 111) == kNobody);
  CHECK(keys.quiet.quiet_for(10, 116) == b);
  CHECK(keys.quiet.quiet_for(INT64_MAX, INT64_MAX) == kNobody);  // no time goes round
}

}  // namespace nines::query
