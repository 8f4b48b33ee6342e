#include <rapidcheck.h>

#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <vector>

#include "exposition_text.hpp"
#include "nines/log/exposition.hpp"

using namespace nines;
using namespace nines::log;

namespace {

struct Made {
  std::string name, value;
  std::vector<std::pair<std::string, std::string>> labels;
  std::optional<int64_t> ts_ms;
};

std::string text_of(const std::string& alphabet, int least, int most) {
  const int n = *rc::gen::inRange(least, most + 1);
  std::string out;
  for (int i = 0; i < n; ++i) out += *rc::gen::elementOf(alphabet);
  return out;
}

std::string name(const char* first) { return text_of(first, 1, 1) + text_of("abz_09", 0, 6); }

std::string blanks() { return *rc::gen::element<std::string>("", " ", "  ", "\t"); }

Made sample() {
  Made out;
  out.name = name("abcxyz_:");
  const std::string exponent = *rc::gen::element<std::string>("", "e+09", "E-3", "e5");
  out.value = *rc::gen::element<std::string>("", "-", "+") + text_of("0123456789", 1, 20) +
              *rc::gen::element<std::string>("", ".", ".5", ".000001") + exponent;
  if (*rc::gen::inRange(0, 8) == 0) {
    out.value = *rc::gen::element<std::string>("NaN", "+Inf", "-Inf", "inf");
  }
  std::map<std::string, std::string> labels;
  for (int i = *rc::gen::inRange(0, 5); i > 0; --i) {
    labels[name("abcl_")] = text_of("ab \\\"\n{},=#é\t", 0, 8);
  }
  out.labels.assign(labels.begin(), labels.end());
  if (*rc::gen::inRange(0, 3) == 0) out.ts_ms = *rc::gen::inRange<int64_t>(-5000, 1 << 30);
  return out;
}

// The same sample as a sloppy writer may write it.
std::string line_of(const Made& made) {
  std::string out = blanks() + made.name;
  const bool braces = !made.labels.empty() || *rc::gen::inRange(0, 2) == 0;
  if (braces) {
    out += blanks() + "{" + blanks();
    for (size_t i = 0; i < made.labels.size(); ++i) {
      if (i > 0) out += "," + blanks();
      out += made.labels[i].first + blanks() + "=" + blanks() + "\"" +
             log::test::escaped_label(made.labels[i].second) + "\"" + blanks();
    }
    if (!made.labels.empty() && *rc::gen::inRange(0, 2) == 0) out += ",";
    out += "}";
  }
  out += (braces ? blanks() : " ") + made.value;
  if (made.ts_ms) out += " " + std::to_string(*made.ts_ms);
  return out + blanks() + "\n";
}

}  // namespace

TEST_CASE("Whatever is written as an exposition is read as it was meant", "[log]") {
  CHECK(rc::check([] {
    std::vector<Made> all;
    std::string body;
    for (int i = *rc::gen::inRange(0, 12); i > 0; --i) {
      all.push_back(sample());
      body += line_of(all.back());
      if (*rc::gen::inRange(0, 4) == 0) body += "# HELP x y {\" \\n\n\n#\n";
    }
    ExpositionReader reader(body);
    ExpositionSample read;
    for (const Made& made : all) {
      RC_ASSERT(reader.next(read));
      RC_ASSERT(read.name == made.name);
      RC_ASSERT(read.value == made.value);
      RC_ASSERT(read.labels.size() == made.labels.size());
      for (size_t i = 0; i < made.labels.size(); ++i) {
        RC_ASSERT(read.labels[i].name == made.labels[i].first);
        RC_ASSERT(read.labels[i].value == made.labels[i].second);
      }
      RC_ASSERT(read.ts.has_value() == made.ts_ms.has_value());
      if (made.ts_ms) RC_ASSERT(read.ts->ns == *made.ts_ms * kNsPerMs);
    }
    RC_ASSERT(!reader.next(read));
    RC_ASSERT(reader.counts().malformed == 0u);
    RC_ASSERT(reader.complete());
  }));
}
