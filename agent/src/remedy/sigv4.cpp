#include "remedy/sigv4.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "nines/base/bytes_text.hpp"

namespace nines::agent::remedy {
namespace {

std::string sha256(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
  return {digest.begin(), digest.begin() + size};
}

std::string hmac(std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &size);
  return {digest.begin(), digest.begin() + size};
}

// "20150830T123600Z"
std::string stamp_of(WallTime now) {
  std::string out;
  for (const char c : format_rfc3339({now.ns / kNsPerSecond * kNsPerSecond})) {
    if (c != '-' && c != ':') out += c;
  }
  return out;
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

// Runs of blanks are one, none at the ends.
std::string trimmed(const std::string& value) {
  std::string out;
  for (const char c : value) {
    const bool blank = c == ' ' || c == '\t';
    if (blank && (out.empty() || out.back() == ' ')) continue;
    out += blank ? ' ' : c;
  }
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

// Of services other than S3 the path is encoded a second time.
std::string encoded_path(std::string_view path) {
  std::string out;
  for (const char c : path) {
    if (c == '%') {
      out += "%25";
    } else {
      out += c;
    }
  }
  return out.empty() ? "/" : out;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> sign_aws(const AwsRequest& request,
                                                          const AwsIdentity& identity,
                                                          std::string_view region,
                                                          std::string_view service, WallTime now) {
  const std::string stamp = stamp_of(now), day = stamp.substr(0, 8);
  std::vector<std::pair<std::string, std::string>> added{{"X-Amz-Date", stamp}};
  if (!identity.session_token.empty()) {
    added.emplace_back("X-Amz-Security-Token", identity.session_token);
  }
  std::vector<std::pair<std::string, std::string>> headers{{"host", request.host}};
  for (const auto& [name, value] : request.headers) headers.emplace_back(lower(name), value);
  for (const auto& [name, value] : added) headers.emplace_back(lower(name), value);
  std::sort(headers.begin(), headers.end());
  std::string canonical =
                  request.method + '\n' + encoded_path(request.path) + '\n' + request.query + '\n',
              names;
  for (const auto& [name, value] : headers) {
    canonical += name + ':' + trimmed(value) + '\n';
    names += (names.empty() ? "" : ";") + name;
  }
  canonical += '\n' + names + '\n' + hex_of(sha256(request.body));

  const std::string scope =
      day + '/' + std::string(region) + '/' + std::string(service) + "/aws4_request";
  const std::string to_sign =
      "AWS4-HMAC-SHA256\n" + stamp + '\n' + scope + '\n' + hex_of(sha256(canonical));
  std::string key = hmac("AWS4" + identity.secret_key, day);
  for (const std::string_view part : {region, service, std::string_view("aws4_request")}) {
    key = hmac(key, part);
  }
  added.emplace_back("Authorization", "AWS4-HMAC-SHA256 Credential=" + identity.access_key + '/' +
                                          scope + ", SignedHeaders=" + names +
                                          ", Signature=" + hex_of(hmac(key, to_sign)));
  return added;
}

}  // namespace nines::agent::remedy
