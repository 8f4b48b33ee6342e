// Layouts the other way round: lines are written from random values by random formats, and read
// back.
#include <rapidcheck.h>

#include <catch2/catch.hpp>

#include "log_oracle.hpp"
#include "nines/base/decimal.hpp"

using namespace nines;
using namespace nines::log;

namespace {

std::string pick(std::initializer_list<std::string> of) {
  return *rc::gen::elementOf(std::vector<std::string>(of));
}
std::string word(int least, std::string_view alphabet) {
  std::string text;
  for (int n = *rc::gen::inRange(least, least + 9); n > 0; --n) {
    text += alphabet[*rc::gen::inRange<size_t>(0, alphabet.size())];
  }
  return text;
}

struct Field {
  std::string variable, name, written, expected;
};

std::string shown(const Value& v) {
  switch (v.kind) {
    case ValueKind::null: return "null";
    case ValueKind::number: return Decimal{v.mantissa, v.exponent}.to_string();
    case ValueKind::text: return "'" + std::string(v.text) + "'";
    default: return "?";
  }
}

// A value that its literal can end: the literal occurs first behind it.
std::string bounded_text(const std::string& literal) {
  std::string text = word(0, "ab0-/ \",:;|[]{}");
  for (size_t at = (text + literal).find(literal); at != text.size();
       at = (text + literal).find(literal)) {
    text.erase(at, 1);
  }
  return text;
}

Field text_field(size_t index, const std::string& literal) {
  Field field{"$http_f" + std::to_string(index), "http_f" + std::to_string(index), {}, {}};
  field.written = *rc::gen::inRange(0, 6) == 0 ? pick({"", "-"}) : bounded_text(literal);
  if ((field.written + literal).find(literal) != field.written.size()) field.written.clear();
  const bool null = field.written.empty() || field.written == "-";
  field.expected = null ? "null" : "'" + field.written + "'";
  return field;
}

// Literals of numbers must not go on with a number.
Field number_field(std::string_view variable, std::string_view name, int power) {
  Field field{std::string(variable), std::string(name), {}, {}};
  const int64_t mantissa = *rc::gen::inRange<int64_t>(0, 100'000'000);
  const int decimals = power == 0 ? 0 : 3;
  std::string digits = std::to_string(mantissa);
  while (static_cast<int>(digits.size()) <= decimals) digits.insert(0, "0");
  field.written = digits;
  if (decimals > 0) field.written.insert(digits.size() - 3, ".");
  field.expected = std::to_string(mantissa);  // 0.001 s is 1 ms
  return field;
}

std::string any_literal() {
  std::string literal = word(1, " \",:;|[]{}=x");
  return literal == " " || !literal.empty() ? literal : " ";
}

struct Case {
  std::string pattern, line;
  std::vector<Field> fields;
};

Case random_case() {
  Case c;
  c.pattern = c.line = "L" + word(0, " [\"");
  bool used[3] = {};
  const size_t n = *rc::gen::inRange<size_t>(1, 9);
  for (size_t i = 0; i < n; ++i) {
    const std::string literal = i + 1 == n ? "|" : any_literal();
    const size_t kind = *rc::gen::inRange<size_t>(0, 5);
    Field field;
    if (kind < 3 && !used[kind]) {
      used[kind] = true;
      field = kind == 0   ? number_field("${status}", "status", 0)
              : kind == 1 ? number_field("${request_time}", "duration_ms", 3)
                          : number_field("${body_bytes_sent}", "bytes", 0);
    } else {
      field = text_field(i, literal);
      field.variable = "${http_f" + std::to_string(i) + "}";
    }
    c.pattern += field.variable + literal;
    c.line += field.written + literal;
    c.fields.push_back(field);
  }
  return c;
}

std::vector<std::string> fields_of(const FormatSpec& format, std::vector<std::string> wanted,
                                   std::string_view line, ParseOutcome& outcome) {
  auto parser = make_parser(format, wanted, test::kOracleContext);
  if (!parser.ok()) return {parser.error().message};
  std::vector<Value> values(wanted.size());
  ParsedRecord record{{}, false, values};
  outcome = (*parser)->parse(line, record);
  std::vector<std::string> texts;
  for (const Value& v : values) texts.push_back(shown(v));
  return texts;
}

std::string bare(std::string text) {
  if (text.size() > 1 && text.front() == '\'') text = text.substr(1, text.size() - 2);
  return text == "-" || text.empty() ? "null" : text;
}

}  // namespace

