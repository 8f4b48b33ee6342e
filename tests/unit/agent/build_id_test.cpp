#include "query/build_id.hpp"

#include <catch2/catch.hpp>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <string>

#include "query/ssh.hpp"
#include "tail_fixture.hpp"

namespace nines::agent::query {
namespace {

template <class T>
std::string bytes_of(const T& record) {
  return {reinterpret_cast<const char*>(&record), sizeof record};
}

std::string note(uint32_t type, const std::string& name, const std::string& content) {
  const uint32_t head[] = {static_cast<uint32_t>(name.size()),
                           static_cast<uint32_t>(content.size()), type};
  std::string out = bytes_of(head) + name;
  out.resize((out.size() + 3) / 4 * 4);
  out += content;
  out.resize((out.size() + 3) / 4 * 4);
  return out;
}

// A program of 64 bits whose second segment is `notes`.
std::string program(const std::string& notes) {
  struct {
    unsigned char ident[16] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
    uint16_t type = 3, machine = 62;
    uint32_t version = 1;
    uint64_t entry = 0, segments = 64, sections = 0;
    uint32_t flags = 0;
    uint16_t size = 64, segment_size = 56, segment_count = 2;
    uint16_t others[3] = {};
  } file;
  struct {
    uint32_t type = 1, flags = 0;
    uint64_t offset = 0, address = 0, physical = 0, size = 0, memory = 0, align = 4;
  } code, noted;
  static_assert(sizeof file == 64 && sizeof code == 56);
  noted.type = 4;
  noted.offset = 64 + 2 * 56;
  noted.size = notes.size();
  return bytes_of(file) + bytes_of(code) + bytes_of(noted) + notes;
}

const std::string kGnu{"GNU\0", 4};
const std::string kId("\x2c\xb7\xd9\xf5\x5e\x53\x51\x1f\xd4\x75", 10);
constexpr const char* kIdText = "2cb7d9f55e53511fd475";

std::string directory_of(const std::string& content) {
  const collector::testing::TempDir folder;
  const std::string path = folder / "program";
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
  SshSettings settings;
  settings.binary = path;
  REQUIRE(prepare_ssh(settings).ok());
  CHECK(settings.binary_bytes == content.size());
  return settings.directory;
}

TEST_CASE("A program is known by the build id among its notes") {
  CHECK(build_id(program(note(1, kGnu, "abi tag.....") + note(3, kGnu, kId))) == kIdText);
}

TEST_CASE("Notes of others, without an id or of no sensible length are passed over") {
  CHECK(build_id(program("")).empty());
  CHECK(build_id(program(note(3, std::string("ELF\0", 4), kId))).empty());
  CHECK(build_id(program(note(3, kGnu, "short"))).empty());
  CHECK(build_id(program(note(3, kGnu, std::string(33, 'x')))).empty());
}

TEST_CASE("What is no program, or ends early anywhere, has no build id and is read within bounds") {
  CHECK(build_id("#!/bin/sh\nexit 0\n").empty());
  const std::string whole = program(note(3, kGnu, kId));
  // The last two bytes only pad.
  for (size_t size = 0; size + 2 < whole.size(); ++size) {
    CHECK(build_id(std::string(whole.data(), size)).empty());
  }
  std::string far = whole;
  const uint64_t offset = UINT64_MAX - 8;
  std::memcpy(far.data() + 64 + 56 + 8, &offset, sizeof offset);
  CHECK(build_id(far).empty());
}

TEST_CASE("A copy for ssh is named after the build id, and after its bytes where there is none") {
  CHECK(directory_of(program(note(3, kGnu, kId))).find(kIdText) != std::string::npos);
  const std::string one = directory_of("#!/bin/sh\nexit 1\n");
  CHECK(one == directory_of("#!/bin/sh\nexit 1\n"));
  CHECK(one != directory_of("#!/bin/sh\nexit 2\n"));
}

TEST_CASE("A program that cannot be read cannot be copied") {
  SshSettings settings;
  settings.binary = "no such/program";
  const Status done = prepare_ssh(settings);
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().message.find("no such/program") != std::string::npos);
}

}  // namespace
}  // namespace nines::agent::query
