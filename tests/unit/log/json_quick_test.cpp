// The quick ways through a JSON line alone: QuickKeys, which searches, and KeyOrder, which expects
// the keys of the line before. Both against a plain reading of the whole object.
#include "log/json_quick.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <vector>

#include "log/key_order.hpp"
#include "log/number.hpp"
#include "log_test_support.hpp"

using namespace nines;
using namespace nines::log;

namespace {

using Fields = std::map<std::string, std::string>;  // key -> value as written, quotes included

// The outermost object, every byte looked at. nullopt: it is none, or broken.
class PlainReader {
 public:
  explicit PlainReader(std::string_view text) : text_(text) {}
  std::optional<Fields> read() {
    Fields fields;
    if (!eat('{')) return std::nullopt;
    blanks();
    if (eat('}')) return end(fields);
    for (;;) {
      blanks();
      const auto name = string();
      blanks();
      if (!name || !eat(':')) return std::nullopt;
      blanks();
      const auto written = value();
      if (!written) return std::nullopt;
      std::string plain(name->size(), '\0');
      plain.resize(unescape_json(*name, plain.data(), plain.size()));
      fields.emplace(plain, *written);  // the first of equal keys
      blanks();
      if (eat('}')) return end(fields);
      if (!eat(',')) return std::nullopt;
    }
  }

 private:
  std::optional<Fields> end(const Fields& fields) const {
    return at_ == text_.size() ? std::optional(fields) : std::nullopt;
  }
  bool eat(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void blanks() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  }
  std::optional<std::string> string() {
    if (!eat('"')) return std::nullopt;
    std::string inside;
    for (; at_ < text_.size(); ++at_) {
      if (text_[at_] == '"') {
        ++at_;
        return inside;
      }
      inside += text_[at_];
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) inside += text_[++at_];
    }
    return std::nullopt;
  }
  std::optional<std::string> value() {
    const size_t from = at_;
    if (at_ == text_.size()) return std::nullopt;
    if (text_[at_] == '"') {
      if (!string()) return std::nullopt;
    } else if (text_[at_] == '{' || text_[at_] == '[') {
      int depth = 0;
      do {
        if (at_ == text_.size()) return std::nullopt;
        const char c = text_[at_];
        if (c == '"') {
          if (!string()) return std::nullopt;
          continue;
        }
        depth += c == '{' || c == '[' ? 1 : c == '}' || c == ']' ? -1 : 0;
        ++at_;
      } while (depth > 0);
    } else {
      while (at_ < text_.size() && !ends_literal(text_[at_])) ++at_;
      if (at_ == from) return std::nullopt;
    }
    return std::string(text_.substr(from, at_ - from));
  }

  std::string_view text_;
  size_t at_ = 0;
};

std::string written(const RawValue& value) {
  const std::string text(value.text);
  return value.kind == RawValue::Kind::string ? "\"" + text + "\"" : text;
}

const std::vector<std::string> kWanted{"user", "took", "état"};

Fields offered(const Collector& collector) {
  Fields fields;
  for (size_t i = 0; i < kWanted.size(); ++i) {
    const RawValue* value = collector.get(i);
    if (value != nullptr) fields[kWanted[i]] = written(*value);
  }
  return fields;
}
Fields wanted_of(const Fields& all) {
  Fields fields;
  for (const std::string& name : kWanted) {
    if (const auto found = all.find(name); found != all.end()) fields.insert(*found);
  }
  return fields;
}

struct Quick {
  KeyTree tree{kWanted, true, false};
  QuickKeys keys{tree};
  Collector collector{tree};
  // What it found; nullopt: it is not certain.
  std::optional<Fields> operator()(std::string_view line) {
    collector.reset();
    if (!keys.find(line, collector)) return std::nullopt;
    return offered(collector);
  }
};

