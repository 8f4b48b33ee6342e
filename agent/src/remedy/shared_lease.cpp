#include "remedy/shared_lease.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "nines/base/bytes_text.hpp"
#include "remedy/kube_call.hpp"

namespace nines::agent::remedy {
namespace {

namespace core = nines::remedy;
using nlohmann::json;

constexpr const char* kRecord = "nines.io/remedy";
constexpr size_t kMostAnnotation = 200 * 1024;  // all annotations of an object may have 256 KiB

Error lost(std::string why) { return {Errc::unavailable, std::move(why)}; }

std::string micro_time(WallTime at) {
  const std::string seconds = format_rfc3339({at.ns / kNsPerSecond * kNsPerSecond});
  return seconds.substr(0, seconds.size() - 1) + ".000000Z";
}

}  // namespace

SharedLease::SharedLease(Parts parts)
    : parts_(std::move(parts)), hand_(parts_.node, parts_.rules) {}

std::string SharedLease::path() const {
  return "/apis/coordination.k8s.io/v1/namespaces/" + parts_.ns + "/leases";
}

void SharedLease::read(std::function<void(Result<Bid>)> done) {
  if (busy_) return done(lost("the lease is being taken for another action"));
  busy_ = true;
  ApiCall call;
  call.path = path() + "/" + parts_.name;
  parts_.call(std::move(call),
              [this, done = std::move(done), alive = std::weak_ptr(alive_)](const Answer& answer) {
                if (alive.lock()) take(answer, done);
              });
}

void SharedLease::take(const Answer& answer, const std::function<void(Result<Bid>)>& done) {
  version_.clear();
  core::Lease seen;
  if (answer.status == 200) {
    const json object = json::parse(answer.text, nullptr, false);
    version_ = text_of(object, {"metadata", "resourceVersion"});
    const auto bytes = bytes_of_base64(text_of(object, {"metadata", "annotations", kRecord}));
    const auto lease = bytes ? core::decode_lease(*bytes) : std::nullopt;
    if (version_.empty() || !lease) {
      ++counters_.unreadable;
      busy_ = false;
      return done(lost("the Lease " + parts_.ns + "/" + parts_.name +
                       " is not one of Nines: delete it if nothing else uses it"));
    }
    seen = *lease;
  } else if (answer.status != 404) {
    ++counters_.unreadable;
    busy_ = false;
    const std::string status = answer.status == 0 ? answer.failure : std::to_string(answer.status);
    return done(lost("the lease cannot be read: " + status));
  }
  auto bid = bid_for(seen);
  if (!bid.ok()) busy_ = false;
  done(std::move(bid));
}

Result<SharedLease::Bid> SharedLease::bid_for(const core::Lease& seen) {
  const Instant now = parts_.mono();
  hand_.see(seen, now);
  const auto unreadable = [this](const std::string& why) {
    ++counters_.unreadable;
    return lost("the ledger of the lease has " + why);
  };
  Bid out;
  for (const std::string& bytes : seen.ledger) {
    auto event = core::decode_guard(bytes);
    // What cannot be read may be a limit that was reached.
    if (!event) return unreadable("an event of another version");
    if (!core::is_of_ledger(event->kind)) {
      return unreadable("an event that it must not have, '" +
                        std::string(guard_kind_name(event->kind)) + "': look who may write to it");
    }
    out.ledger.push_back(std::move(*event));
  }
  bid_ = hand_.bid(seen, now);
  if (!bid_) {
    ++counters_.others;
    return lost("the lease is held by " + seen.holder);
  }
  out.token = bid_->token;
  return out;
}

void SharedLease::write(const std::vector<core::GuardEvent>& ledger, std::function<void(bool)> done,
                        bool give_back) {
  NINES_ASSERT(busy_ && bid_);
  core::Lease lease = std::move(*std::exchange(bid_, std::nullopt));
  if (give_back) lease = hand_.given_back(lease);
  lease.ledger.clear();
  for (const core::GuardEvent& event : ledger) lease.ledger.push_back(encode_guard(event));
  const bool fits = lease.ledger.size() <= core::kMaxLedger &&
                    core::encode_lease(lease).size() <= kMostAnnotation / 4 * 3;
  if (!fits) {
    busy_ = false;
    ++counters_.lost;
    return done(false);
  }
  const Instant asked = parts_.mono();
  parts_.call(call_of(lease), [this, lease, asked, done = std::move(done),
                               alive = std::weak_ptr(alive_)](const Answer& answer) {
    if (alive.lock()) written(answer, lease, asked, done);
  });
}

ApiCall SharedLease::call_of(const core::Lease& lease) const {
  const std::string now = micro_time(parts_.wall());
  json object = {{"apiVersion", "coordination.k8s.io/v1"},
                 {"kind", "Lease"},
                 {"metadata",
                  {{"name", parts_.name},
                   {"namespace", parts_.ns},
                   {"annotations", {{kRecord, base64_of(core::encode_lease(lease))}}}}},
                 {"spec",
                  {{"leaseDurationSeconds", parts_.rules.ttl_ms / 1000},
                   {"renewTime", now},
                   {"leaseTransitions", lease.token}}}};
  // API servers refuse an empty one.
  if (!lease.holder.empty()) object["spec"]["holderIdentity"] = lease.holder;
  if (version_.empty()) return {"POST", path(), object.dump()};
  object["metadata"]["resourceVersion"] = version_;
  return {"PUT", path() + "/" + parts_.name, object.dump()};
}

void SharedLease::written(const Answer& answer, const core::Lease& lease, Instant asked,
                          const std::function<void(bool)>& done) {
  busy_ = false;
  const bool won = answer.status / 100 == 2;
  ++(won ? counters_.won : counters_.lost);
  if (won && !lease.holder.empty()) {
    hand_.won(lease, asked);
  } else {
    hand_.lost();
  }
  done(won);
}

}  // namespace nines::agent::remedy
