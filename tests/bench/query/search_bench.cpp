// How fast lines are found, against memmem and ripgrep over the same file in the same run: CPU
// seconds (user and system) of one process each, the best of some rounds.
//
//   search_bench access.log app.jsonl [rounds]
//
// Ours reads by pread in blocks of 256 KiB. rg runs with -c -j1 --no-mmap, as nothing in it is then
// left to chance; a machine without rg gets no ratios.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "nines/query/search.hpp"

namespace {

using namespace nines;

double seconds(const rusage& usage) {
  const auto of = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

double cpu_now() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return seconds(usage);
}

// Whole lines of a file, a block at a time.
uint64_t over_blocks(const std::string& path,
                     const std::function<uint64_t(std::string_view)>& use) {
  constexpr size_t kBlock = 256 * 1024;
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    std::perror(path.c_str());
    std::exit(1);
  }
  std::vector<char> buffer(kBlock);
  size_t kept = 0;
  off_t at = 0;
  uint64_t result = 0;
  for (;;) {
    if (kept == buffer.size()) buffer.resize(2 * buffer.size());
    const ssize_t got = pread(fd, buffer.data() + kept, buffer.size() - kept, at);
    if (got <= 0) break;
    at += got;
    const size_t size = kept + static_cast<size_t>(got);
    const void* last = memrchr(buffer.data(), '\n', size);
    const size_t whole =
        last == nullptr ? 0
                        : static_cast<size_t>(static_cast<const char*>(last) - buffer.data()) + 1;
    if (whole > 0) result += use({buffer.data(), whole});
    kept = size - whole;
    std::memmove(buffer.data(), buffer.data() + whole, kept);
  }
  if (kept > 0) result += use({buffer.data(), kept});
  close(fd);
  return result;
}

struct Run {
  double cpu_s = 1e9;
  uint64_t count = 0;
};

Run best_of(int rounds, const std::function<uint64_t()>& once) {
  Run run;
  for (int i = 0; i < rounds; ++i) {
    const double began = cpu_now();
    run.count = once();
    run.cpu_s = std::min(run.cpu_s, cpu_now() - began);
  }
  return run;
}

Run ours(const std::string& path, const std::string& where, int rounds) {
  const auto parsed = expr::Expression::parse(where);
  if (!parsed.ok()) {
    std::fprintf(stderr, "%s: %s\n", where.c_str(), parsed.error().message.c_str());
    std::exit(1);
  }
  query::RecordShape shape;
  shape.max_record_bytes = 256 * 1024;
  return best_of(rounds, [&] {
    query::LineFinder finder(&*parsed, shape);
    return over_blocks(path, [&](std::string_view block) { return finder.count(block); });
  });
}

Run by_memmem(const std::string& path, const std::string& literal, int rounds) {
  return best_of(rounds, [&] {
    return over_blocks(path, [&](std::string_view block) {
      uint64_t lines = 0;
      const char* p = block.data();
      const char* const end = p + block.size();
      while (p < end) {
        const void* hit = memmem(p, static_cast<size_t>(end - p), literal.data(), literal.size());
        if (hit == nullptr) break;
        ++lines;
        const char* from = static_cast<const char*>(hit);
        const void* nl = std::memchr(from, '\n', static_cast<size_t>(end - from));
        p = nl == nullptr ? end : static_cast<const char*>(nl) + 1;
      }
      return lines;
    });
  });
}

// No rg: a count of 0 in 1e9 seconds.
Run by_rg(const std::string& path, const std::vector<std::string>& arguments, int rounds) {
  Run run;
  for (int i = 0; i < rounds; ++i) {
    int out[2];
    if (pipe(out) != 0) return run;
    const pid_t child = fork();
    if (child == 0) {
      dup2(out[1], 1);
      close(out[0]);
      std::vector<std::string> words = {"rg", "-c", "-j1", "--no-mmap"};
      words.insert(words.end(), arguments.begin(), arguments.end());
      words.push_back(path);
      std::vector<char*> argv;
      for (std::string& word : words) argv.push_back(word.data());
      argv.push_back(nullptr);
      execvp("rg", argv.data());
      _exit(127);
    }
    close(out[1]);
    char text[64] = {};
    const ssize_t size = read(out[0], text, sizeof text - 1);
    close(out[0]);
    int status = 0;
    rusage usage{};
    wait4(child, &status, 0, &usage);
    if (WEXITSTATUS(status) > 1 || size < 0) return run;
    run.count = std::strtoull(text, nullptr, 10);
    run.cpu_s = std::min(run.cpu_s, seconds(usage));
  }
  return run;
}

