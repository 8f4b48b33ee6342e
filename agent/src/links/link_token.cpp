#include "links/link_token.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/stat.h>

#include <array>
#include <charconv>
#include <optional>
#include <vector>

#include "app/log.hpp"
#include "app/token.hpp"

namespace nines::agent::links {
namespace {

constexpr char kBetween = '\x1f';
constexpr std::string_view kVersion = "2";
constexpr std::string_view kDomain = "nines-link-1\n";
constexpr size_t kFields = 10;
constexpr size_t kMacBytes = 32, kIdBytes = 16;
constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string to_base64url(std::string_view bytes) {
  std::string out;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : bytes) {
    bits = (bits << 8) | static_cast<unsigned char>(c);
    for (count += 8; count >= 6; count -= 6) out += kDigits[(bits >> (count - 6)) & 63];
  }
  if (count > 0) out += kDigits[(bits << (6 - count)) & 63];
  return out;
}

// nullopt: there is another way to write the same bytes, or none.
std::optional<std::string> from_base64url(std::string_view text) {
  std::string out;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const size_t digit = std::string_view(kDigits, 64).find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = (bits << 6) | static_cast<uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>((bits >> count) & 0xFF);
  }
  if (to_base64url(out) != text) return std::nullopt;
  return out;
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> out;
  for (;;) {
    const size_t end = text.find(kBetween);
    out.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 1);
  }
}

bool fits(std::string_view field) {
  for (const char c : field) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return false;
  }
  return true;
}

std::optional<Grant> grant_of(const std::string& body) {
  const std::vector<std::string> fields = split(body);
  if (fields.size() != kFields || fields[0] != kVersion) return std::nullopt;
  Grant out;
  if (fields[1] != "ack" && fields[1] != "approve") return std::nullopt;
  out.purpose = fields[1] == "ack" ? Purpose::acknowledge : Purpose::approve;
  out.incident = fields[2];
  out.notifier = fields[3];
  out.event = fields[4];
  const std::string& time = fields[5];
  int64_t seconds = 0;
  const auto [end, error] = std::from_chars(time.data(), time.data() + time.size(), seconds);
  constexpr int64_t kLast = INT64_MAX / kNsPerSecond;
  if (error != std::errc() || end != time.data() + time.size() || seconds < 0 || seconds > kLast) {
    return std::nullopt;
  }
  out.expires = {seconds * kNsPerSecond};
  out.rule = fields[6];
  out.target = fields[7];
  out.action = fields[8];
  const std::string& reopens = fields[9];
  const auto [last, wrong] =
      std::from_chars(reopens.data(), reopens.data() + reopens.size(), out.reopens);
  if (wrong != std::errc() || last != reopens.data() + reopens.size()) return std::nullopt;
  return out;
}

// What is approved is approved once, whoever of those that got the page does it. Empty: each link
// stands for itself.
std::string used_as(const Grant& grant) {
  if (grant.purpose != Purpose::approve) return {};
  std::string out = "use";
  for (const std::string* field :
       {&grant.incident, &grant.event, &grant.rule, &grant.target, &grant.action}) {
    out += kBetween;
    out += *field;
  }
  return out;
}

std::string hex(std::string_view bytes) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out += kHex[static_cast<unsigned char>(c) >> 4];
    out += kHex[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

}  // namespace

std::string Signer::mac(std::string_view body) const {
  const std::string text = std::string(kDomain) + std::string(body);
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned int size = 0;
  const auto* const done =
      HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), out.data(), &size);
  if (done == nullptr || size != kMacBytes) return {};
  return {reinterpret_cast<const char*>(out.data()), kMacBytes};
}

std::string Signer::sign(const Grant& grant) const {
  std::string body(kVersion);
  const auto add = [&](std::string_view field) {
    body += kBetween;
    body += field;
  };
  for (const std::string* field : {&grant.incident, &grant.notifier, &grant.event, &grant.rule,
                                   &grant.target, &grant.action}) {
    if (!fits(*field)) return {};
  }
  add(grant.purpose == Purpose::acknowledge ? "ack" : "approve");
  add(grant.incident);
  add(grant.notifier);
  add(grant.event);
  add(std::to_string(grant.expires.ns / kNsPerSecond));
  add(grant.rule);
  add(grant.target);
  add(grant.action);
  add(std::to_string(grant.reopens));
  const std::string text = to_base64url(body);
  const std::string signature = mac(text);
  if (signature.empty()) return {};
  std::string token = text + "." + to_base64url(signature);
  return token.size() <= kMaxToken ? token : std::string();
}

Signer::Opened Signer::open(std::string_view token, WallTime now) const {
  Opened out;
  const size_t dot = token.find('.');
  if (token.size() > kMaxToken || dot == std::string_view::npos) return out;
  const std::string_view text = token.substr(0, dot);
  const auto given = from_base64url(token.substr(dot + 1));
  if (!given || given->size() != kMacBytes) return out;
  const std::string wanted = mac(text);
  if (wanted.size() != kMacBytes) return out;
  if (CRYPTO_memcmp(given->data(), wanted.data(), kMacBytes) != 0) return out;
  const auto body = from_base64url(text);
  auto grant = body ? grant_of(*body) : std::nullopt;
  if (!grant) return out;
  out.ok = now < grant->expires;
  out.refusal = Refusal::expired;
  const std::string what = used_as(*grant);
  const std::string name = what.empty() ? wanted : mac(what);
  if (name.size() != kMacBytes) return {};
  out.read = {std::move(*grant), hex(std::string_view(name).substr(0, kIdBytes))};
  return out;
}

Result<std::string> provide_link_key(const std::string& state_directory, bool* unkept) {
  const std::string path = state_directory + "/link.key";
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) {
    const auto kept = read_token(path);
    const bool others = (status.st_mode & (S_IRWXG | S_IRWXO)) != 0;
    if (kept.ok() && kept->size() >= Signer::kLeastKey && !others) return *kept;
    log::warn("links", path + (others ? " could be read by others" : " is damaged") +
                           " and is made anew: links that were sent do not work any more");
  }
  NINES_TRY(std::string key, random_token());
  const Status written = keep_token(path, key);
  if (unkept != nullptr) *unkept = !written.ok();
  if (!written.ok()) {
    log::warn("links", written.error().message + "; links will not outlive this run");
  }
  return key;
}

}  // namespace nines::agent::links