TEST_CASE("What a random nginx format wrote is read back, wanted in any order and number") {
  CHECK(rc::check("round trip", [] {
    const Case c = random_case();
    const FormatSpec format{FormatKind::layout, "nginx:" + c.pattern, {}};
    std::vector<std::string> wanted;
    std::vector<std::string> expected;
    for (const Field& field : c.fields) {
      if (*rc::gen::inRange(0, 3) == 0) continue;
      wanted.insert(wanted.begin(), field.name);
      expected.insert(expected.begin(), field.expected);
    }
    ParseOutcome outcome{};
    const auto found = fields_of(format, wanted, c.line, outcome);
    RC_LOG() << c.pattern << "\n" << c.line << "\n";
    RC_ASSERT(found == expected);
    RC_ASSERT(outcome == ParseOutcome::bad_time);
    RC_ASSERT(test::disagreement(format, c.line) == "");
  }));
}

TEST_CASE("What a random PatternLayout wrote is read back, padding and further lines too") {
  CHECK(rc::check("round trip", [] {
    const std::string level = pick({"TRACE", "DEBUG", "INFO", "WARN", "ERROR"});
    const std::string thread = word(1, "ab-1 ");
    const std::string logger = word(1, "ab.$");
    std::string message = word(0, "ab -:[]\n\t");
    const bool left = *rc::gen::arbitrary<bool>();
    const size_t width = *rc::gen::inRange<size_t>(0, 9);
    std::string padded = level;
    if (padded.size() < width) padded.insert(left ? padded.size() : 0, width - padded.size(), ' ');
    const std::string number = width == 0 ? "" : (left ? "-" : "") + std::to_string(width);
    const FormatSpec format{
        FormatKind::layout, "log4j:%d{ISO8601} %" + number + "p [%t] %c{1} - %m%n", {}};
    const std::string line =
        "2026-11-21 01:35:51,262 " + padded + " [" + thread + "] " + logger + " - " + message;
    ParseOutcome outcome{};
    const auto found = fields_of(format, {"thread", "logger", "message"}, line, outcome);
    // Ends of lines mean nothing, nor do blanks in front of a message.
    while (!message.empty() && std::string(" \t\n").find(message.back()) != std::string::npos) {
      message.pop_back();
    }
    while (!message.empty() && (message[0] == ' ' || message[0] == '\t')) message.erase(0, 1);
    if (!message.empty() && message[0] == '\n') message.erase(0, 1);
    RC_LOG() << line << "\n";
    RC_ASSERT(outcome == ParseOutcome::ok);
    RC_ASSERT(found == (std::vector<std::string>{"'" + thread + "'", "'" + logger + "'",
                                                 "'" + message + "'"}));
  }));
}

TEST_CASE("Where RE2 reads an access log line, the layout reads the same") {
  const FormatSpec layout{
      FormatKind::layout,
      R"(nginx:$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent )"
      R"("$http_referer" "$http_user_agent")",
      {}};
  const FormatSpec regex{
      FormatKind::regex,
      R"x(^(?P<remote_addr>\S+) - (?P<user>\S+) \[(?P<ts>[^\]]+)\] "(?P<message>[^"\\]*)" )x"
      R"x((?P<status>\d+) (?P<bytes>\d+) "(?P<referer>[^"\\]*)" "(?P<user_agent>[^"\\]*)"$)x",
      {}};
  const std::vector<std::string> wanted = {"remote_addr", "user",    "message",   "status",
                                           "bytes",       "referer", "user_agent"};
  int matched = 0;
  CHECK(rc::check("differential", [&] {
    std::string line = word(1, "0123.:ab") + " - " + word(1, "-ab") +
                       " [21/Nov/2026:01:35:" + pick({"00", "51", "59"}) + " +0000] \"" +
                       word(0, "GET /a?-[] ") + "\" " + pick({"200", "404", "503"}) + " " +
                       pick({"0", "17", "900000"}) + " \"" + word(0, "-a:/[] ") + "\" \"" +
                       word(0, "-a;()[] ") + "\"";
    if (*rc::gen::inRange(0, 3) == 0) {
      const size_t at = *rc::gen::inRange<size_t>(0, line.size());
      line[at] = *rc::gen::elementOf(std::string(" \"[]-0a\\"));
    }
    ParseOutcome by_regex{};
    ParseOutcome by_layout{};
    const auto expected = fields_of(regex, wanted, line, by_regex);
    const auto found = fields_of(layout, wanted, line, by_layout);
    if (by_regex == ParseOutcome::no_match) return;
    ++matched;
    RC_LOG() << line << "\n";
    RC_ASSERT(by_layout == by_regex);
    for (size_t i = 0; i < wanted.size(); ++i) {
      const Decimal number = Decimal::parse(bare(expected[i])).value_or(Decimal{-1, 0});
      const bool numeric = wanted[i] == "status" || wanted[i] == "bytes";
      RC_ASSERT((numeric ? number.to_string() : bare(expected[i])) == bare(found[i]));
    }
  }));
  CHECK(matched > 30);
}
