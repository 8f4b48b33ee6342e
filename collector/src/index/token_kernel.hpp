// The inner loop of TokenCollector, included once for each kind of processor by token_*.cpp, which
// have declared before, in their anonymous namespace,
//
//   Masks classify(const char* p)   of 64 bytes
//
// 64 bytes at a time become masks, the masks become where runs begin and end, and these become
// fingerprints; what differs from token to token is done without branches, of which half would be
// mispredicted.

namespace nines::collector {
namespace {

using Work = TokenCollector::Work;

inline bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

// Of 64 bytes the first 9 and the last were or will be seen again: they tell whether a run of 8
// bytes ends here, and whether a dot is between digits.
constexpr size_t kBehind = 9, kStep = 54;
static_assert(TokenCollector::kBatchBytes % kStep == 0);
constexpr uint64_t kNew = ((uint64_t{1} << kStep) - 1) << kBehind;

// Places of the bits, written to `out`, which has room for 4 more than there are.
inline uint32_t* flatten(uint64_t bits, uint32_t at, uint32_t* out) noexcept {
  const int count = std::popcount(bits);
  constexpr uint64_t kLast = uint64_t{1} << 63;  // so that none needs no branch
  const auto put = [&](int i) {
    out[i] = at + static_cast<uint32_t>(std::countr_zero(bits | kLast));
    bits &= bits - 1;
  };
  put(0);
  put(1);
  put(2);
  put(3);
  for (int i = 4; i < count; ++i) put(i);
  return out + count;
}

// `places`: of backslashes, and of some 'P', from `at` on.
inline void note_oddities(std::string_view text, size_t at, uint64_t places,
                          Oddities& odd) noexcept {
  for (; places != 0; places &= places - 1) {
    const size_t i = at + static_cast<size_t>(std::countr_zero(places));
    if (text[i] == 'P') {
      const std::string_view before = i < 7 ? std::string_view() : text.substr(i - 7, 7);
      odd.pieces = odd.pieces || before == "stdout " || before == "stderr ";
    } else if (i + 1 < text.size()) {
      odd.unicode = odd.unicode || text[i + 1] == 'u';
      odd.slash = odd.slash || text[i + 1] == '/';
    }
  }
}

class Collecting {
 public:
  Collecting(std::string_view text, uint64_t serial, Work& work, TokenSet& out, Oddities& odd)
      : text_(text), serial_(serial), work_(work), out_(out), odd_(odd) {}

  void run() {
    for (size_t at = 0; at < text_.size(); at += TokenCollector::kBatchBytes) {
      find_runs(at, std::min(at + TokenCollector::kBatchBytes, text_.size()));
      print_runs();
      print_small();
      take_fresh();
      if (edges_ % 2 != 0) work_.edges[0] = work_.edges[edges_ - 1];  // it goes on
      edges_ %= 2;
    }
  }

 private:
  void find_runs(size_t at, size_t end) noexcept {
    uint32_t* edges = work_.edges.data() + edges_;
    small_ = 0;
    if (end == text_.size()) ++end;  // what is behind the text ends all runs
    for (; at < end && at < kBehind; at += kStep) edges = find_edge_runs(at, edges);
    const size_t inner = std::min(end, text_.size() - std::min(text_.size(), 63 - kBehind));
    for (; at < inner; at += kStep) edges = find_runs_of(text_.data() + at - kBehind, at, edges);
    for (; at < end; at += kStep) edges = find_edge_runs(at, edges);
    edges_ = static_cast<size_t>(edges - work_.edges.data());
  }

  // Where the text does not have the 64 bytes around `at`.
  [[gnu::noinline]] uint32_t* find_edge_runs(size_t at, uint32_t* edges) noexcept {
    std::array<char, 64> copy;
    return find_runs_of(around(at, copy), at, edges);
  }