struct Ordered {
  explicit Ordered(KeyWalker walker) : order(tree, walker) {}
  KeyTree tree{kWanted, true, false};
  KeyOrder order;
  Collector collector{tree};
  std::optional<Fields> operator()(std::string_view line) {
    collector.reset();
    if (!order.read(line, collector)) return std::nullopt;
    return offered(collector);
  }
  // Until it knows which lengths are always the same.
  void settle(std::string_view line) {
    for (int i = 0; i < 20; ++i) (void)(*this)(line);
  }
};

std::vector<KeyWalker> walkers() {
  std::vector<KeyWalker> all{nullptr};
  if (vector16_key_walker() != nullptr) all.push_back(vector16_key_walker());
  if (vector32_key_walker() != nullptr) all.push_back(vector32_key_walker());
  return all;
}

const char* const kLines[] = {
    R"({"user":"ann","took":12,"état":"neuf"})",
    R"({"at":"2026-11-21T01:35:51.000Z","user":"bo","took":-2.5e3,"état":null,"more":"............"})",
    R"({ "user" : "c" , "took" :	7 , "état" : true })",
    R"({"état":"é\"té\\","took":"12","user":"a\nb\/c"})",
    R"({"état":"\u00e9t\u00e9","took":0,"user":"\ud83d\ude00"})",
    R"({"user":"first","took":1,"user":"second","état":2,"took":3})",
    R"({"\u0075ser":"escaped","user":"plain","took":1,"état":1})",
    R"({"x":{"user":"inner","took":9},"user":"outer","took":1,"état":1})",
    R"({"x":[{"user":"inner"},"took",9],"user":"outer","took":1,"état":1})",
    R"({"user":{"took":1},"took":[1,"user",{"état":2}],"état":{}})",
    R"({"x":"\"user\":\"no\"","took":"\\","user":"\\\\","état":"\\\""})",
    R"({"x":",\"user\":1,","user":",","took":"{","état":"}"})",
    R"({"superuser":1,"user":2,"mistook":3,"took":4,"état":5,"user ":6})",
    R"({"user":"","took":"","état":""})",
    R"({"user":1})",
    R"({"took":1,"état":2})",
    R"({})",
    R"({"user":"twelve bytes and then so many more that no vector holds them all at once","took":1,"état":2})",
    R"({"user":"ann","took":12,"état":"neuf"},"took":3})",
    R"({"user":"ann","took":12 13,"état":"neuf"})",
    R"({"user":"ann" "took":12,"état":"neuf"})",
    R"({"user":ab"c,"took":d"e,"état":1})",
    R"({user:1,"took":2,"état":3})",
    R"({"user":,"took":2,"état":3})",
    R"({"user":"ann,"took":12,"état":"neuf"})",
    R"({"x":"a","user":"ann","took":12,"état":"neuf\"})",
};

}  // namespace

TEST_CASE("QuickKeys finds in plain lines what reading all of them finds", "[log]") {
  Quick quick;
  for (const char* line : {kLines[0], kLines[1], kLines[2], kLines[3], kLines[5], kLines[10]}) {
    INFO(line);
    const auto all = PlainReader(line).read();
    REQUIRE(all);
    const auto found = quick(line);
    REQUIRE(found);
    CHECK(*found == wanted_of(*all));
  }
}

TEST_CASE("QuickKeys is never certain of what reading all of a line denies", "[log]") {
  Quick quick;
  size_t certain = 0;
  for (const std::string_view line : kLines) {
    INFO(line);
    const auto all = PlainReader(line).read();
    const auto found = quick(line);
    if (!all || !found) continue;
    ++certain;
    CHECK(*found == wanted_of(*all));
  }
  CHECK(certain >= 8);
}

TEST_CASE("QuickKeys leaves lines to others that hide keys or do not have them", "[log]") {
  Quick quick;
  CHECK_FALSE(quick(R"({"\u0075ser":"escaped","user":"plain","took":1,"état":1})"));
  CHECK_FALSE(quick(R"({"x":{"user":"inner"},"user":"outer","took":1,"état":1})"));
  CHECK_FALSE(quick(R"({"x":[{"user":"inner"}],"user":"outer","took":1,"état":1})"));
  CHECK_FALSE(quick(R"({"user":1,"took":2})"));
  CHECK_FALSE(quick(R"({"user":1,"took":2,"état":})"));
  CHECK_FALSE(quick("{}"));
}

