// What a standing query reads of streams, fed by hand as an input would.
#include "nines/collector/row_reader.hpp"

#include "manual_clock.hpp"
#include "scan_support.hpp"

using namespace nines;
using namespace nines::collector;

namespace {

// A stream of some text, of which the reader takes what it likes.
struct Fed {
  LogStream stream;
  std::string text;
  RowReader& reader;
  bool open = true;

  Fed(RowReader& by, std::string path) : reader(by) {
    stream.path = std::move(path);
    reader.opened(stream);
  }
  ~Fed() { close(); }
  Fed(const Fed&) = delete;
  Fed& operator=(const Fed&) = delete;

  void close() {
    if (std::exchange(open, false)) reader.closed(stream);
  }
  Taken read(Reading how = Reading::more) {
    const std::string_view left = std::string_view(text).substr(static_cast<size_t>(stream.offset));
    const Taken taken = reader.consume(stream, left, how);
    REQUIRE(taken.bytes <= left.size());
    stream.offset += static_cast<int64_t>(taken.bytes);
    return taken;
  }
  void add(std::string_view more, Reading how = Reading::more) {
    text += more;
    read(how);
  }
  size_t left() const { return text.size() - static_cast<size_t>(stream.offset); }
};

struct Standing {
  test::ManualClock clock{WallTime::from_s(1'795'225'000)};  // 2026-11-21T01:36:40Z
  ShownRows shown;
  std::unique_ptr<RowReader> reader;

  explicit Standing(const ScanRequest& request, size_t most = SIZE_MAX) : shown(most) {
    query::ScanPlan plan = request.plan;
    plan.fields = request.fields;
    if (!request.where.empty()) plan.where = *expr::Expression::parse(request.where);
    query::SourceRef source;
    source.format = request.format;
    source.pattern = request.pattern;
    reader = std::make_unique<RowReader>(source, plan, request.options, clock, shown);
    shown.with_place = request.with_place;
  }
};

std::string at(int second, int n, const std::string& level = "info") {
  return "{\"ts\":\"2026-11-21T01:35:" + std::string(second < 10 ? "0" : "") +
         std::to_string(second) + "Z\",\"level\":\"" + level + "\",\"n\":" + std::to_string(n) +
         "}\n";
}

}  // namespace

TEST_CASE("A standing query's rows are those of a scan, whatever the pieces they come in") {
  ScanRequest request = asking({"n", "level", "service", "line"}, "level >= WARN");
  std::string text;
  for (int i = 0; i < 40; ++i) text += at(i, i, i % 3 == 0 ? "error" : "info");
  const ScanFolder folder;
  const Rows expected = scan(folder.write("svc.json", text), request).rows;
  REQUIRE(expected.size() == 14);
  for (const size_t piece : {1, 7, 64, 10'000}) {
    CAPTURE(piece);
    Standing standing(request);
    Fed fed(*standing.reader, "/var/log/svc.json");
    for (size_t i = 0; i < text.size(); i += piece) fed.add(text.substr(i, piece));
    fed.read(Reading::last);
    CHECK(standing.shown.rows == expected);
    CHECK(standing.reader->stats().records == 40);
    CHECK(standing.reader->stats().bytes_scanned == text.size());
    CHECK(fed.left() == 0);
  }
}

TEST_CASE("Streams are told apart by number, and what they gave is known when they are gone") {
  ScanRequest request = asking({"n"});
  request.with_place = true;
  request.plan.context = query::ContextSpec{0, 0, {}, {}};
  request.where = "n < 5";
  Standing standing(request);
  {
    Fed first(*standing.reader, "/var/log/a.json");
    Fed second(*standing.reader, "/var/log/b.json");
    first.add(at(1, 1));
    second.add(at(2, 2) + at(3, 7));
    CHECK(standing.reader->stats().records == 3);
  }
  const int64_t of_second = int64_t{1} << 43;  // its number, then the place
  CHECK(standing.shown.rows == Rows{"1|0|0@0", "2|" + std::to_string(of_second) + "|0@0"});
  CHECK(standing.reader->streams() == 2);
  CHECK(standing.reader->stats().records == 3);
}

TEST_CASE("Records behind the limit stay unread until their time comes") {
  ScanRequest request = asking({"n"});
  request.plan.needs_time = true;
  Standing standing(request);
  Fed fed(*standing.reader, "/var/log/a.json");
  standing.reader->set_limit(WallTime::from_s(1'795'224'900 + 10));  // 01:35:10
  fed.add(at(5, 5) + at(10, 10) + at(20, 20) + at(7, 7));
  CHECK(standing.shown.rows == Rows{"5", "10"});
  REQUIRE(RowReader::next_time(fed.stream));
  CHECK(format_rfc3339(*RowReader::next_time(fed.stream)) == "2026-11-21T01:35:20Z");
  CHECK(fed.left() == at(20, 20).size() + at(7, 7).size());
  CHECK(standing.reader->stats().records == 2);
  CHECK(format_rfc3339(*standing.reader->newest()) == "2026-11-21T01:35:10Z");
  standing.reader->set_limit({INT64_MAX});
  fed.read();
  CHECK(standing.shown.rows == Rows{"5", "10", "20", "7"});
  CHECK_FALSE(RowReader::next_time(fed.stream));
  CHECK(format_rfc3339(*standing.reader->newest()) == "2026-11-21T01:35:20Z");
}

TEST_CASE("Records that WHERE leaves out tell how far time has come") {
  ScanRequest request = asking({"n"}, "n = 1");
  request.plan.needs_time = true;
  Standing standing(request);
  Fed fed(*standing.reader, "/var/log/a.json");
  CHECK_FALSE(standing.reader->newest());
  fed.add(at(1, 1) + at(30, 2));
  CHECK(standing.shown.rows.size() == 1);
  REQUIRE(standing.reader->newest());
  CHECK(format_rfc3339(*standing.reader->newest()) == "2026-11-21T01:35:30Z");
}

TEST_CASE("A standing query's time range leaves out what lies outside of it") {
  ScanRequest request = asking({"n"});
  request.plan.needs_time = true;
  request.plan.since = WallTime::from_s(1'795'224'900 + 10);
  request.plan.until = WallTime::from_s(1'795'224'900 + 20);
  Standing standing(request);
  Fed fed(*standing.reader, "/var/log/a.json");
  fed.add(at(5, 5) + at(10, 10) + "{\"n\":1}\n" + at(19, 19) + at(20, 20));
  CHECK(standing.shown.rows == Rows{"10", "19"});
}

TEST_CASE("CONTEXT of a stream waits until it is known to which hit a record belongs") {
  ScanRequest request = asking({"n"}, "level = 'error'");
  request.plan.context = query::ContextSpec{2, 1, {}, {}};
  Standing standing(request);
  Fed fed(*standing.reader, "/var/log/a.json");
  const std::string group = "|" + std::to_string(3 * at(1, 1).size()) + "|";
  fed.add(at(1, 1) + at(2, 2) + at(3, 3));
  CHECK(standing.shown.rows.empty());
  fed.add(at(4, 4, "error"));
  CHECK(standing.shown.rows == Rows{"2" + group + "-2", "3" + group + "-1", "4" + group + "0"});
  fed.add(at(5, 5) + at(6, 6) + at(7, 7) + at(8, 8));
  REQUIRE(standing.shown.rows.size() == 4);
  CHECK(standing.shown.rows.back() == "5" + group + "1");
}

TEST_CASE("A sink that wants no more ends the reading, and what comes is passed over") {
  for (const bool context : {false, true}) {
    ScanRequest request = asking({"n"}, "n >= 0");
    if (context) request.plan.context = query::ContextSpec{1, 1, {}, {}};
    Standing standing(request, 2);
    Fed fed(*standing.reader, "/var/log/a.json");
    fed.add(at(1, 1) + at(2, 2) + at(3, 3));
    CHECK(standing.shown.rows.size() == 2);
    CHECK(standing.reader->refused());
    fed.add(at(4, 4));
    CHECK(standing.shown.rows.size() == 2);
    CHECK(fed.left() == 0);
  }
}

TEST_CASE("Malformed records of a stream are counted, and are rows with their error") {
  Standing standing(asking({"n", "_error"}));
  Fed fed(*standing.reader, "/var/log/a.json");
  fed.add(at(1, 1) + "{\"n\":2\n" + at(3, 3));
  CHECK(standing.shown.rows == Rows{"1|NULL", "NULL|no_match", "3|NULL"});
  CHECK(standing.reader->stats().malformed == 1);
}

TEST_CASE("A stream whose format can't be is passed over, and the reason is kept") {
  ScanRequest request = asking({"n"});
  request.format = "regex";
  request.pattern = "(";
  Standing standing(request);
  Fed fed(*standing.reader, "/var/log/a.log");
  fed.add("x\n");
  fed.add("y\n");
  CHECK(fed.left() == 0);
  CHECK(standing.shown.rows.empty());
  REQUIRE(standing.reader->error() != nullptr);
  CHECK(standing.reader->error()->message.starts_with("/var/log/a.log: "));
}

TEST_CASE("The names of a container are those of its log's path") {
  Standing standing(asking({"namespace", "pod", "container", "message"}));
  Fed fed(*standing.reader,
          "/var/log/pods/shop_web-7d4b9c_1b4e28ba-2fa1-11d2-883f-0016d3cca427/nginx/0.log");
  fed.add("2026-11-21T01:35:51Z stdout F level=info msg=a\n");
  fed.read(Reading::last);
  CHECK(standing.shown.rows == Rows{"shop|web-7d4b9c|nginx|a"});
}

TEST_CASE("A record that may go on waits for the quiet, and is one row then") {
  ScanRequest request = asking({"message", "line"});
  request.format = "log4j";
  Standing standing(request);
  Fed fed(*standing.reader, "/var/log/a.log");
  fed.add("2026-11-21 01:35:51,262 [main] ERROR com.a.App - boom\n\tat a.B\n");
  CHECK(standing.shown.rows.empty());
  fed.read(Reading::quiet);
  CHECK(standing.shown.rows == Rows{"boom\n\tat a.B|0"});
}
