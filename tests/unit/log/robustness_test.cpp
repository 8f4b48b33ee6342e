// Every byte of a log line is hostile: whatever comes, a parser answers without reading beyond the
// line (each is copied to a block of its own size, which sanitizers watch) and without allocating.
#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>
#include <random>

#include "log_oracle.hpp"
#include "log_test_support.hpp"
#include "nines/log/cri.hpp"
#include "nines/log/timestamp.hpp"

namespace {
std::atomic<size_t> allocations{0};
}

[[gnu::noinline]] void* operator new(size_t size) {
  ++allocations;
  if (void* p = std::malloc(size == 0 ? 1 : size)) return p;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(size == 0 ? 1 : size);
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, size_t) noexcept { std::free(p); }

using namespace nines;
using namespace nines::log;
using nines::log::test::kTextKinds;
using nines::log::test::Lines;
using nines::log::test::sample_lines;

namespace {

const std::vector<std::string> kWanted = {
    "ts",   "level", "message", "request_id",  "service",  "raw",  "status",
    "path", "a.b",   "o.p",     "duration_ms", "sd.a@1.b", "user", "app"};

std::vector<std::string> all_samples() {
  std::vector<std::string> lines = sample_lines();
  for (const test::LayoutSample& sample : test::kLayoutSamples) lines.emplace_back(sample.line);
  return lines;
}

// One parser of every kind, kept, as the agent keeps them.
class Everything {
 public:
  Everything() {
    for (const FormatKind kind : kTextKinds)
      parsers_.push_back(std::make_unique<Lines>(kind, kWanted));
    parsers_.push_back(std::make_unique<Lines>(
        FormatSpec{FormatKind::regex, R"((?P<ts>\S+ \S+) (?P<level>\w+) (?P<message>.*))", {}},
        kWanted));
    for (const test::LayoutSample& sample : test::kLayoutSamples) {
      parsers_.push_back(std::make_unique<Lines>(
          FormatSpec{FormatKind::layout, std::string(sample.pattern), {}}, kWanted));
    }
  }
  void feed(std::string_view line) {
    const std::unique_ptr<char[]> block(new char[line.size()]);
    std::memcpy(block.get(), line.data(), line.size());
    const std::string_view exact(block.get(), line.size());
    for (const auto& p : parsers_) {
      p->parse(exact);
      for (const Value& v : p->values) touch(v);
      p->parser->parse_all(exact, ts_, has_ts_, all_);
      for (const auto& entry : all_) touch(entry.value);
      sum_ += p->parser->leads(exact);
    }
    CriLine cri;
    if (parse_cri(exact, cri)) sum_ += cri.content.size();
    parse_any_time(exact, test::kContext);
    parse_iso_time(exact, test::kContext);
    parse_bsd_time(exact, test::kContext);
    parse_clf_time(exact);
    parse_epoch(exact);
  }
  size_t sum() const { return sum_; }

 private:
  void touch(const Value& v) {
    for (const char c : v.text) sum_ += static_cast<unsigned char>(c);
  }
  std::vector<std::unique_ptr<Lines>> parsers_;
  std::vector<LineParser::NamedValue> all_;
  WallTime ts_;
  bool has_ts_ = false;
  size_t sum_ = 0;
};

}  // namespace

TEST_CASE("Parsers survive every truncation of every sample", "[log]") {
  Everything everything;
  for (const std::string& line : all_samples()) {
    for (size_t n = 0; n <= line.size(); ++n) {
      everything.feed(std::string_view(line).substr(0, n));
      everything.feed(std::string_view(line).substr(n));
    }
  }
  CHECK(everything.sum() > 0);
}

TEST_CASE("Parsers survive flipped bytes, NULs and noise", "[log]") {
  Everything everything;
  std::mt19937 random(7);
  const char alphabet[] = "\"\\{}[]:,= -.T0123456789ab<>\0\xff\xc3\n";
  for (const std::string& line : all_samples()) {
    for (int round = 0; round < 60; ++round) {
      std::string damaged = line;
      for (unsigned n = random() % 4 + 1; n > 0; --n) {
        damaged[random() % damaged.size()] = alphabet[random() % sizeof alphabet];
      }
      everything.feed(damaged);
    }
  }
  for (int round = 0; round < 1500; ++round) {
    std::string noise(random() % 80, '\0');
    const bool any_byte = random() % 2 == 0;
    for (char& c : noise) {
      c = any_byte ? static_cast<char>(random() & 0xff) : alphabet[random() % sizeof alphabet];
    }
    if (random() % 2 == 0) noise = "{\"a\":" + noise + "}";
    everything.feed(noise);
  }
  CHECK(everything.sum() > 0);
}

TEST_CASE("Lines of a megabyte cost no more than their bytes", "[log]") {
  Everything everything;
  constexpr size_t kMega = 1 << 20;
  const auto repeated = [](std::string_view piece) {
    std::string out;
    while (out.size() < kMega) out += piece;
    return out;
  };
  for (const std::string_view piece : {"x", "[", "\"", "\\", "{\"a\":", "[1] \"", "a=1 ", "1", " ",
                                       " - ", ", ", "\" ", "] [", "[a b=\"c\"]", "\\\""}) {
    everything.feed(repeated(piece));
  }
  everything.feed("{\"a\":\"" + repeated("\\n") + "\"}");
  everything.feed("{" + repeated("\"k\":1,") + "\"z\":2}");
  std::string distinct = "{";
  for (int i = 0; distinct.size() < kMega; ++i) distinct += "\"key" + std::to_string(i) + "\":1,";
  everything.feed(distinct + "\"z\":1}");
  everything.feed("{\"" + std::string(kMega / 2, 'k') + "\":{" + repeated("\"a\":1,") +
                  "\"z\":1}}");
  everything.feed("<34>1 2003-10-11T22:14:15.003Z h a - - " + repeated("[x y=\"z\"]") + " m");
  everything.feed("h - - [21/Nov/2026:01:35:51 +0000] \"GET " + repeated("\\\"") +
                  " HTTP/1.1\" 200 5 \"-\" \"-\" 0.1");
  CHECK(everything.sum() > 0);
}

