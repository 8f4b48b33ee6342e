#include "nines/net/asio.hpp"
// After it: <utility> comes first.
#include <openssl/x509v3.h>

#include <filesystem>

#include "peer/tls.hpp"

namespace nines::peer {
namespace {

namespace ssl = boost::asio::ssl;

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
  context_ = std::move(*made);
  stamp_ = std::move(now);
  return Ok{};
}

std::vector<std::string> certified_names(SSL* ssl) {
  std::vector<std::string> names;
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(SSL_get1_peer_certificate(ssl),
                                                                &X509_free);
  if (!certificate) return names;
  const std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> all(
      static_cast<GENERAL_NAMES*>(
          X509_get_ext_d2i(certificate.get(), NID_subject_alt_name, nullptr, nullptr)),
      &GENERAL_NAMES_free);
  for (int i = 0; all && i < sk_GENERAL_NAME_num(all.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(all.get(), i);
    if (name->type != GEN_DNS) continue;
    const auto* text =
        static_cast<const char*>(static_cast<const void*>(ASN1_STRING_get0_data(name->d.dNSName)));
    names.emplace_back(text, static_cast<size_t>(ASN1_STRING_length(name->d.dNSName)));
  }
  return names;
}

}  // namespace nines::peer