struct Case {
  const char* name;
  bool access;  // which file
  std::string where;
  std::vector<std::string> rg;
  std::string memmem;  // where one literal is all
};

std::vector<Case> cases() {
  const std::string r1 = R"((timeout after|connection refused:) [0-9.:]+)";
  const std::string r2 =
      R"re("(POST|PUT) /api/v1/(orders|cart)/?[^ ]* HTTP/[12]\.[0-9]" 5[0-9][0-9] [0-9]+)re";
  const std::vector<std::string> words = {
      "panic:",        "fatal error",   "deadline exceeded", "broken pipe",
      "no space left", "out of memory", "permission denied", "timeout after"};
  std::string any, any_sql;
  for (const std::string& word : words) {
    any += (any.empty() ? "" : "|") + word;
    any_sql += (any_sql.empty() ? "" : " OR ") + ("contains(raw, '" + word + "')");
  }
  std::string twenty, twenty_sql;
  for (int i = 0; i < 20; ++i) {
    const std::string one = "code=[0-9]+ step" + std::to_string(i) + " (failed|aborted)";
    twenty += (twenty.empty() ? "" : "|") + one;
    twenty_sql += (twenty_sql.empty() ? "" : " OR ") + ("raw ~ '" + one + "'");
  }
  return {
      {"literal, rare",
       true,
       "contains(raw, 'needle-in-haystack')",
       {"-F", "needle-in-haystack"},
       "needle-in-haystack"},
      {"literal, absent",
       false,
       "contains(raw, 'kernel panic')",
       {"-F", "kernel panic"},
       "kernel panic"},
      {"literal, either case",
       false,
       "raw LIKE '%timeout after%'",
       {"-i", "-F", "timeout after"},
       ""},
      {"8 literals", false, any_sql, {any}, ""},
      {"R1", false, "raw ~ '" + r1 + "'", {r1}, ""},
      {"R2", true, "raw ~ '" + r2 + "'", {r2}, ""},
      {"regex, no literal",
       true,
       "raw ~ '[0-9]{5} \"-\" \"[a-z]+-[a-z]+/'",
       {R"([0-9]{5} "-" "[a-z]+-[a-z]+/)"},
       ""},
      {"20 regexes", false, twenty_sql, {twenty}, ""},
  };
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fputs("usage: search_bench access.log app.jsonl [rounds]\n", stderr);
    return 2;
  }
  const int rounds = argc > 3 ? std::max(1, std::atoi(argv[3])) : 5;
  std::printf("%-22s %10s %9s %9s %9s %8s\n", "", "lines", "MB/s", "rg MB/s", "memmem", "x rg");
  bool alike = true;
  for (const Case& c : cases()) {
    const std::string path = argv[c.access ? 1 : 2];
    struct stat info {};
    if (stat(path.c_str(), &info) != 0) {
      std::perror(path.c_str());
      return 1;
    }
    const double megabytes = static_cast<double>(info.st_size) / 1e6;
    const Run we = ours(path, c.where, rounds);
    const Run rg = by_rg(path, c.rg, rounds);
    const Run mem = c.memmem.empty() ? Run{} : by_memmem(path, c.memmem, rounds);
    std::printf("%-22s %10llu %9.0f %9.0f %9.0f %8.2f\n", c.name,
                static_cast<unsigned long long>(we.count), megabytes / we.cpu_s,
                megabytes / rg.cpu_s, megabytes / mem.cpu_s,
                rg.cpu_s < 1e8 ? rg.cpu_s / we.cpu_s : 0);
    if (rg.cpu_s < 1e8 && rg.count != we.count) {
      std::printf("  rg counts %llu\n", static_cast<unsigned long long>(rg.count));
      alike = false;
    }
  }
  return alike ? 0 : 1;
}
