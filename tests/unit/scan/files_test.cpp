// Which files a query means, and files that are not what they seem.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "scan_support.hpp"

using namespace nines;
using namespace nines::collector;

namespace {

std::string gzip(std::string_view content) {
  z_stream stream{};
  REQUIRE(::deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(content.size() + 1024, '\0');
  std::string in(content);
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(::deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  ::deflateEnd(&stream);
  return out;
}

std::string zstd(std::string_view content) {
  std::string out(::ZSTD_compressBound(content.size()), '\0');
  out.resize(::ZSTD_compress(out.data(), out.size(), content.data(), content.size(), 3));
  return out;
}

std::string numbered(int n) {
  std::string out;
  for (int i = 0; i < n; ++i) out += "{\"n\":" + std::to_string(i) + "}\n";
  return out;
}

query::SourceRef files(std::vector<std::string> names) {
  query::SourceRef source;
  source.names = std::move(names);
  return source;
}

Rows found(const query::SourceRef& source, const ScanFolder& folder) {
  const auto list = find_files(source, 3, folder.root());
  if (!list.ok()) return {list.error().message};
  Rows out;
  uint32_t index = 3;
  for (const ScanFile& file : *list) {
    CHECK(file.index == index++);
    out.push_back(file.path.substr(folder.root().size() + 1) + "=" + file.service);
  }
  return out;
}

}  // namespace

TEST_CASE("Globs, directories and paths are found in the order of their paths, each file once") {
  ScanFolder folder;
  folder.write("b.log", "x\n");
  folder.write("a.log", "x\n");
  folder.write("sub/deep/c.log.1", "x\n");
  folder.write("sub/d.log-20260101.gz", gzip("x\n"));
  folder.write("sub/e.log.xz", "x\n");
  folder.write("sub/wtmp", std::string("\x01\x02\x00\x03", 4));
  folder.write("sub/.hidden", "x\n");
  const std::string root = folder.root();
  ::symlink((root + "/a.log").c_str(), (root + "/z.log").c_str());
  CHECK(found(files({root + "/*.log", root + "/a.log"}), folder) == Rows{"a.log=a", "b.log=b"});
  CHECK(found(files({root + "/{b,nothing}.log"}), folder) == Rows{"b.log=b"});
  CHECK(found(files({root + "/**/*.log*"}), folder) ==
        Rows{"a.log=a", "b.log=b", "sub/d.log-20260101.gz=d", "sub/deep/c.log.1=c"});
  CHECK(found(files({root + "/sub"}), folder) ==
        Rows{"sub/d.log-20260101.gz=d", "sub/deep/c.log.1=c"});
}

TEST_CASE("A file and its compressed copy are one") {
  ScanFolder folder;
  folder.write("a.log.1", "one\n");
  folder.write("a.log.1.gz", gzip("one\n"));
  folder.write("b.log", "new\n");
  folder.write("b.log.gz", gzip("old\n"));
  CHECK(found(files({folder.root() + "/*"}), folder) == Rows{"a.log.1=a", "b.log=b", "b.log.gz=b"});
}

TEST_CASE("logs() finds what services write, by name") {
  ScanFolder folder;
  const std::string pod = "pods/shop_web-7d4b9c_1b4e28ba-2fa1-11d2-883f-0016d3cca427/";
  folder.write(pod + "nginx/0.log", "2026-11-21T01:00:00Z stdout F x\n");
  folder.write("orders.log", "x\n");
  folder.write("orders.log.2.gz", gzip("y\n"));
  folder.write("nginx/access.log", "x\n");
  query::SourceRef source;
  source.kind = query::SourceRef::Kind::logs;
  source.names = {"orders"};
  CHECK(found(source, folder) == Rows{"orders.log=orders", "orders.log.2.gz=orders"});
  source.names = {"ngin*"};
  CHECK(found(source, folder) == Rows{pod + "nginx/0.log=nginx"});
  source.names = {"{access,nothing}"};
  CHECK(found(source, folder) == Rows{"nginx/access.log=access"});
  source.names = {"none"};
  CHECK(found(source, folder)[0].ends_with("is called none"));
}

TEST_CASE("What is not there is said, with the nearest path that is") {
  ScanFolder folder;
  const std::string root = folder.root();
  folder.write("a.log", "x\n");
  CHECK(found(files({root + "/none/x.log"}), folder)[0] ==
        root + "/none/x.log: no such log; the nearest path that exists is " + root);
  CHECK(found(files({root + "/a.log", root + "/b.log"}), folder)[0].starts_with(root + "/b.log:"));
  CHECK(found(files({root + "/*.none"}), folder)[0].find("nearest path") != std::string::npos);
  CHECK(found(files({}), folder)[0] == "no file is named");
  query::SourceRef remote;
  remote.kind = query::SourceRef::Kind::remote;
  CHECK_FALSE(find_files(remote, 0).ok());
  const auto gone = try_scan({root + "/b.log", 0, ""}, asking({"raw"}));
  REQUIRE_FALSE(gone.ok());
  CHECK(gone.error().code == Errc::not_found);
  CHECK_FALSE(try_scan({root, 0, ""}, asking({"raw"})).ok());
}

TEST_CASE("Compressed files give the rows of their content") {
  ScanFolder folder;
  const std::string content = numbered(5000);
  const Rows plain = scan(folder.write("a", content), asking({"n", "line"})).rows;
  REQUIRE(plain.size() == 5000);
  ScanRequest request = asking({"n", "line"});
  request.options.block_bytes = 1000;
  request.options.part_bytes = 5000;
  request.options.drop_cache = true;
  for (const std::string& packed :
       {gzip(content), zstd(content), gzip(content.substr(0, 8)) + gzip(content.substr(8))}) {
    const Scanned unpacked = scan(folder.write("a.packed", packed), request);
    CHECK(unpacked.rows == plain);
    CHECK(unpacked.parts == 1);
    CHECK(unpacked.stats.bytes_scanned == content.size());
    CHECK(unpacked.stats.bytes_stored == packed.size());
    CHECK(unpacked.stats.damaged == 0);
    CHECK(unpacked.problem.empty());
  }
}

TEST_CASE("A compressed file that is cut anywhere gives the rows up to there and says so") {
  ScanFolder folder;
  const std::string content = numbered(5000);
  const Rows plain = scan(folder.write("a", content), asking({"n", "line"})).rows;
  for (const auto& [name, packed] :
       {std::pair{"a.gz", gzip(content)}, std::pair{"a.zst", zstd(content)}}) {
    for (const size_t size :
         {size_t{0}, size_t{3}, size_t{12}, packed.size() / 2, packed.size() - 1}) {
      const Scanned cut = scan(folder.write(name, packed.substr(0, size)), asking({"n", "line"}));
      INFO(name << " cut to " << size);
      CHECK(cut.stats.damaged == 1);
      CHECK(cut.problem.find(name) != std::string::npos);
      CHECK(cut.problem.find("ends within its compressed content") != std::string::npos);
      REQUIRE(cut.rows.size() <= plain.size());
      // The last line may be cut.
      const size_t whole = cut.rows.empty() ? 0 : cut.rows.size() - 1;
      CHECK(Rows(cut.rows.begin(), cut.rows.begin() + static_cast<std::ptrdiff_t>(whole)) ==
            Rows(plain.begin(), plain.begin() + static_cast<std::ptrdiff_t>(whole)));
      CHECK((size < packed.size() / 2 || std::string_view(name) == "a.zst" || whole > 100));
    }
  }
}

TEST_CASE("A compressed file that is damaged gives the rows up to there and says so") {
  ScanFolder folder;
  const std::string content = numbered(5000);
  std::string damaged = gzip(content);
  damaged[damaged.size() - 8] = static_cast<char>(damaged[damaged.size() - 8] ^ 1);  // check sum
  const Scanned wrong = scan(folder.write("a.gz", damaged), asking({"n", "line"}));
  CHECK(wrong.rows.size() == 5000);
  CHECK(wrong.stats.damaged == 1);
  CHECK(wrong.problem == folder.path("a.gz") + ": is damaged; its first " +
                             std::to_string(content.size()) + " bytes were read");
  // Who wanted no more than what is whole has all of it.
  ShownRows few(10);
  const auto limited = scan_into(few, {folder.path("a.gz"), 0, ""}, asking({"n", "line"}));
  REQUIRE(limited.ok());
  CHECK(few.rows.size() == 10);
  CHECK(limited->problem.empty());
}

TEST_CASE(
    "Files that can't be bisected are left out by their first record and their last writing") {
  ScanFolder folder;
  const std::string path =
      folder.write("a.gz", gzip("{\"ts\":\"2026-11-21T01:00:00Z\",\"n\":1}\n"));
  const timespec written[2] = {{1'795'222'800, 0}, {1'795'222'800, 0}};
  REQUIRE(::utimensat(AT_FDCWD, path.c_str(), written, 0) == 0);
  ScanRequest request = asking({"n"});
  request.plan.since = WallTime::from_s(1'795'222'800 - 10);
  CHECK(scan(path, request).rows == Rows{"1"});
  request.plan.since = WallTime::from_s(1'795'222'800 + 3 * 86'400);
  CHECK(scan(path, request).parts == 0);
  CHECK(scan(path, request).stats.bytes_skipped > 0);
  request.plan.since = {};
  request.plan.until = WallTime::from_s(1'795'222'800 - 400);
  CHECK(scan(path, request).parts == 0);
}

TEST_CASE("A file that shrinks under the scan ends early and is counted") {
  ScanFolder folder;
  const std::string path = folder.write("a.json", numbered(1000));
  query::ScanPlan plan;
  plan.fields = {"n"};
  const auto options = test_options();
  const auto opened = FileScan::open({path, 0, ""}, files({path}), plan, options);
  REQUIRE(opened.ok());
  const auto parts = (*opened)->parts();
  REQUIRE(parts.size() == 1);
  REQUIRE(::truncate(path.c_str(), 80) == 0);
  const auto part = (*opened)->scan(parts[0]);
  REQUIRE(part.ok());
  ShownRows rows;
  while ((*part)->step(rows) == FileScan::PartScan::Step::more) {
  }
  CHECK(rows.rows.size() == 10);
  CHECK((*part)->stats().shrunk == 1);
}

TEST_CASE("A file that vanishes or is rotated under the scan is read to its end") {
  ScanFolder folder;
  const std::string path = folder.write("a.json", numbered(10));
  query::ScanPlan plan;
  plan.fields = {"n"};
  const auto options = test_options();
  const auto opened = FileScan::open({path, 0, ""}, files({path}), plan, options);
  REQUIRE(opened.ok());
  REQUIRE(::unlink(path.c_str()) == 0);
  const auto part = (*opened)->scan((*opened)->parts()[0]);
  REQUIRE(part.ok());
  ShownRows rows;
  while ((*part)->step(rows) == FileScan::PartScan::Step::more) {
  }
  CHECK(rows.rows.size() == 10);
  CHECK((*part)->done_bytes() == 80);
}

TEST_CASE("Offsets beyond 4 GiB are read like others") {
  ScanFolder folder;
  const std::string path = folder.write("a.json", numbered(1));
  const int64_t far = (int64_t{5} << 30);
  std::FILE* file = std::fopen(path.c_str(), "r+b");
  REQUIRE(file != nullptr);
  REQUIRE(::fseeko(file, far - 1, SEEK_SET) == 0);
  std::fputs("\n{\"n\":7}\n{\"n\":8}\n", file);
  std::fclose(file);
  query::ScanPlan plan;
  plan.fields = {"n", "line"};
  const auto options = test_options();
  const auto opened = FileScan::open({path, 0, ""}, files({path}), plan, options);
  REQUIRE(opened.ok());
  const auto parts = (*opened)->parts();
  REQUIRE(parts.size() > 100);
  const auto part = (*opened)->scan(parts.back());
  REQUIRE(part.ok());
  ShownRows rows;
  while ((*part)->step(rows) == FileScan::PartScan::Step::more) {
  }
  CHECK(rows.rows == Rows{"7|" + std::to_string(far), "8|" + std::to_string(far + 8)});
}

TEST_CASE("A pipe is read as it comes, once") {
  ScanFolder folder;
  int ends[2] = {-1, -1};
  REQUIRE(::pipe(ends) == 0);
  const std::string content = numbered(1000);
  REQUIRE(::write(ends[1], content.data(), content.size()) == static_cast<ssize_t>(content.size()));
  ::close(ends[1]);
  const int before = ::dup(STDIN_FILENO);
  ::dup2(ends[0], STDIN_FILENO);
  ::close(ends[0]);
  const Scanned piped = scan("-", asking({"n", "line"}));
  query::ScanPlan plan;
  const auto options = test_options();
  const auto again = FileScan::open({"-", 0, ""}, files({"-"}), plan, options);
  ::dup2(before, STDIN_FILENO);
  ::close(before);
  CHECK(piped.rows.size() == 1000);
  CHECK(piped.rows.back() == "999|" + std::to_string(content.size() - 10));
  REQUIRE(again.ok());  // it has ended
  REQUIRE((*again)->scan({0, 1}).ok());
  CHECK_FALSE((*again)->scan({0, 1}).ok());
}

TEST_CASE("Lines longer than a record may be are cut, and what follows them is whole") {
  ScanFolder folder;
  ScanRequest request = asking({"raw"});
  request.options.max_record_bytes = 100;
  request.options.block_bytes = 64;
  const std::string path = folder.write("a.txt", "one\n" + std::string(100'000, 'x') + "\ntwo\n");
  const Scanned lines = scan(path, request);
  CHECK(lines.rows == Rows{"one", std::string(100, 'x'), "two"});
  CHECK(lines.stats.truncated == 1);
}

TEST_CASE("Runs of NULs are passed over, however long") {
  ScanFolder folder;
  ScanRequest request = asking({"n", "line"});
  request.options.max_record_bytes = 100;
  request.options.block_bytes = 64;
  const std::string path =
      folder.write("a.json", "{\"n\":1}\n" + std::string(300'000, '\0') + "{\"n\":2}\n{\"n\":3}\n");
  CHECK(scan(path, request).rows == Rows{"1|0", "2|8", "3|300016"});
}

TEST_CASE("UTF-16 is read as text") {
  ScanFolder folder;
  std::string content("\xFF\xFE", 2);
  for (const char c : std::string("{\"n\":1}\n{\"n\":2}\n")) content += {c, '\0'};
  CHECK(scan(folder.write("a.json", content), asking({"n", "raw"})).rows ==
        Rows{"1|{\"n\":1}", "2|{\"n\":2}"});
}
