// Links by which a person acts without the API token: what one allows, signed. A link acknowledges
// one incident or approves one action, for whoever got it from one notifier, until it expires.
//
//   TOKEN = base64url(fields) "." base64url(HMAC-SHA256(key, "nines-link-1\n" base64url(fields)))
//
// The key never leaves the state directory. Every byte of a token is hostile until its signature
// was compared, in a time that does not depend on where it differs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "nines/base/result.hpp"
#include "nines/base/time.hpp"

namespace nines::agent::links {

enum class Purpose : uint8_t { acknowledge, approve };

struct Grant {
  Purpose purpose = Purpose::acknowledge;
  std::string incident;
  std::string notifier;  // whom it was sent by
  std::string event;     // of which page, "BOOT/SEQUENCE": links of two pages are two
  WallTime expires{};    // whole seconds
  int reopens = 0;       // of the incident then: what comes back is to be looked at anew
  // Of an approval: this action of this rule on this target, and nothing else.
  std::string rule, target, action;
  friend bool operator==(const Grant&, const Grant&) = default;
};

enum class Refusal : uint8_t { forged, expired };

class Signer {
 public:
  static constexpr size_t kMaxToken = 2048;
  static constexpr size_t kLeastKey = 32;  // bytes

  explicit Signer(std::string key) : key_(std::move(key)) {}

  // Empty: it cannot be put into a link (a field with a control character, too long).
  std::string sign(const Grant& grant) const;

  struct Read {
    Grant grant;
    // 32 hex digits; the same for the same link, and for all links that approve the same act of one
    // page.
    std::string id;
  };
  struct Opened {
    bool ok = false;
    Refusal refusal = Refusal::forged;
    Read read;  // where it is ok, or expired
  };
  Opened open(std::string_view token, WallTime now) const;

 private:
  std::string mac(std::string_view body) const;  // 32 bytes

  std::string key_;
};

// The key of this agent, made once: state_directory/link.key, 0600. Where it cannot be written it
// is one of this life only (`unkept`, may be null): links of before do not work then.
Result<std::string> provide_link_key(const std::string& state_directory, bool* unkept = nullptr);

}  // namespace nines::agent::links
