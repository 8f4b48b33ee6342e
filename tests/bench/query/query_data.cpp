// Writes logs of any size to measure queries with, the same bytes for the same arguments.
//
//   query_data access 1G > access.log    nginx, combined with request time; about 215 B a line
//   query_data app 1G > app.jsonl        an application's JSON; about 209 B a line
//   query_data sess 1G > sess.jsonl      sessions of 3 to 8 lines, interleaved; about 184 B a line
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

namespace {

class Random {
 public:
  uint64_t next() noexcept {  // xorshift64*
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 0x2545F4914F6CDD1DULL;
  }
  uint32_t below(uint32_t n) noexcept {
    return static_cast<uint32_t>(((next() >> 32) * uint64_t{n}) >> 32);
  }
  bool one_in(uint32_t n) noexcept { return below(n) == 0; }
  template <size_t N>
  std::string_view of(const std::string_view (&choice)[N]) noexcept {
    return choice[below(N)];
  }

 private:
  uint64_t state_ = 0x9E3779B97F4A7C15ULL;
};

// Bytes on their way to standard output; no more than asked for, in whole lines.
class Output {
 public:
  explicit Output(uint64_t bytes) : left_(bytes) {}
  ~Output() { flush(); }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  Output& operator<<(std::string_view text) noexcept {
    std::memcpy(buffer_ + used_, text.data(), text.size());
    used_ += text.size();
    return *this;
  }
  Output& operator<<(uint64_t number) noexcept {
    char digits[20];
    char* p = digits + sizeof digits;
    do {
      *--p = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number != 0);
    return *this << std::string_view(p, static_cast<size_t>(digits + sizeof digits - p));
  }
  Output& padded(uint64_t number, size_t width) noexcept {
    for (size_t i = width; i-- > 0; number /= 10) {
      buffer_[used_ + i] = static_cast<char>('0' + number % 10);
    }
    used_ += width;
    return *this;
  }
  Output& hex(uint64_t number, int digits) noexcept {
    for (int i = digits - 1; i >= 0; --i) {
      buffer_[used_++] = "0123456789abcdef"[(number >> (4 * i)) & 15];
    }
    return *this;
  }
  // False: that was all.
  bool end_line() noexcept {
    buffer_[used_++] = '\n';
    if (used_ - line_ > left_) {
      used_ = line_;
      return false;
    }
    left_ -= used_ - line_;
    if (used_ > kFull) flush();
    line_ = used_;
    return true;
  }

 private:
  static constexpr size_t kFull = 256 * 1024;
  static constexpr size_t kLongestLine = 4096;
  void flush() noexcept {
    if (std::fwrite(buffer_, 1, used_, stdout) != used_) std::_Exit(1);
    used_ = 0;
  }
  uint64_t left_;
  size_t used_ = 0, line_ = 0;
  char buffer_[kFull + kLongestLine];
};

// Time goes on from line to line; the text of a second is made once.
class Times {
 public:
  explicit Times(const char* shape) : shape_(shape) { render(); }
  void advance(uint32_t us) noexcept {
    us_ += us;
    if (us_ / 1'000'000 != second_) render();
  }
  std::string_view second() const noexcept { return {text_, size_}; }
  uint64_t ms() const noexcept { return us_ / 1000 % 1000; }