TEST_CASE("QuickKeys cuts no corner in lines of which any byte is damaged", "[log]") {
  Quick quick;
  const std::string line = R"({"a":"b\\c","user":"ann","took":12,"état":"n","x":[1]})";
  size_t certain = 0;
  for (size_t at = 1; at + 1 < line.size(); ++at) {
    for (const char c : std::string("\"\\{}[],: u0")) {
      std::string damaged = line;
      damaged[at] = c;
      INFO(damaged);
      const auto all = PlainReader(damaged).read();
      const auto found = quick(damaged);
      if (!all || !found) continue;
      ++certain;
      CHECK(*found == wanted_of(*all));
    }
  }
  CHECK(certain > 0);
}

TEST_CASE("KeyOrder reads lines of one order of keys after having seen one", "[log]") {
  for (const KeyWalker walker : walkers()) {
    Ordered ordered(walker);
    for (
        const std::string_view line :
        {R"({"at":"1","user":"ann","took":12,"état":"neuf","tail":"0123456789012345678901234"})",
         R"({"at":"22222222222222222222222222222222222222","user":"b","took":-1.5,"état":"","t":1})",
         R"({"at":"a\"\\b","user":"\u00e9","took":1,"état":"\n","tail":"                        "})",
         R"({"at":"x","user":"y","took":{"user":1},"état":"[1]","tail":1})",
         R"({"at":"x","user":"y","took":true,"état":"z"})"}) {
      INFO(line);
      const auto found = ordered(line);
      REQUIRE(found);
      CHECK(*found == wanted_of(*PlainReader(line).read()));
    }
  }
}

TEST_CASE("KeyOrder reads values of another length than all before them had", "[log]") {
  const auto line = [](const std::string& at, const std::string& took, const std::string& user) {
    return R"({"at":")" + at + R"(","took":)" + took + R"(,"user":")" + user +
           R"(","x":"........................................","état":"neuf)" +
           R"(","y":"........................................"})";
  };
  for (const KeyWalker walker : walkers()) {
    for (const size_t size : {1u, 16u, 24u, 31u, 32u, 33u, 48u, 64u, 70u}) {
      Ordered ordered(walker);
      ordered.settle(line(std::string(size, 'a'), "200", "ann"));
      for (const size_t other : {size - 1, size, size + 1, size + 15, size + 32, size * 2}) {
        for (const char* const took : {"20", "200", "2000", "2,\"a\":0"}) {
          const std::string changed = line(std::string(other, 'b'), took, "anna");
          INFO(changed);
          const auto found = ordered(changed);
          if (found) CHECK(*found == wanted_of(*PlainReader(changed).read()));
          CHECK((found || took[1] == ','));
        }
      }
    }
  }
}

TEST_CASE("KeyOrder reads lines without all wanted keys to their end", "[log]") {
  for (const KeyWalker walker : walkers()) {
    Ordered ordered(walker);
    const std::string_view line = R"({"a":1,"user":"ann","a long enough name of a field":[1,2]})";
    CHECK(ordered(line) == Fields{{"user", "\"ann\""}});
    CHECK(ordered(line) == Fields{{"user", "\"ann\""}});
    CHECK_FALSE(ordered(R"({"a":1,"user":"ann","a long enough name of a field":[1,2]}})"));
    CHECK_FALSE(ordered(R"({"a":1,"user":"ann","a long enough name of a field":[1,2]})"
                        "\t}"));
  }
}

TEST_CASE("KeyOrder is never certain of what reading all of a line denies", "[log]") {
  for (const KeyWalker walker : walkers()) {
    for (const std::string_view before : kLines) {
      for (const std::string_view line : kLines) {
        INFO(before << "\n" << line);
        Ordered ordered(walker);
        ordered.settle(before);
        const auto all = PlainReader(line).read();
        const auto found = ordered(line);
        if (all && found) CHECK(*found == wanted_of(*all));
        if (!all) CHECK((!found || found->size() == kWanted.size()));  // broken behind the last key
      }
    }
  }
}

