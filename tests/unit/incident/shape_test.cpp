// Shapes of messages: what they leave out, and that a kept skeleton is the one that would be read.
#include "incident/shape.hpp"

#include <catch2/catch.hpp>
#include <random>
#include <set>
#include <string>

#include "incident/skeleton.hpp"

namespace nines::incident {
namespace {

std::vector<uint64_t> words_of(const std::string& message) {
  Skeleton skeleton;
  read_skeleton(message, skeleton);
  std::vector<uint64_t> words;
  for (size_t i = 0; i < skeleton.count; ++i) words.push_back(skeleton.words[i].hash);
  return words;
}

}  // namespace

TEST_CASE("Each byte that is a digit becomes 0, and no other byte is touched") {
  for (unsigned byte = 0; byte < 256; ++byte) {
    const bool digit = byte >= '0' && byte <= '9';
    for (int place = 0; place < 8; ++place) {
      const uint64_t rest = 0xffff39ff00ff3a2fULL & ~(uint64_t{0xff} << (8 * place));
      const uint64_t bytes = rest | uint64_t{byte} << (8 * place);
      const uint64_t expected = rest | uint64_t{digit ? '0' : byte} << (8 * place);
      // One more digit is in `rest`, unless it is the byte in question.
      const uint64_t other = place == 5 ? 0 : uint64_t{'9' ^ '0'} << 40;
      CHECK(without_digits(bytes) == (expected ^ other));
    }
  }
}

TEST_CASE("Messages that differ in their digits alone have one shape and one skeleton") {
  constexpr std::string_view kBytes = "0123456789abfgxyzAFGZ .:=/-_@(,ms\xc3\xa9\t";
  std::mt19937 chance(3);
  for (int i = 0; i < 20'000; ++i) {
    std::string one;
    for (auto size = chance() % 60; size > 0; --size) one += kBytes[chance() % kBytes.size()];
    std::string two = one;
    for (char& c : two) {
      if (c >= '0' && c <= '9') c = static_cast<char>('0' + chance() % 10);
    }
    INFO(one << " | " << two);
    REQUIRE(shape_of(one) == shape_of(two));
    REQUIRE(words_of(one) == words_of(two));
  }
}

TEST_CASE("Messages that differ in any other byte, or in length, have other shapes") {
  for (size_t size = 1; size < 70; ++size) {
    const std::string message(size, 'x');
    std::set<uint64_t> shapes{shape_of(message), shape_of(message + '\0'), shape_of(message + "x")};
    for (size_t place = 0; place < size; ++place) {
      for (const char c : {'y', '/', ':', '0'}) {
        std::string other = message;
        other[place] = c;
        shapes.insert(shape_of(other));
      }
    }
    CHECK(shapes.size() == 3 + 4 * size);
  }
}

TEST_CASE("No two of many messages that differ in several places have one shape") {
  std::set<std::string> messages;
  std::mt19937 chance(5);
  // Few bytes at few places, so that differences could cancel each other out.
  while (messages.size() < 200'000) {
    std::string message(8 + chance() % 40, 'x');
    for (int i = 0; i < 4; ++i) message[chance() % message.size()] = "abyzAB/:"[chance() % 8];
    messages.insert(message);
  }
  std::set<uint64_t> shapes;
  for (const std::string& message : messages) shapes.insert(shape_of(message));
  CHECK(shapes.size() == messages.size());
}

}  // namespace nines::incident
