// OrderedConsumer: reads a stream of JetStream in order, from the beginning, then live. An
// ephemeral push consumer without acknowledgements, with flow control and heartbeats; a gap in its
// numbers or 15 s of silence make another one, which begins 5 minutes before the newest message
// seen: the broker may have lost what it had, and stored other messages under the same numbers.
#pragma once

#include <functional>
#include <string>

#include "nines/broker/bus.hpp"

namespace nines::broker {

struct Delivered {
  std::string_view subject, body;
  uint64_t sequence = 0;  // in the stream
  WallTime stored{};
};

class OrderedConsumer {
 public:
  using Take = std::function<void(const Delivered&)>;
  OrderedConsumer(std::string api, std::string stream, std::string filter);

  void start(Bus& bus, Participant& owner, Now now);
  // False: the message is not of its subscriptions.
  bool received(uint64_t sid, const BusMessage& message, Bus& bus, Participant& owner, Now now,
                const Take& take);
  void tick(Bus& bus, Participant& owner, Now now);
  void stop(Bus& bus);
  void lost();
  // Whether it cannot read without that.
  bool uses(const Denied& what) const;

  // All that there was when it was made has come.
  bool caught_up() const { return created_ && (delivered_ >= wanted_ || pending_ == 0); }
  uint64_t restarts() const { return restarts_; }
  const std::string& trouble() const { return trouble_; }  // why it does not read; empty: it does

 private:
  void restart(Bus& bus, Participant& owner, Now now);
  void on_created(const BusMessage& message, Now now);
  void on_control(const BusMessage& message, Bus& bus, Participant& owner, Now now);

  std::string api_, stream_, filter_, trouble_, name_, inbox_;
  uint64_t reply_sid_ = 0, sid_ = 0;
  bool created_ = false;
  uint64_t delivered_ = 0, wanted_ = 0, pending_ = 1, restarts_ = 0;
  WallTime newest_{};
  Instant heard_{}, retry_{};
};

}  // namespace nines::broker
