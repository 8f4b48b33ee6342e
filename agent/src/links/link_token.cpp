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
#include "nines/base/bytes_text.hpp"

namespace nines::agent::links {
namespace {

constexpr char kBetween = '\x1f';
constexpr std::string_view kVersion = "2";
constexpr std::string_view kDomain = "nines-link-1\n";
constexpr size_t kFields = 10;
constexpr size_t kMacBytes = 32, kIdBytes = 16;

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
  const std::string text = base64_url_of(body);
  const std::string signature = mac(text);
  if (signature.empty()) return {};
  std::string token = text + "." + base64_url_of(signature);
  return token.size() <= kMaxToken ? token : std::string();
}

Signer::Opened Signer::open(std::string_view token, WallTime now) const {
  Opened out;
  const size_t dot = token.find('.');
  if (token.size() > kMaxToken || dot == std::string_view::npos) return out;
  const std::string_view text = token.substr(0, dot);
  const auto given = bytes_of_base64_url(token.substr(dot + 1));
  if (!given || given->size() != kMacBytes) return out;
  const std::string wanted = mac(text);
  if (wanted.size() != kMacBytes) return out;
  if (CRYPTO_memcmp(given->data(), wanted.data(), kMacBytes) != 0) return out;
  const auto body = bytes_of_base64_url(text);
  auto grant = body ? grant_of(*body) : std::nullopt;
  if (!grant) return out;
  out.ok = now < grant->expires;
  out.refusal = Refusal::expired;
  const std::string what = used_as(*grant);
  const std::string name = what.empty() ? wanted : mac(what);
  if (name.size() != kMacBytes) return {};
  out.read = {std::move(*grant), hex_of(std::string_view(name).substr(0, kIdBytes))};
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
