// A node that can be asked in two ways.
#include "app/node_ways.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using namespace nines;
using namespace nines::agent;

namespace {

struct StandingClock : Clock {
  Instant mono() const noexcept override { return {1000}; }
  WallTime wall() const noexcept override { return {}; }
};
const StandingClock kClock;

class Named final : public stream::ByteStream {
 public:
  explicit Named(std::string name) : name_(std::move(name)) {}
  Result<size_t> read(std::span<char>, Instant) override { return size_t{0}; }
  Status write(std::string_view, Instant) override { return Ok{}; }
  void close() override {}
  Traffic traffic() const override { return {}; }
  std::string where() const override { return name_; }

 private:
  std::string name_;
};

// A way that opens, or that says why not; notes when it was tried and until when it may take.
struct Way {
  std::string name;
  bool open = true;
  std::vector<int64_t> deadlines{};
  OpenNode as_open() {
    return [this](Instant deadline) -> Result<std::unique_ptr<stream::ByteStream>> {
      deadlines.push_back(deadline.ns);
      if (!open) return Error{Errc::unavailable, name + " is closed"};
      return std::unique_ptr<stream::ByteStream>(std::make_unique<Named>(name));
    };
  }
};

}  // namespace

TEST_CASE("a node is asked the other way when the first is closed, within the time that is left") {
  Way peers{"peers", false}, nats{"nats"};
  const OpenNode open = either_way(kClock, peers.as_open(), nats.as_open());
  const auto stream = open({3000});
  REQUIRE(stream.ok());
  CHECK((*stream)->where() == "nats");
  CHECK(peers.deadlines == std::vector<int64_t>{2000});
  CHECK(nats.deadlines == std::vector<int64_t>{3000});
}

TEST_CASE("who asks a node again, since a connection came to nothing, gets the other way first") {
  Way peers{"peers"}, nats{"nats"};
  const OpenNode open = either_way(kClock, peers.as_open(), nats.as_open());
  CHECK((*open({3000}))->where() == "peers");
  CHECK((*open({3000}))->where() == "nats");
  CHECK(peers.deadlines.size() == 1);
  CHECK(nats.deadlines.size() == 1);
}

TEST_CASE("a node that no way leads to is told with the reasons of both") {
  Way peers{"peers", false}, nats{"nats", false};
  const auto stream = either_way(kClock, peers.as_open(), nats.as_open())({3000});
  REQUIRE_FALSE(stream.ok());
  CHECK(stream.error().code == Errc::unavailable);
  CHECK(stream.error().message == "peers is closed; nats is closed");
}