  [[gnu::always_inline]] inline uint32_t* find_runs_of(const char* p, size_t at,
                                                       uint32_t* edges) noexcept {
    const Masks m = classify(p);
    const uint64_t one = m.token | (m.dot & (m.digit << 1) & (m.digit >> 1));
    const uint64_t two = one & (one << 1), four = two & (two << 2), eight = four & (four << 4);
    const auto place = static_cast<uint32_t>(at - kBehind);  // of bit 0
    edges = flatten((eight ^ (eight << 1)) & kNew, place, edges);
    // Ends of runs of 6 or 7 bytes that have a digit: added to a run it carries to its end.
    const uint64_t six = four & (two << 4);
    const uint64_t small = (six << 1) & ~one & ~(eight << 1) & (one + m.digit) & kNew;
    if (small != 0) find_small(place, small, six & (one << 6));
    const uint64_t odd = m.odd & ~two & kNew;  // not within a word
    if (odd != 0) note_oddities(text_, at - kBehind, odd, odd_);
    return edges;
  }

  const char* around(size_t at, std::array<char, 64>& copy) const noexcept {
    copy.fill('\n');
    const size_t behind = std::min(at, kBehind);
    const std::string_view there = text_.substr(at - behind, behind + 64 - kBehind);
    std::memcpy(copy.data() + kBehind - behind, there.data(), there.size());
    return copy.data();
  }

  void find_small(uint32_t place, uint64_t ends, uint64_t seven) noexcept {
    for (; ends != 0; ends &= ends - 1) {
      const int i = std::countr_zero(ends);
      work_.small_ends[small_] = place + static_cast<uint32_t>(i);
      work_.small_sizes[small_++] = static_cast<uint8_t>(6 + ((seven >> (i - 1)) & 1));
    }
  }

  // Whether it is not among the recent; now it is.
  bool is_fresh(uint32_t print, uint64_t is_long) noexcept {
    uint64_t& place = work_.recent[print % TokenCollector::kRecent];
    const uint64_t key = serial_ | print;
    const bool fresh = place != key;
    // Of a long one this says too little to know it by: in this place nobody looks for that.
    place = key ^ is_long;
    return fresh;
  }

  void print_runs() noexcept {
    const char* const text = text_.data();
    const uint32_t* const edges = work_.edges.data();
    size_t fresh = 0;
    for (size_t i = 0; i + 1 < edges_; i += 2) {
      const uint32_t begin = edges[i] - 7, size = edges[i + 1] - begin;
      const uint32_t print = prints::print_of_short(text + begin, size);
      const uint64_t is_long = (uint64_t{kLongTokenBytes} - 1 - size) >> 63;
      work_.fresh[fresh] = {begin, size, print};
      fresh += static_cast<size_t>(is_fresh(print, is_long)) | static_cast<size_t>(is_long);
    }
    fresh_ = fresh;
  }

  void print_small() noexcept {
    for (size_t i = 0; i < small_; ++i) {
      const uint32_t size = work_.small_sizes[i], begin = work_.small_ends[i] - size;
      std::array<char, prints::kAround> copy;
      const char* p = text_.data() + begin;
      if (text_.size() - begin < copy.size()) {
        copy.fill('\n');
        std::memcpy(copy.data(), p, size);
        p = copy.data();
      }
      const uint32_t print = prints::print_of_small(p, size);
      work_.fresh[fresh_] = {begin, size, print};
      fresh_ += is_fresh(print, 0) ? 1 : 0;
    }
  }

  void take_fresh() {
    for (size_t i = 0; i < fresh_; ++i) {
      const TokenCollector::Fresh& one = work_.fresh[i];
      const char* const p = text_.data() + one.begin;
      if (one.size >= kBlobBytes) {
        odd_.blobs = true;
      } else if (one.size >= kLongTokenBytes) {
        prints::each_minimizer(p, one.size, [&](uint32_t print) { out_.insert(print); });
      } else if (!prints::is_fraction(p, one.size)) {
        out_.insert(one.print);
      }
    }
  }

  const std::string_view text_;
  const uint64_t serial_;
  Work& work_;
  TokenSet& out_;
  Oddities& odd_;
  size_t edges_ = 0, small_ = 0, fresh_ = 0;
};

}  // namespace
}  // namespace nines::collector
