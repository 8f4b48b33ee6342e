#include <catch2/catch.hpp>
#include <msgpack.hpp>

#include "peer/messages.hpp"

using namespace nines;
using namespace nines::peer;

namespace {

std::vector<Message> one_of_each() {
  using fleet::PartKind;
  const fleet::PartKey hours{PartKind::hours, 0xFEDCBA9876543210, 0, -20'000};
  return {Hello{"shop", "edge-1", 7, 99, 1, 3, 5, WallTime{-5}},
          Welcome{1ULL << 40, 3},
          Ping{-1, -250'000'000, 1'000'000, 77},
          Pong{1, 2, 3, 4},
          Ask{8, "edge-2", {1, 2, 3}},
          OriginDigests{9, {{"edge-1", WallTime{1}, 2}, {"edge-2", WallTime{3}, 4}}},
          PartDigests{10, "edge-1", {{hours, 5}, {{PartKind::info}, 6}}},
          Want{11, "edge-1", {hours}},
          Parts{12, false, "edge-1", {{hours, std::string("\0\xFF body", 7)}}},
          Probe{"edge-3"},
          Seen{"edge-3", -1},
          Bye{Bye::Reason::cloned, "another node has this name"}};
}

std::optional<Frame> only_frame(const std::string& bytes) {
  FrameDecoder decoder;
  decoder.feed(bytes);
  auto frame = decoder.next();
  return frame.ok() ? *frame : std::nullopt;
}

}  // namespace

TEST_CASE("Every message comes back as it was sent, whatever the pieces", "[peer]") {
  std::string wire;
  for (const auto& message : one_of_each()) wire += encode(message);
  for (const size_t piece : {1, 2, 3, 11, 12, 13, 50, 100'000}) {
    FrameDecoder decoder;
    size_t n = 0;
    for (size_t at = 0; at < wire.size(); at += piece) {
      decoder.feed(std::string_view(wire).substr(at, piece));
      for (auto frame = decoder.next();; frame = decoder.next()) {
        REQUIRE(frame.ok());
        if (!*frame) break;
        const auto message = decode(**frame);
        REQUIRE(message.ok());
        CHECK(encode(*message) == encode(one_of_each()[n++]));
      }
    }
    CHECK(n == one_of_each().size());
    CHECK(decoder.buffered() == 0);
  }
}

TEST_CASE("Bodies are msgpack that others can read", "[peer]") {
  const auto frame = only_frame(encode(Message(Ask{8, "edge-2", {1, 2, 300}})));
  REQUIRE(frame);
  const auto handle = msgpack::unpack(frame->body.data(), frame->body.size());
  const auto fields = handle.get().as<std::tuple<uint64_t, std::string, std::vector<uint64_t>>>();
  CHECK(std::get<1>(fields) == "edge-2");
  CHECK(std::get<2>(fields) == std::vector<uint64_t>{1, 2, 300});
}

TEST_CASE("Large bodies are packed, and a bomb is refused before it goes off", "[peer]") {
  Parts parts{1, true, "edge-1", {{{fleet::PartKind::hours, 1, 0, 1}, std::string(500'000, 'x')}}};
  const auto wire = encode(Message(parts));
  CHECK(wire.size() < 5'000);
  FrameDecoder decoder;
  decoder.feed(wire);
  CHECK_FALSE(decoder.next().ok());  // before the hello at most 4 KiB, unpacked
  FrameDecoder later;
  later.set_limit(kMaxBody);
  later.feed(wire);
  const auto frame = later.next();
  REQUIRE(frame.ok());
  REQUIRE(*frame);
  CHECK((*frame)->body.size() > 500'000);
}

TEST_CASE("A broken frame ends the stream, whatever follows", "[peer]") {
  const auto good = encode(Message(Welcome{5, 6}));
  for (size_t i = 0; i < good.size(); ++i) {
    auto bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x41);
    FrameDecoder decoder;
    decoder.feed(bad);
    auto frame = decoder.next();
    const bool waits = frame.ok() && !*frame;  // a longer length
    CHECK((!frame.ok() || waits));
    if (waits) continue;
    decoder.feed(good);
    CHECK_FALSE(decoder.next().ok());
    CHECK(decoder.buffered() == 0);
  }
}

TEST_CASE("A length beyond the limit is refused by its first four bytes", "[peer]") {
  FrameDecoder decoder;
  decoder.feed(std::string("\x7F\xFF\xFF\xFF", 4));
  const auto frame = decoder.next();
  REQUIRE_FALSE(frame.ok());
  CHECK(frame.error().message.find("at most 4104") != std::string::npos);
}

TEST_CASE("Messages with a list beyond its limit or bytes behind their end are corrupt", "[peer]") {
  auto frame = *only_frame(encode(Message(Welcome{5, 6})));
  frame.body += '\0';
  CHECK_FALSE(decode(frame).ok());
  CHECK_FALSE(decode(Frame{200, frame.body}).ok());
  Ask ask{1, "a", std::vector<uint64_t>(kMaxSeries + 1, 3)};
  CHECK_FALSE(decode(*only_frame(encode(Message(ask)))).ok());
  ask.series.pop_back();
  CHECK(decode(*only_frame(encode(Message(ask)))).ok());
}
