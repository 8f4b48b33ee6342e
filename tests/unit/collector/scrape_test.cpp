#include <poll.h>

#include <catch2/catch.hpp>
#include <ctime>
#include <thread>

#include "nines/collector/tailer.hpp"
#include "scrape_support.hpp"

using namespace nines;
using namespace nines::collector;
using namespace nines::collector::test;

namespace {

using Lines = std::vector<std::string>;

std::string counter(uint64_t value) {
  return "# TYPE c_total counter\nc_total " + std::to_string(value) + "\n";
}
std::string started(uint64_t value, int64_t start_s) {
  return "# TYPE c counter\nc_total " + std::to_string(value) + "\nc_created " +
         std::to_string(start_s) + "\n# EOF\n";
}
// Cumulative counts of the buckets 0.1, 0.3 and +Inf, and the sum.
std::string histogram(uint64_t a, uint64_t b, uint64_t all, const std::string& sum) {
  return "# TYPE h histogram\nh_bucket{le=\"0.1\",p=\"/\"} " + std::to_string(a) +
         "\nh_bucket{le=\"0.3\",p=\"/\"} " + std::to_string(b) +
         "\nh_bucket{le=\"+Inf\",p=\"/\"} " + std::to_string(all) + "\nh_sum{p=\"/\"} " + sum +
         "\nh_count{p=\"/\"} " + std::to_string(all) + "\n";
}
double total(const ScrapeRig& rig, const std::string& key) {
  const auto found = rig.totals.find(key);
  return found == rig.totals.end() ? 0 : found->second;
}
double counted(const ScrapeRig& rig) { return total(rig, "\"metric\":\"c_total\""); }

InputStats shown(const ScrapeRig& rig) {
  std::vector<InputStats> out;
  rig.input->describe(out);
  return out.at(0);
}

}  // namespace

