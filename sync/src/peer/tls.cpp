#include "nines/net/asio.hpp"
// After it: <utility> comes first.
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <filesystem>
#include <optional>
#include <string_view>

#include "peer/tls.hpp"

namespace nines::peer {
namespace {

namespace ssl = boost::asio::ssl;

// As they go over the wire: length, name.
constexpr std::string_view kPeerProtocol = "\x0cnines-peer/1";
constexpr std::string_view kQueryProtocol = "\x0dnines-query/1";
static_assert(kPeerProtocol.size() == 13 && kQueryProtocol.size() == 14);
constexpr mode_t kWiderThan0640 = 0137;

const unsigned char* bytes_of(std::string_view text) {
  return static_cast<const unsigned char*>(static_cast<const void*>(text.data()));
}

int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size,
                    const unsigned char* offered, unsigned int offered_size, void*) {
  for (const std::string_view ours : {kQueryProtocol, kPeerProtocol}) {
    unsigned char* found = nullptr;
    if (SSL_select_next_proto(&found, size, bytes_of(ours), static_cast<unsigned>(ours.size()),
                              offered, offered_size) == OPENSSL_NPN_NEGOTIATED) {
      *chosen = found;
      return SSL_TLSEXT_ERR_OK;
    }
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

std::string_view text_of(const ASN1_STRING* text) {
  const void* const data = ASN1_STRING_get0_data(text);
  return {static_cast<const char*>(data), static_cast<size_t>(ASN1_STRING_length(text))};
}

Result<Credentials> credentials_of(X509* certificate) {
  Credentials shown;
  std::optional<Role> role;
  const std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> all(
      static_cast<GENERAL_NAMES*>(
          X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)),
      &GENERAL_NAMES_free);
  for (int i = 0; all && i < sk_GENERAL_NAME_num(all.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(all.get(), i);
    if (name->type == GEN_DNS) shown.nodes.emplace_back(text_of(name->d.dNSName));
    if (name->type != GEN_URI) continue;
    std::string_view uri = text_of(name->d.uniformResourceIdentifier);
    if (!uri.starts_with(kRoleUri)) continue;
    uri.remove_prefix(kRoleUri.size());
    const auto named = parse_role(uri);
    if (!named || (role && *role != *named)) {
      return Error{Errc::unsupported, "a certificate of role '" + std::string(uri.substr(0, 64)) +
                                          "', which this node does not know or not beside another"};
    }
    role = named;
  }
  shown.role = role.value_or(Role::node);
  if (shown.nodes.empty()) shown.nodes.emplace_back();
  return shown;
}

Error unusable(const std::string& file, const std::string& why) {
  return {Errc::invalid_argument, "cannot use " + file + " for TLS between peers: " + why};
}

Result<std::shared_ptr<ssl::context>> make_context(const TlsSettings& files) {
  boost::system::error_code error;
  auto context = std::make_shared<ssl::context>(ssl::context::tls);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_3_VERSION);
  context->load_verify_file(files.authority, error);
  if (error) return unusable(files.authority, error.message());
  context->use_certificate_chain_file(files.certificate, error);
  if (error) return unusable(files.certificate, error.message());
  context->use_private_key_file(files.key, ssl::context::pem, error);
  if (error) return unusable(files.key, error.message());
  if (SSL_CTX_check_private_key(context->native_handle()) != 1) {
    return unusable(files.key, "it does not belong to " + files.certificate);
  }
  context->set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert, error);
  if (error) return unusable(files.authority, error.message());
  // Tickets would let a peer back in whose certificate was replaced or has run out.
  SSL_CTX_set_num_tickets(context->native_handle(), 0);
  SSL_CTX_set_session_cache_mode(context->native_handle(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_alpn_select_cb(context->native_handle(), choose_protocol, nullptr);
  return context;
}

}  // namespace

std::string TlsFiles::stamp() const {
  std::string stamp;
  for (const auto* file : {&settings_.authority, &settings_.certificate, &settings_.key}) {
    std::error_code error;
    const auto when = std::filesystem::last_write_time(*file, error);
    stamp += error ? "?" : std::to_string(when.time_since_epoch().count());
    stamp += ' ' + std::to_string(std::filesystem::file_size(*file, error)) + ' ';
  }
  return stamp;
}

Status TlsFiles::refresh() {
  std::string now = stamp();
  if (context_ && now == stamp_) return Ok{};
  auto made = make_context(settings_);
  if (!made.ok()) return made.error();
  X509* const own = SSL_CTX_get0_certificate((*made)->native_handle());
  NINES_TRY(const Credentials said, credentials_of(own));
  role_ = said.role;
  context_ = std::move(*made);
  stamp_ = std::move(now);
  return Ok{};
}

std::string TlsFiles::key_warning() const {
  struct stat file {};
  if (!enabled() || ::stat(settings_.key.c_str(), &file) != 0) return {};
  if ((file.st_mode & kWiderThan0640) == 0) return {};
  char mode[8];
  std::snprintf(mode, sizeof mode, "%04o", static_cast<unsigned>(file.st_mode & 07777));
  return "the key " + settings_.key + " has mode " + mode +
         ": others on this machine can be this node; chmod 0640 or 0600";
}

Result<Credentials> credentials_of(SSL* ssl) {
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(SSL_get1_peer_certificate(ssl),
                                                                &X509_free);
  if (!certificate) return Error{Errc::invalid_argument, "no certificate was shown"};
  return credentials_of(certificate.get());
}

void offer_protocol(SSL* ssl, Protocol protocol) {
  const std::string_view name = protocol == Protocol::query ? kQueryProtocol : kPeerProtocol;
  SSL_set_alpn_protos(ssl, bytes_of(name), static_cast<unsigned>(name.size()));
}

Protocol agreed_protocol(SSL* ssl) {
  const unsigned char* name = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(ssl, &name, &size);
  const void* const start = name;
  const std::string_view agreed(static_cast<const char*>(start), size);
  return agreed == kQueryProtocol.substr(1) ? Protocol::query : Protocol::peer;
}

}  // namespace nines::peer
