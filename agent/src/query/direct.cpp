#include "query/direct.hpp"

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "nines/peer/query_dialer.hpp"
#include "query/threads.hpp"

namespace nines::agent::query {
namespace {

constexpr size_t kAtOnce = 64;  // addresses that are asked at the same time
// A connection is kept for the query that follows, unless that would keep its node from others.
constexpr int64_t kKeepNs = 500 * kNsPerMs;

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

struct Address {
  std::string text, name;  // name: of nines.yaml, of which it is one address
  bool v6 = false;
  friend bool operator<(const Address& a, const Address& b) { return a.text < b.text; }
};

// "HOST:PORT" with each address that HOST has; itself, when that cannot be told.
std::vector<Address> addresses_of(const std::string& text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos) return {{text, text}};
  std::string host = text.substr(0, colon);
  const std::string port = text.substr(colon + 1);
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) return {{text, text}};
  const std::unique_ptr<addrinfo, FreeAddresses> list(found);
  std::vector<Address> out;
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    std::array<char, NI_MAXHOST> number{};
    if (::getnameinfo(at->ai_addr, at->ai_addrlen, number.data(), number.size(), nullptr, 0,
                      NI_NUMERICHOST) != 0) {
      continue;
    }
    const std::string address = number.data();
    const bool v6 = address.find(':') != std::string::npos;
    out.push_back({(v6 ? "[" + address + "]:" : address + ":") + port, text, v6});
  }
  return out.empty() ? std::vector<Address>{{text, text}} : out;
}

std::function<Result<std::unique_ptr<stream::ByteStream>>(Instant)> closed_way(Error why) {
  return [why = std::move(why)](Instant) -> Result<std::unique_ptr<stream::ByteStream>> {
    return why;
  };
}

}  // namespace

struct DirectNodes::Impl {
  Impl(const Clock& c, DirectSettings what) : clock(c), settings(std::move(what)) {}

  struct Found {
    std::string address;
    std::unique_ptr<stream::ByteStream> stream;  // for the first query; may be null
  };

  Status resolve();
  Status ask_all();
  void ask(size_t i);
  void forget_families();
  NodeLink link(const std::shared_ptr<Impl>& self, const std::string& node);
  Result<std::unique_ptr<stream::ByteStream>> open(const std::string& node, Instant deadline);
  bool stopped() const { return settings.stopped && settings.stopped(); }

  const Clock& clock;
  const DirectSettings settings;
  std::vector<Address> addresses;
  std::unique_ptr<peer::QueryDialer> dialer;

  std::mutex mutex;
  std::condition_variable changed;
  size_t next = 0, over = 0;
  bool keeping = true;
  std::map<std::string, Found> found;  // by node; its streams go before `dialer`
  std::map<Address, Error> silent;
  std::set<std::pair<std::string, bool>> families;  // by name, v6: somebody answered there
};

Status DirectNodes::Impl::resolve() {
  std::set<Address> all;
  for (const std::string& address : settings.addresses) {
    for (Address& one : addresses_of(address)) all.insert(std::move(one));
  }
  if (all.size() > kMostAddresses) {
    return Error{Errc::exhausted, std::to_string(all.size()) + " addresses of peers; at most " +
                                      std::to_string(kMostAddresses) + " are asked from here"};
  }
  addresses.assign(all.begin(), all.end());
  return Ok{};
}

void DirectNodes::Impl::ask(size_t i) {
  const Address& address = addresses[i];
  auto reached = dialer->reach(address.text, Instant{clock.mono().ns + settings.find_ns});
  const std::lock_guard lock(mutex);
  ++over;
  if (!reached.ok()) {
    silent.emplace(address, reached.error());
  } else {
    families.emplace(address.name, address.v6);
    if (!keeping) reached->stream.reset();
    found.try_emplace(reached->node, Found{address.text, std::move(reached->stream)});
  }
  changed.notify_all();
}

Status DirectNodes::Impl::ask_all() {
  std::vector<std::thread> threads;
  const auto work = [this] {
    for (;;) {
      size_t mine = 0;
      {
        const std::lock_guard lock(mutex);
        if (next == addresses.size() || stopped()) return;
        mine = next++;
      }
      ask(mine);
    }
  };
  add_threads(threads, std::min(kAtOnce, addresses.size()), work);
  if (threads.empty()) work();
  {
    std::unique_lock lock(mutex);
    changed.wait_for(lock, std::chrono::nanoseconds(kKeepNs),
                     [this] { return over == addresses.size(); });
    keeping = over == addresses.size();
    if (!keeping) {
      for (auto& [node, one] : found) one.stream.reset();
    }
  }
  for (std::thread& thread : threads) thread.join();
  return stopped() ? Status(Error{Errc::cancelled, "stopped"}) : Status(Ok{});
}

// A node that listens on one of IPv4 and IPv6 only is not missing at the other.
void DirectNodes::Impl::forget_families() {
  std::erase_if(silent, [this](const auto& one) {
    const Address& address = one.first;
    return families.contains({address.name, !address.v6}) &&
           !families.contains({address.name, address.v6});
  });
}

Result<std::unique_ptr<stream::ByteStream>> DirectNodes::Impl::open(const std::string& node,
                                                                    Instant deadline) {
  std::string address;
  {
    const std::lock_guard lock(mutex);
    Found& one = found.at(node);
    if (one.stream) return std::move(one.stream);
    address = one.address;
  }
  return dialer->open(address, node, deadline);
}

NodeLink DirectNodes::Impl::link(const std::shared_ptr<Impl>& self, const std::string& node) {
  return {node, [self, node](Instant deadline) { return self->open(node, deadline); }};
}

Result<DirectNodes> DirectNodes::find(const Clock& clock, DirectSettings settings) {
  DirectNodes out;
  out.impl_ = std::make_shared<Impl>(clock, std::move(settings));
  Impl& impl = *out.impl_;
  NINES_CHECK(impl.resolve());
  NINES_TRY(impl.dialer,
            peer::QueryDialer::create(clock, impl.settings.tls, impl.settings.stopped));
  NINES_CHECK(impl.ask_all());
  impl.forget_families();
  for (const std::string& node : impl.settings.deny) impl.found.erase(node);
  return out;
}

std::vector<NodeLink> DirectNodes::links(const std::vector<std::string>& wanted) const {
  std::vector<NodeLink> out;
  for (const auto& [node, one] : impl_->found) out.push_back(impl_->link(impl_, node));
  std::string silent;
  for (const auto& [address, why] : impl_->silent) silent += "; " + why.message;
  for (const auto& [address, why] : impl_->silent) {
    out.push_back({address.text, closed_way(why), true});
  }
  const std::set<std::string> names(wanted.begin(), wanted.end());
  for (const std::string& name : names) {
    const bool glob = name == "all" || name.find_first_of("*?[") != std::string::npos;
    if (glob || silent.empty() || impl_->found.contains(name)) continue;
    out.push_back({name, closed_way({Errc::unavailable,
                                     "none of those that answer has this name" + silent})});
  }
  std::sort(out.begin(), out.end(),
            [](const NodeLink& a, const NodeLink& b) { return a.node < b.node; });
  return out;
}

}  // namespace nines::agent::query