TEST_CASE("A scrape makes one record a sample, with the growth of what only grows", "[scrape]") {
  ScrapeRig rig;
  const auto page = [](int n) {
    return "# TYPE http_requests_total "
           "counter\nhttp_requests_total{code=\"200\",path=\"/a\\\"b\"} " +
           std::to_string(1000 + n) + "\n# TYPE temp gauge\ntemp 21.5 1795000000500\nnan NaN\n";
  };
  rig.scrape(page(0));
  rig.scrape(page(7));
  CHECK(rig.consumer.of("http_requests_total") ==
        Lines{R"(,"code":"200","path":"/a\"b","value":1000,"delta":0)",
              R"(,"code":"200","path":"/a\"b","value":1007,"delta":7)"});
  CHECK(rig.consumer.of("temp").back() ==
        R"(,"sample_ts":"2026-11-18T11:06:40.500Z","value":21.5)");
  CHECK(rig.consumer.of("nan").back() == R"(,"value":null)");
  CHECK(rig.consumer.of("up") == Lines{R"(,"value":1)", R"(,"value":1)"});
  CHECK(rig.consumer.of("scrape_duration_ms").size() == 2);
  CHECK(rig.consumer.lines.front().starts_with(R"({"ts":"2026-11-18T11:06:40Z","metric":")"));
}

TEST_CASE("Labels that would hide a field of ours are renamed, and never onto one another",
          "[scrape]") {
  ScrapeRig rig;
  rig.scrape(
      std::string("a{ts=\"1\",metric=\"2\",value=\"3\",delta=\"4\",le=\"5\",label_ts=\"6\","
                  "node=\"n\",service=\"7\"} 1\n"));
  CHECK(rig.consumer.of("a") ==
        Lines{R"(,"label_ts":"1","label_metric":"2","label_value":"3","label_delta":"4",)"
              R"("label_le":"5","label_label_ts":"6","label_node":"n","service":"7","value":1)"});
}

TEST_CASE("A counter counts its exact growth over resets", "[scrape]") {
  ScrapeRig rig;
  for (const uint64_t value : {9007199254740993ULL, 9007199254740994ULL, 3ULL, 10ULL, 0ULL, 4ULL}) {
    rig.scrape(counter(value));
  }
  rig.commit();
  CHECK(counted(rig) == 1 + 3 + 7 + 0 + 4);
  CHECK(rig.input->stats().resets == 2);
}

TEST_CASE("A later start time is a reset though the value grew", "[scrape]") {
  ScrapeRig rig;
  rig.scrape(started(5, kStartS - 100));
  rig.scrape(started(9, kStartS + 8));
  rig.commit();
  CHECK(counted(rig) == 9);
}

TEST_CASE("The first scrape is the past, unless the start time says otherwise", "[scrape]") {
  ScrapeRig old, young;
  old.scrape(started(50, kStartS - 1));
  old.commit();
  CHECK(counted(old) == 0);
  young.scrape(Error{Errc::unavailable, "connection refused"});
  young.scrape(started(50, kStartS + 5));
  young.commit();
  CHECK(counted(young) == 50);
}

TEST_CASE("A series that appears later counts from 0", "[scrape]") {
  ScrapeRig rig;
  rig.scrape(std::string("other 1\n"));
  rig.scrape(Error{Errc::timeout, "no answer"});
  rig.scrape(counter(12));
  rig.commit();
  CHECK(counted(rig) == 12);
}

TEST_CASE("A series that appears behind a line that could not be read does not count its past",
          "[scrape]") {
  ScrapeRig rig;
  rig.scrape(std::string("c_total x\nother 1\n"));
  CHECK(shown(rig).trouble.find("could not be read") != std::string::npos);
  CHECK(shown(rig).healthy);
  rig.scrape(counter(12));
  rig.scrape(counter(13));
  rig.commit();
  CHECK(counted(rig) == 1);
}

TEST_CASE("Buckets count events between their bounds, so that bounds can be summed over",
          "[scrape]") {
  ScrapeRig rig;
  rig.scrape(histogram(1, 2, 4, "1.25"));
  rig.scrape(histogram(4, 9, 12, "2.5"));
  CHECK(rig.consumer.of("h_bucket") == Lines{R"(,"le":0.1,"p":"/","value":1,"delta":0)",
                                             R"(,"le":0.3,"p":"/","value":2,"delta":0)",
                                             R"(,"le":1e30,"p":"/","value":4,"delta":0)",
                                             R"(,"le":0.1,"p":"/","value":4,"delta":3)",
                                             R"(,"le":0.3,"p":"/","value":9,"delta":4)",
                                             R"(,"le":1e30,"p":"/","value":12,"delta":1)"});
  CHECK(rig.consumer.of("h_count").back() == R"(,"p":"/","value":12,"delta":8)");
  CHECK(rig.consumer.of("h_sum").back() == R"(,"p":"/","value":2.5,"delta":1.25)");
}

TEST_CASE("A histogram is reset as a whole, also buckets that have grown beyond their old value",
          "[scrape]") {
  ScrapeRig rig;
  rig.scrape(histogram(1, 2, 100, "90"));
  rig.commit();
  rig.scrape(histogram(3, 5, 6, "1"));
  rig.commit();
  CHECK(total(rig, R"("metric":"h_bucket","le":0.1,"p":"/")") == 3);
  CHECK(total(rig, R"("metric":"h_bucket","le":0.3,"p":"/")") == 2);
  CHECK(total(rig, R"("metric":"h_bucket","le":1e30,"p":"/")") == 1);
  CHECK(total(rig, R"("metric":"h_count","p":"/")") == 6);
  CHECK(total(rig, R"("metric":"h_sum","p":"/")") == 1);
}

TEST_CASE("A histogram that was reset and half consumed when we died is reset only once",
          "[scrape]") {
  ScrapeRig rig;
  rig.scrape(histogram(10, 1000, 1010, "5"));
  rig.commit();
  rig.consumer.quota = 1;  // the first bucket only
  rig.scrape(histogram(5, 7, 8, "1"));
  rig.commit();
  CHECK(total(rig, R"("metric":"h_bucket","le":0.1,"p":"/")") == 5);
  rig.crash();
  rig.scrape(histogram(6, 9, 11, "2"));
  rig.commit();
  CHECK(total(rig, R"("metric":"h_bucket","le":0.1,"p":"/")") == 6);
  CHECK(total(rig, R"("metric":"h_bucket","le":0.3,"p":"/")") == 3);
  CHECK(total(rig, R"("metric":"h_bucket","le":1e30,"p":"/")") == 2);
  CHECK(total(rig, R"("metric":"h_count","p":"/")") == 11);
}

TEST_CASE("A bucket read while it was written takes nothing back and counts nothing twice",
          "[scrape]") {
  ScrapeRig rig;
  rig.scrape(histogram(5, 10, 10, "1"));
  rig.scrape(histogram(6, 10, 10, "1"));  // the event has reached one bound and not the next
  rig.scrape(histogram(6, 11, 11, "1"));
  rig.commit();
  CHECK(rig.input->stats().resets == 0);
  CHECK(total(rig, R"("metric":"h_bucket","le":0.1,"p":"/")") == 1);
  CHECK(total(rig, R"("metric":"h_bucket","le":0.3,"p":"/")") == 0);
  CHECK(total(rig, R"("metric":"h_count","p":"/")") == 1);
}

TEST_CASE("Fractions are kept to millionths and never drift", "[scrape]") {
  ScrapeRig rig;
  for (const char* value : {"5", "5.1000005", "5.2000009", "7", "7.9999999"}) {
    rig.scrape("# TYPE s_total counter\ns_total " + std::string(value) + "\n");
    rig.commit();
  }
  CHECK(total(rig, R"("metric":"s_total")") == Approx(2.999999).epsilon(1e-12));
}

TEST_CASE("A sum that falls because observations were negative has no delta and is no reset",
          "[scrape]") {
  ScrapeRig rig;
  rig.scrape(histogram(1, 2, 3, "10"));
  rig.scrape(histogram(1, 2, 4, "8"));
  rig.scrape(histogram(1, 2, 5, "9.5"));
  CHECK(rig.consumer.of("h_sum") == Lines{R"(,"p":"/","value":10,"delta":0)",
                                          R"(,"p":"/","value":8)",
                                          R"(,"p":"/","value":9.5,"delta":1.5)"});
  CHECK(rig.input->stats().resets == 0);
}

TEST_CASE("Killed between scrapes and commits, counts and series stay consistent", "[scrape]") {
  ScrapeRig rig;
  rig.scrape(counter(100));
  rig.commit();
  rig.scrape(counter(110));  // never committed
  rig.crash();
  rig.scrape(counter(125));
  rig.commit();
  CHECK(counted(rig) == 25);
  rig.clock.advance_s(86'400);  // stopped for a day
  rig.crash();
  rig.scrape(counter(1125));
  rig.commit();
  CHECK(counted(rig) == 1025);
  rig.crash();
  rig.scrape(counter(40));  // begun anew while nobody looked
  rig.commit();
  CHECK(counted(rig) == 1065);
}

TEST_CASE("What the first scrape had not handed over when we died is still the past", "[scrape]") {
  ScrapeRig rig;
  rig.consumer.quota = 1;
  const std::string page = "# TYPE a_total counter\na_total 1000\n" + counter(500);
  rig.scrape(page);
  rig.commit();
  rig.crash();
  rig.scrape(page);
  rig.commit();
  CHECK(total(rig, R"("metric":"a_total")") == 0);
  CHECK(counted(rig) == 0);
}

TEST_CASE("A damaged or lost position is the past of someone else, and counted", "[scrape]") {
  ScrapeRig rig;
  rig.scrape(counter(100));
  rig.commit();
  REQUIRE(rig.store.size() == 2);
  for (auto& [key, state] : rig.store) {
    const std::string whole = state;
    for (size_t i = 0; i < whole.size(); ++i) {
      state = whole;
      state[i] = static_cast<char>(state[i] ^ 0x10);
      rig.crash();
      rig.scrape(counter(150));
      CHECK(rig.input->stats().states_malformed == 1);
      CHECK(rig.consumer.of("c_total") == Lines{R"(,"value":150,"delta":0)"});
    }
    state = kPositionLost;
    rig.crash();
    rig.scrape(counter(150));
    CHECK(rig.consumer.of("c_total") == Lines{R"(,"value":150,"delta":0)"});
    state = whole;
  }
}

TEST_CASE("Positions are written when something changed, and are small", "[scrape]") {
  ScrapeRig rig;
  const auto page = [](int scrape) {
    std::string out = "# TYPE r_total counter\n";
    for (int i = 0; i < 1000; ++i) {
      out += "r_total{path=\"/api/v1/items\",code=\"200\",n=\"" + std::to_string(i) + "\"} " +
             std::to_string(i * 100 + scrape) + "\n";
    }
    return out;
  };
  rig.scrape(page(0));
  rig.commit();
  CHECK(rig.committed_bytes < 13'000);
  rig.scrape(page(0));
  rig.commit();
  CHECK(rig.committed_bytes < 3'500);  // now the target is known wholly
  rig.scrape(page(0));
  rig.commit();
  CHECK(rig.committed_bytes == 0);
  rig.scrape(page(1));
  rig.commit();
  CHECK(rig.committed_bytes < 3'500);
}

TEST_CASE("Series beyond the limit have no delta, are counted, and never count their past",
          "[scrape]") {
  ScrapeRig rig;
  rig.options.max_series = 2;
  rig.start();
  const auto page = [](int from, int to, int value) {
    std::string out = "# TYPE r_total counter\n";
    for (int i = from; i < to; ++i) {
      out += "r_total{n=\"" + std::to_string(i) + "\"} " + std::to_string(value) + "\n";
    }
    return out;
  };
  rig.scrape(page(0, 3, 10));
  CHECK(rig.consumer.of("r_total").back() == R"(,"n":"2","value":10)");
  CHECK(rig.input->stats().series_refused == 1);
  CHECK(shown(rig).trouble.find("1 series beyond 2") != std::string::npos);
  rig.scrape(page(1, 3, 20));  // 0 is gone and makes room
  rig.scrape(page(1, 3, 30));
  rig.scrape(page(1, 3, 35));
  CHECK(rig.consumer.of("r_total").back() == R"(,"n":"2","value":35,"delta":5)");
  CHECK(rig.input->stats().series_forgotten == 1);
  CHECK(shown(rig).trouble.empty());
}

TEST_CASE("A second line of one series has no delta", "[scrape]") {
  ScrapeRig rig;
  rig.scrape(counter(1));
  rig.scrape(std::string("# TYPE c_total counter\nc_total 5\nc_total 900\n"));
  rig.commit();
  CHECK(counted(rig) == 4);
  CHECK(rig.input->stats().series_duplicate == 1);
}

TEST_CASE("A series that is away for a while goes on where it was", "[scrape]") {
  ScrapeRig rig;
  rig.scrape(counter(10));
  rig.scrape(std::string("other 1\n"));
  rig.commit();
  rig.crash();
  rig.scrape(counter(15));
  rig.commit();
  CHECK(counted(rig) == 5);
}

TEST_CASE("An answer that cannot be trusted is a failed scrape: up is 0, nothing counts",
          "[scrape]") {
  for (const std::string& bad :
       {std::string("# TYPE c_total counter\nc_total 1"), std::string("<html>no</html>\n"),
        std::string(5000, 'a') + " 1\n"}) {
    ScrapeRig rig;
    rig.options.max_body_bytes = 4000;
    rig.start();
    rig.scrape(counter(100));
    rig.scrape(bad);
    CHECK(rig.consumer.of("up").back() == R"(,"value":0)");
    CHECK_FALSE(shown(rig).healthy);
    CHECK(rig.input->caught_up());  // all that is known was handed over
    CHECK(shown(rig).trouble.find("http://127.0.0.1:9100/metrics: the answer is") == 0);
    rig.scrape(counter(105));
    CHECK(rig.consumer.of("c_total").back() == R"(,"value":105,"delta":5)");
    CHECK(shown(rig).healthy);
    CHECK(rig.input->caught_up());
    CHECK(rig.input->stats().failures == 1);
  }
}

TEST_CASE("An endpoint that never answers is given up, and its late answer is dropped",
          "[scrape]") {
  ScrapeRig rig;
  rig.silent = true;
  rig.scrape(counter(1));
  rig.clock.advance_s(11);
  (void)rig.input->read(1 << 20);
  CHECK(rig.consumer.of("up") == Lines{R"(,"value":0)"});
  rig.unanswered.at(0)(counter(7));
  rig.silent = false;
  rig.scrape(counter(9));
  CHECK(rig.consumer.of("c_total") == Lines{R"(,"value":9,"delta":0)"});
  rig.silent = true;
  rig.scrape(counter(1));
  auto late = rig.unanswered.back();
  rig.input.reset();
  late(counter(7));  // after the end of the input
}

TEST_CASE("An answer may come from another thread and wakes the reader", "[scrape]") {
  ScrapeRig rig;
  rig.silent = true;
  rig.scrape(counter(1));
  std::vector<pollfd> fds;
  rig.input->descriptors(fds);
  REQUIRE(fds.size() == 1);
  std::thread other([&] { rig.unanswered.at(0)(counter(3)); });
  REQUIRE(::poll(fds.data(), 1, 10'000) == 1);
  CHECK(rig.input->due() == Instant{});
  (void)rig.input->read(1 << 20);
  other.join();
  CHECK(rig.consumer.of("c_total").size() == 1);
}

TEST_CASE("Inputs of one address that are not one have positions of their own", "[scrape]") {
  ScrapeRig rig, other;
  other.options.identity = "another service";
  other.start();
  for (ScrapeRig* each : {&rig, &other}) {
    each->scrape(counter(5));
    each->commit();
  }
  for (const auto& [key, state] : rig.store) CHECK_FALSE(other.store.contains(key));
}

TEST_CASE("Scrapes keep their rhythm; those that could not be made are skipped and counted",
          "[scrape]") {
  ScrapeRig rig;
  rig.scrape(counter(1));
  const Instant first = rig.input->due();
  rig.scrape(counter(1));
  CHECK(rig.input->due().ns - first.ns == 15 * kNsPerSecond);
  rig.clock.advance_s(100);
  CHECK_FALSE(rig.input->caught_up());
  rig.scrape(counter(1));
  CHECK(rig.input->stats().skipped == 5);
  CHECK((rig.input->due().ns - first.ns) % (15 * kNsPerSecond) == 0);
}

TEST_CASE("A large page is handed over in bounded pieces, at the pace of the consumer",
          "[scrape]") {
  ScrapeRig rig;
  rig.options.chunk_bytes = 4096;
  rig.start();
  std::string page;
  for (int i = 0; i < 2000; ++i) page += "g{n=\"" + std::to_string(i) + "\"} 1\n";
  rig.answer = page;
  rig.consumer.per_call = 10;
  size_t reads = 0;
  int64_t most = 0;
  while (rig.input->read(1000)) {
    ++reads;
    most = std::max(most, shown(rig).lag_bytes);
  }
  CHECK(reads > 50);
  CHECK(most < 4 * 4096);
  CHECK(rig.consumer.of("g").size() == 2000);
  CHECK(shown(rig).lag_bytes == 0);
}

TEST_CASE("What a scrape of 1,000 and of 10,000 series costs", "[.bench]") {
  for (const int series : {1000, 10'000}) {
    ScrapeRig rig;
    const auto page = [&](int scrape) {
      std::string out = "# TYPE r_total counter\n";
      for (int i = 0; i < series; ++i) {
        out += "r_total{path=\"/api/v1/items\",code=\"200\",method=\"GET\",n=\"" +
               std::to_string(i) + "\"} " + std::to_string(i * 100 + scrape) + "\n";
      }
      return out;
    };
    constexpr int kScrapes = 20;
    int64_t us = 0;
    for (int i = 0; i < kScrapes; ++i) {
      const std::string body = page(i);
      timespec from{}, to{};
      ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
      rig.scrape(body);
      rig.commit();
      ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
      us += (to.tv_sec - from.tv_sec) * 1'000'000 + (to.tv_nsec - from.tv_nsec) / 1000;
    }
    WARN(series << " series: " << us / kScrapes << " us a scrape, " << rig.committed_bytes
                << " bytes of position a flush");
  }
}

TEST_CASE("An SLI that counts scrapes is told from one that counts what they bring", "[scrape]") {
  const auto counts = [](const char* where) {
    return counts_scrapes(*expr::Expression::parse(where));
  };
  CHECK(counts("metric = 'up'"));
  CHECK(counts("metric = 'up' AND value = 1"));
  CHECK(counts("metric IN ('up', 'scrape_duration_ms')"));
  CHECK_FALSE(counts("metric = 'http_requests_total'"));
  CHECK_FALSE(counts("metric = 'up' OR metric = 'x'"));
  CHECK_FALSE(counts("metric <> 'x'"));
  CHECK_FALSE(counts("metric LIKE 'u%'"));
  CHECK_FALSE(counts("metric REGEXP '^u'"));
  CHECK_FALSE(counts("value = 1"));
}