 private:
  void render() noexcept {
    second_ = us_ / 1'000'000;
    const auto t = static_cast<std::time_t>(second_);
    std::tm parts{};
    gmtime_r(&t, &parts);
    size_ = std::strftime(text_, sizeof text_, shape_, &parts);
  }
  const char* shape_;
  uint64_t us_ = 1'795'224'951'000'000;  // 2026-11-21T01:35:51Z
  uint64_t second_ = 0;
  char text_[64];
  size_t size_ = 0;
};

// ---- access ----

constexpr std::string_view kAgents[] = {
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 "
    "Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) "
    "Version/18.1 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0",
    "kube-probe/1.31",
    "okhttp/4.12.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.1 Safari/605.1.15"};
constexpr std::string_view kReferers[] = {"-", "https://shop.example.com/",
                                          "https://shop.example.com/catalog?page=2",
                                          "https://www.example.org/search?q=standing+desk"};
constexpr std::string_view kReads[] = {"/",
                                       "/healthz",
                                       "/static/app.8c1f.js",
                                       "/favicon.ico",
                                       "/api/v1/users/",
                                       "/api/v1/orders/",
                                       "/api/v1/catalog/",
                                       "/api/v1/search?q="};

uint32_t status_of(Random& random) noexcept {
  const uint32_t p = random.below(1000);
  if (p < 11) return p < 5 ? 502 : p < 8 ? 500 : 503;
  if (p < 60) return p < 40 ? 404 : 401;
  return p < 120 ? 304 : p < 180 ? 201 : 200;
}

void request(Random& random, Output& out) {
  const uint32_t p = random.below(1000);
  if (random.one_in(220'000)) {
    out << "GET /admin/needle-in-haystack HTTP/1.1";
  } else if (p < 130) {  // what R2 of the benches looks for, when it fails
    out << (p < 90 ? "POST " : "PUT ") << (p % 2 == 0 ? "/api/v1/orders" : "/api/v1/cart");
    if (p % 3 != 0) out << "/" << uint64_t{random.below(1'000'000)};
    out << (p % 5 == 0 ? " HTTP/2.0" : " HTTP/1.1");
  } else if (p < 131 && random.one_in(10)) {
    out << R"(\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03)";  // a scanner's
  } else {
    const std::string_view path = random.of(kReads);
    out << "GET " << path;
    if (path.size() > 12) out << uint64_t{random.below(1'000'000)};
    out << (p % 5 == 0 ? " HTTP/2.0" : " HTTP/1.1");
  }
}

void write_access(Output& out) {
  Random random;
  Times times("%d/%b/%Y:%H:%M:%S +0000");
  do {
    times.advance(random.below(400));
    out << "10." << uint64_t{random.below(256)} << "." << uint64_t{random.below(256)} << "."
        << uint64_t{random.below(256)} << " - - [" << times.second() << "] \"";
    request(random, out);
    out << "\" " << uint64_t{status_of(random)} << " " << uint64_t{random.below(60'000)} << " \""
        << random.of(kReferers) << "\" \"" << random.of(kAgents) << "\" ";
    const uint32_t ms = random.one_in(20) ? 200 + random.below(3000) : 1 + random.below(120);
    out << uint64_t{ms / 1000} << ".";
    out.padded(ms % 1000, 3);
  } while (out.end_line());
}

// ---- app ----

constexpr std::string_view kServices[] = {"auth",   "catalog", "checkout", "gateway",
                                          "orders", "payment", "search",   "shipping"};
constexpr std::string_view kMessages[] = {
    "request completed", "cache miss, loading from the database", "user session refreshed",
    "published event to the queue", "configuration reloaded without changes"};

void message(Random& random, Output& out) {
  const uint32_t p = random.below(10'000);
  if (p < 30) {
    out << "timeout after " << uint64_t{1000 + random.below(9000)};
  } else if (p < 57) {
    out << "connection refused: 10.0." << uint64_t{random.below(256)} << "."
        << uint64_t{random.below(256)} << ":5432";
  } else {
    out << random.of(kMessages);
  }
}

void write_app(Output& out) {
  Random random;
  Times times("%Y-%m-%dT%H:%M:%S");
  do {
    times.advance(random.below(400));
    const uint32_t p = random.below(10'000);
    const std::string_view level = p < 142    ? "error"
                                   : p < 500  ? "warn"
                                   : p < 2500 ? "debug"
                                              : "info";
    out << R"({"ts":")" << times.second() << ".";
    out.padded(times.ms(), 3);
    out << R"(Z","level":")" << level << R"(","service":")" << random.of(kServices)
        << R"(","request_id":")";
    out.hex(random.next(), 16).hex(random.next(), 16);
    out << R"(","status":)" << uint64_t{status_of(random)} << R"(,"duration_ms":)"
        << uint64_t{1 + random.below(random.one_in(50) ? 3000 : 250)} << R"(,"message":")";
    message(random, out);
    out << R"(","host":"node-)" << uint64_t{100 + random.below(40)} << R"("})";
  } while (out.end_line());
}

// ---- sess ----

constexpr std::string_view kEvents[] = {"cart viewed", "item added to cart", "address checked",
                                        "shipping cost estimated", "stock reserved"};

struct Session {
  uint64_t id = 0;
  uint32_t lines = 0, line = 0;
  uint32_t authorized = 0, invoiced = 0;  // line numbers; 0: never
};

Session begin_session(Random& random) noexcept {
  Session s;
  s.id = random.next();
  s.lines = 3 + random.below(6);
  if (random.below(100) < 45) {
    s.authorized = 2 + random.below(s.lines - 2);
    if (random.below(100) < 80) s.invoiced = s.authorized + 1;
  }
  return s;
}

std::string_view event_of(const Session& s, Random& random) noexcept {
  if (s.line == 1) return "request received";
  if (s.line == s.authorized) return "payment authorized";
  if (s.line == s.invoiced) return "invoice created";
  return random.of(kEvents);
}

void write_sessions(Output& out) {
  constexpr size_t kOpen = 600;
  Random random;
  Times times("%Y-%m-%dT%H:%M:%S");
  std::vector<Session> open;
  for (size_t i = 0; i < kOpen; ++i) open.push_back(begin_session(random));
  do {
    times.advance(random.below(6000));
    Session& s = open[random.below(kOpen)];
    ++s.line;
    out << R"({"ts":")" << times.second() << ".";
    out.padded(times.ms(), 3);
    out << R"(Z","level":")" << (random.one_in(100) ? "ERROR" : "INFO") << R"(","service":")"
        << random.of(kServices) << R"(","request_id":")";
    out.hex(s.id, 16).hex(s.id * 0x9E3779B97F4A7C15ULL, 16);
    out << R"(","message":")" << event_of(s, random) << R"(","duration_ms":)"
        << uint64_t{1 + random.below(250)};
    if (s.line == s.lines) s = begin_session(random);
    out << R"(,"host":"node-)" << uint64_t{100 + random.below(40)} << R"("})";
  } while (out.end_line());
}

uint64_t size_of(const char* text) {
  char* unit = nullptr;
  const double size = std::strtod(text, &unit);
  const double scale = *unit == 'G' ? 1e9 : *unit == 'M' ? 1e6 : *unit == 'k' ? 1e3 : 1;
  return size > 0 ? static_cast<uint64_t>(size * scale) : 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view kind = argc == 3 ? argv[1] : "";
  const uint64_t bytes = argc == 3 ? size_of(argv[2]) : 0;
  if (bytes == 0 || (kind != "access" && kind != "app" && kind != "sess")) {
    std::fputs("usage: query_data access|app|sess SIZE[k|M|G] > FILE\n", stderr);
    return 2;
  }
  static Output out(bytes);
  if (kind == "access") write_access(out);
  if (kind == "app") write_app(out);
  if (kind == "sess") write_sessions(out);
  return 0;
}
