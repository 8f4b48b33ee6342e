#include "nines/log/docker.hpp"

#include "log_test_support.hpp"

using namespace nines;
using namespace nines::log;

namespace {

// "stream ts [partial] content", or "none".
std::string docker(std::string_view line) {
  DockerLine out;
  if (!parse_docker(line, out)) return "none";
  std::string scratch;
  const std::string content(docker_content(out, scratch));
  return std::string(out.stream == CriStream::err ? "err " : "out ") + format_rfc3339(out.ts) +
         (out.partial ? " partial '" : " '") + content + "'";
}

constexpr const char* kTail = R"(","stream":"stdout","time":"2026-11-21T01:35:51.262484239Z"})";
std::string wrapped(const std::string& log) { return R"({"log":")" + log + kTail; }

}  // namespace

TEST_CASE("Docker lines give stream, time and what the container wrote", "[log]") {
  CHECK(docker(wrapped(R"(hello\n)")) == "out 2026-11-21T01:35:51.262484239Z 'hello'");
  CHECK(docker(R"({"log":"{\"level\":\"info\"}\n","stream":"stderr","attrs":{"a":"b"},)"
               R"("time":"2026-11-21T01:35:51Z"})") ==
        R"(err 2026-11-21T01:35:51Z '{"level":"info"}')");
  CHECK(docker(R"( { "time":"2026-11-21T01:35:51Z" })") == "none");
  CHECK(docker(wrapped(R"(\u003ca\u003e \u0026 \ud83d\ude00\r\n)") + " \r") ==
        "out 2026-11-21T01:35:51.262484239Z '<a> & \xF0\x9F\x98\x80'");
  CHECK(docker(wrapped(R"(\n)")) == "out 2026-11-21T01:35:51.262484239Z ''");
}

TEST_CASE("A docker piece without a line end at its end is partial", "[log]") {
  CHECK(docker(wrapped("half")) == "out 2026-11-21T01:35:51.262484239Z partial 'half'");
  CHECK(docker(wrapped("")) == "out 2026-11-21T01:35:51.262484239Z partial ''");
  CHECK(docker(wrapped(R"(C:\\n)")) == R"(out 2026-11-21T01:35:51.262484239Z partial 'C:\n')");
  CHECK(docker(wrapped(R"(C:\\\n)")) == R"(out 2026-11-21T01:35:51.262484239Z 'C:\')");
  CHECK(docker(wrapped("n")) == "out 2026-11-21T01:35:51.262484239Z partial 'n'");
}

TEST_CASE("What is not docker's own envelope is left alone", "[log]") {
  for (const std::string& line :
       {std::string(R"({"log":"x\n","stream":"stdout"})"),
        std::string(R"({"log":"x\n","time":"2026-11-21T01:35:51Z"})"),
        std::string(R"({"stream":"stdout","time":"2026-11-21T01:35:51Z"})"),
        std::string(R"({"log":"x\n","stream":"both","time":"2026-11-21T01:35:51Z"})"),
        std::string(R"({"log":"x\n","stream":"stdout","time":"yesterday"})"),
        std::string(R"({"log":"x","log":"y","stream":"stdout","time":"2026-11-21T01:35:51Z"})"),
        std::string(R"({"log":1,"stream":"stdout","time":"2026-11-21T01:35:51Z"})"),
        std::string(R"({"log":"x\n","stream":"stdout","time":"2026-11-21T01:35:51Z","k":1})"),
        wrapped("x").substr(0, 60), wrapped("x") + "}", "x" + wrapped("x"), std::string("{}"),
        std::string()}) {
    CAPTURE(line);
    CHECK(docker(line) == "none");
  }
}