TEST_CASE("parse() never allocates", "[log]") {
  sample_lines();
  for (const FormatKind kind : kTextKinds) {
    Lines lines(kind, kWanted);
    ParsedRecord record{{}, false, lines.values};
    const size_t before = allocations;
    for (const std::string& line : sample_lines()) {
      lines.parser->parse(line, record);
      lines.parser->parse(std::string_view(line).substr(0, line.size() / 2), record);
    }
    const size_t spent = allocations - before;  // the macros below allocate, too
    CAPTURE(format_name(kind));
    CHECK(spent == 0);
  }
  Lines regex(
      FormatSpec{FormatKind::regex, R"(^(?P<ts>\S+ \S+) (?P<level>\w+) (?P<message>.*)$)", {}},
      {"ts", "level", "message"});
  const std::string line =
      "2026-11-21 01:35:51 INFO one-pass expressions do not need the automaton cache";
  CHECK(regex(line).substr(0, 3) == "ok ");
  ParsedRecord record{{}, false, regex.values};
  const size_t before = allocations;
  for (int i = 0; i < 100; ++i) regex.parser->parse(line, record);
  const size_t spent = allocations - before;
  CHECK(spent == 0);
}

TEST_CASE("parse() finds what parse_all() lists on samples, their pieces and damaged ones",
          "[log]") {
  std::mt19937 random(11);
  const char alphabet[] = "\"\\{}[]:,= .0a";
  for (const FormatKind kind : kTextKinds) {
    for (const std::string& line : sample_lines()) {
      for (size_t n = 0; n <= line.size(); n += 3) {
        const std::string piece = line.substr(0, n);
        CAPTURE(piece);
        CHECK(test::disagreement(kind, piece) == "");
      }
      for (int round = 0; round < 40; ++round) {
        std::string damaged = line;
        damaged[random() % damaged.size()] = alphabet[random() % (sizeof alphabet - 1)];
        CAPTURE(damaged);
        CHECK(test::disagreement(kind, damaged) == "");
      }
    }
  }
}

TEST_CASE("Layouts: parse() finds what parse_all() lists, on pieces and damaged lines too",
          "[log]") {
  std::mt19937 random(12);
  const char alphabet[] = "\"\\{}[]:,= .-0a\n";
  for (const test::LayoutSample& sample : test::kLayoutSamples) {
    const FormatSpec format{FormatKind::layout, std::string(sample.pattern), {}};
    CAPTURE(sample.pattern);
    Lines lines(format, {});
    CHECK(lines.parse(sample.line) == ParseOutcome::ok);
    CHECK(lines.parser->leads(sample.line.substr(0, sample.line.find('\n'))));
    for (size_t n = 0; n <= sample.line.size(); n += 3) {
      CAPTURE(n);
      CHECK(test::disagreement(format, sample.line.substr(0, n)) == "");
    }
    for (int round = 0; round < 60; ++round) {
      std::string damaged(sample.line);
      damaged[random() % damaged.size()] = alphabet[random() % (sizeof alphabet - 1)];
      CAPTURE(damaged);
      CHECK(test::disagreement(format, damaged) == "");
    }
  }
}

TEST_CASE("Layouts never allocate while they parse", "[log]") {
  for (const test::LayoutSample& sample : test::kLayoutSamples) {
    Lines lines(FormatSpec{FormatKind::layout, std::string(sample.pattern), {}}, kWanted);
    ParsedRecord record{{}, false, lines.values};
    const size_t before = allocations;
    lines.parser->parse(sample.line, record);
    lines.parser->parse(sample.line.substr(0, sample.line.size() / 2), record);
    lines.parser->leads(sample.line);
    const size_t spent = allocations - before;
    CAPTURE(sample.pattern);
    CHECK(spent == 0);
  }
}

TEST_CASE("Every wanted field is set on every outcome, twice if asked twice", "[log]") {
  for (const FormatKind kind : kTextKinds) {
    Lines lines(kind, {"status", "message", "status", "raw", "message", "ts", "ts"});
    for (std::string line : sample_lines()) {
      for (const std::string& text :
           {line, std::string(), std::string("\x01garbage"), std::string("{")}) {
        std::fill(lines.values.begin(), lines.values.end(), Value::of_text("stale"));
        lines.parse(text);
        CHECK(test::same_value(lines.values[0], lines.values[2]));
        CHECK(test::same_value(lines.values[1], lines.values[4]));
        CHECK(test::same_value(lines.values[5], lines.values[6]));
        CHECK(lines.values[3].text == text);
        for (const Value& v : lines.values) CHECK(v.text != "stale");
        CHECK((lines.values[5].kind == ValueKind::time) == lines.record.has_ts);
      }
    }
  }
}