TEST_CASE("KeyOrder cuts no corner in lines of which any byte is damaged", "[log]") {
  const std::string line =
      R"({"a":"b\\c","user":"ann","a longer name of what nobody wants":[1],"took":12,"état":"n","z":0})";
  for (const KeyWalker walker : walkers()) {
    Ordered ordered(walker);
    ordered.settle(line);
    for (size_t at = 1; at + 1 < line.size(); ++at) {
      for (const char c : std::string("\"\\{}[],: u0\x01")) {
        for (const int how : {0, 1, 2}) {
          std::string damaged = line;
          if (how == 0) damaged[at] = c;
          if (how == 1) damaged.insert(at, 1, c);
          if (how == 2) damaged.erase(at, 1);
          const auto all = PlainReader(damaged).read();
          CHECK(ordered(line));
          const auto found = ordered(damaged);
          if (!all || !found || *found == wanted_of(*all)) continue;
          FAIL_CHECK(damaged);
        }
      }
    }
  }
}

TEST_CASE("KeyOrder cuts no corner in damaged lines whose lengths it knows", "[log]") {
  const std::string line = R"({"a":")" + std::string(37, 'a') +
                           R"(","b":200,"user":"ann","took":12,"c":")" + std::string(32, 'c') +
                           R"(","état":"n","z":")" + std::string(40, 'z') + R"("})";
  for (const KeyWalker walker : walkers()) {
    Ordered ordered(walker);
    ordered.settle(line);
    for (size_t at = 1; at + 1 < line.size(); ++at) {
      for (const char c : std::string("\"\\{},: 0")) {
        std::string damaged = line;
        damaged[at] = c;
        const auto all = PlainReader(damaged).read();
        REQUIRE(ordered(line));
        const auto found = ordered(damaged);
        if (!all || !found || *found == wanted_of(*all)) continue;
        FAIL_CHECK(damaged);
      }
    }
  }
}

TEST_CASE("KeyOrder goes on with another order of keys after a few lines of it", "[log]") {
  for (const KeyWalker walker : walkers()) {
    Ordered ordered(walker);
    const std::string_view first = R"({"user":1,"took":2,"état":3})";
    const std::string_view second = R"({"état":3,"took":2,"user":1})";
    CHECK(ordered(first));
    int left_to_others = 0;
    while (!ordered(second)) ++left_to_others;
    CHECK(left_to_others > 0);
    CHECK(left_to_others < 10);
    CHECK(ordered(second));
    CHECK_FALSE(ordered(first));
  }
}

TEST_CASE("KeyOrder stops trying where lines differ all the time", "[log]") {
  Ordered ordered(nullptr);
  for (int i = 0; i < 200; ++i) ordered.order.promising(), (void)ordered(R"({"\u0061":1})");
  int tries = 0;
  for (int i = 0; i < 640; ++i) tries += ordered.order.promising() ? 1 : 0;
  CHECK(tries == 10);
}

TEST_CASE("A few digits are the number that reading them one by one gives", "[log]") {
  const std::string line = "{\"n\":";
  for (const char* text : {"0", "7", "12", "007", "4096", "99999", "123456", "1234567", "12345678",
                           "00000000", "99999999"}) {
    const std::string whole = line + text;
    int32_t n = -1;
    const std::string_view digits = std::string_view(whole).substr(line.size());
    if (whole.size() < 8) {
      CHECK_FALSE(few_digits(digits, whole.data(), n));
      continue;
    }
    INFO(text);
    REQUIRE(few_digits(digits, whole.data(), n));
    CHECK(n == number_value(digits).mantissa);
  }
  for (const char* text : {"", "123456789", "-12", "1.5", "12a", ":12", "/1", "1e3", "\xb1\xb2"}) {
    const std::string whole = "        " + std::string(text);
    int32_t n = -1;
    INFO(text);
    CHECK_FALSE(few_digits(std::string_view(whole).substr(8), whole.data(), n));
  }
}
