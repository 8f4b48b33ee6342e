#include "nines/peer/pki.hpp"

#include <fcntl.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

namespace nines::peer {
namespace {

constexpr int64_t kDayS = 86400;
constexpr size_t kMaxDnsName = 253;

template <class T, void (*kFree)(T*)>
struct Freed {
  void operator()(T* object) const { kFree(object); }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY, EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509, X509_free>>;
struct BioFree {
  void operator()(BIO* bio) const { BIO_free_all(bio); }
};
using Bio = std::unique_ptr<BIO, BioFree>;

Error openssl_error(const std::string& what) {
  const unsigned long code = ERR_get_error();
  char text[256] = "unknown";
  if (code != 0) ERR_error_string_n(code, text, sizeof text);
  ERR_clear_error();
  return {Errc::io, "cannot " + what + ": " + text};
}

Error system_error(const std::string& what, const std::string& path) {
  const int error = errno;
  return {Errc::io, "cannot " + what + " " + path + ": " + std::strerror(error), error};
}

// A node id that can stand in a certificate as a DNS name.
Status check_name(const std::string& name, const char* what) {
  const bool good = !name.empty() && name.size() <= kMaxDnsName && name.front() != '-' &&
                    name.find_first_not_of(
                        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                        "0123456789.-_") == std::string::npos &&
                    name.find("..") == std::string::npos && name.front() != '.';
  if (good) return Ok{};
  return Error{Errc::invalid_argument,
               "'" + name + "' cannot be " + what +
                   " of a certificate: letters, digits, '-', '_' and '.' only"};
}

// A descriptor's bytes are on the disk before the name is: a cut leaves the old file or the new
// one.
Status write_file(const std::string& path, const std::string& text, mode_t mode) {
  const std::string fresh = path + ".new";
  ::unlink(fresh.c_str());
  const int file = ::open(fresh.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, mode);
  if (file < 0) return system_error("create", fresh);
  bool good = ::fchmod(file, mode) == 0;
  for (size_t at = 0; good && at < text.size();) {
    const ssize_t written = ::write(file, text.data() + at, text.size() - at);
    good = written > 0;
    at += good ? static_cast<size_t>(written) : 0;
  }
  good = good && ::fsync(file) == 0;
  const Status failed = good ? Status(Ok{}) : Status(system_error("write", fresh));
  ::close(file);
  if (good && ::rename(fresh.c_str(), path.c_str()) == 0) return Ok{};
  Status result = good ? Status(system_error("replace", path)) : failed;
  ::unlink(fresh.c_str());
  return result;
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string(data, static_cast<size_t>(size)) : std::string();
}

Result<std::string> pem(EVP_PKEY* key) {
  const Bio bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return openssl_error("write a key");
  std::string text = text_of(bio.get());
  return text;
}

Result<std::string> pem(X509* certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_X509(bio.get(), certificate) != 1) {
    return openssl_error("write a certificate");
  }
  std::string text = text_of(bio.get());
  return text;
}

bool extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  const bool added = extension != nullptr && X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return added;
}

bool set_serial(X509* certificate) {
  const std::unique_ptr<BIGNUM, Freed<BIGNUM, BN_free>> serial(BN_new());
  return serial && BN_rand(serial.get(), 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool add_name(X509_NAME* name, const char* field, const std::string& text) {
  const auto* bytes = static_cast<const unsigned char*>(static_cast<const void*>(text.data()));
  return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, bytes,
                                    static_cast<int>(text.size()), -1, 0) == 1;
}

struct Subject {
  std::string organization, name;
  int64_t valid_days = 0;
  WallTime now{};
};

// By text, since libssl may be built with another time_t than this (32-bit ARM).
bool set_time(ASN1_TIME* time, int64_t seconds) {
  const int64_t day_of = (seconds - ((seconds % kDayS) + kDayS) % kDayS) / kDayS;
  const CivilDate date = civil_from_days(day_of);
  const int64_t rest = seconds - day_of * kDayS;
  char text[32];
  std::snprintf(text, sizeof text, "%04d%02d%02d%02d%02d%02dZ", static_cast<int>(date.year),
                date.month, date.day, static_cast<int>(rest / 3600),
                static_cast<int>(rest / 60 % 60), static_cast<int>(rest % 60));
  return ASN1_TIME_set_string_X509(time, text) == 1;
}

// From a day ago on: clocks of small machines are behind when they start.
Certificate blank(const Subject& subject, EVP_PKEY* key, X509* issuer) {
  Certificate certificate(X509_new());
  X509* const x = certificate.get();
  if (x == nullptr) return nullptr;
  const int64_t from = subject.now.seconds() - kDayS;
  const int64_t to = subject.now.seconds() + subject.valid_days * kDayS;
  X509_NAME* name = X509_get_subject_name(x);
  // A common name has 64 characters at most; what counts is the DNS name.
  const bool good =
      X509_set_version(x, 2) == 1 && set_serial(x) && set_time(X509_getm_notBefore(x), from) &&
      set_time(X509_getm_notAfter(x), to) && X509_set_pubkey(x, key) == 1 &&
      add_name(name, "O", subject.organization.substr(0, 64)) &&
      add_name(name, "CN", subject.name.substr(0, 64)) &&
      X509_set_issuer_name(x, X509_get_subject_name(issuer != nullptr ? issuer : x)) == 1;
  if (!good) return nullptr;
  return certificate;
}

Status make_directory(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (!error) return Ok{};
  return Error{Errc::io, "cannot create " + path + ": " + error.message(), error.value()};
}

Result<std::string> read_file(const std::string& path) {
  const Bio bio(BIO_new_file(path.c_str(), "rb"));
  if (!bio) return openssl_error("read " + path);
  std::string text;
  char buffer[4096];
  for (int n = 0; (n = BIO_read(bio.get(), buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<size_t>(n));
  }
  return text;
}

struct Authority {
  Key key;
  Certificate certificate;
  std::string text;
};

Result<Authority> load_authority(const std::string& directory) {
  Authority authority;
  NINES_TRY(authority.text, read_file(directory + "/ca.crt"));
  NINES_TRY(const std::string key, read_file(directory + "/ca.key"));
  const Bio certificate_bio(
      BIO_new_mem_buf(authority.text.data(), static_cast<int>(authority.text.size())));
  const Bio key_bio(BIO_new_mem_buf(key.data(), static_cast<int>(key.size())));
  authority.certificate.reset(PEM_read_bio_X509(certificate_bio.get(), nullptr, nullptr, nullptr));
  authority.key.reset(PEM_read_bio_PrivateKey(key_bio.get(), nullptr, nullptr, nullptr));
  if (!authority.certificate || !authority.key) {
    return openssl_error("use the authority in " + directory);
  }
  return authority;
}

std::string alternative_names(const CertificateRequest& request) {
  std::string names = "DNS:" + request.node;
  if (request.role != Role::node) {
    names.append(",URI:").append(kRoleUri).append(role_name(request.role));
  }
  return names;
}

}  // namespace

Result<Issued> make_authority(const AuthorityRequest& request, WallTime now) {
  NINES_CHECK(check_name(request.cluster, "the cluster"));
  const Issued issued{request.directory + "/ca.crt",
                      request.directory + "/ca.key",
                      request.directory + "/ca.crt",
                      {now.ns + request.valid_days * kDayS * kNsPerSecond}};
  if (!request.replace && std::filesystem::exists(issued.key)) {
    return Error{Errc::invalid_argument,
                 issued.key +
                     " is there already; a new authority would shut out every node that "
                     "has a certificate of the old one"};
  }
  NINES_CHECK(make_directory(request.directory));
  const Key key(EVP_EC_gen("P-256"));
  if (!key) return openssl_error("make a key");
  const Certificate certificate = blank(
      {request.cluster, "nines " + request.cluster, request.valid_days, now}, key.get(), nullptr);
  X509* const x = certificate.get();
  if (x == nullptr || !extend(x, x, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
      !extend(x, x, NID_key_usage, "critical,keyCertSign,cRLSign") ||
      !extend(x, x, NID_subject_key_identifier, "hash") ||
      X509_sign(x, key.get(), EVP_sha256()) == 0) {
    return openssl_error("make the authority's certificate");
  }
  NINES_TRY(const std::string key_text, pem(key.get()));
  NINES_TRY(const std::string text, pem(x));
  NINES_CHECK(write_file(issued.key, key_text, 0600));
  NINES_CHECK(write_file(issued.certificate, text, 0644));
  return issued;
}

Result<Issued> issue_certificate(const CertificateRequest& request, WallTime now) {
  NINES_CHECK(check_name(request.node, "the node"));
  NINES_TRY(const Authority authority, load_authority(request.authority_directory));
  const std::string directory = request.directory.empty()
                                    ? request.authority_directory + "/" + request.node
                                    : request.directory;
  NINES_CHECK(make_directory(directory));
  X509* const issuer = authority.certificate.get();
  const Key key(EVP_EC_gen("P-256"));
  if (!key) return openssl_error("make a key");
  char organization[128] = "nines";
  X509_NAME_get_text_by_NID(X509_get_subject_name(issuer), NID_organizationName, organization,
                            sizeof organization);
  const Certificate certificate =
      blank({organization, request.node, request.valid_days, now}, key.get(), issuer);
  X509* const x = certificate.get();
  if (x == nullptr || !extend(x, issuer, NID_basic_constraints, "critical,CA:FALSE") ||
      !extend(x, issuer, NID_key_usage, "critical,digitalSignature") ||
      !extend(x, issuer, NID_ext_key_usage, "serverAuth,clientAuth") ||
      !extend(x, issuer, NID_subject_alt_name, alternative_names(request)) ||
      !extend(x, issuer, NID_subject_key_identifier, "hash") ||
      !extend(x, issuer, NID_authority_key_identifier, "keyid") ||
      X509_sign(x, authority.key.get(), EVP_sha256()) == 0) {
    return openssl_error("make the certificate of " + request.node);
  }
  const Issued issued{directory + "/node.crt",
                      directory + "/node.key",
                      directory + "/ca.crt",
                      {now.ns + request.valid_days * kDayS * kNsPerSecond}};
  NINES_TRY(const std::string key_text, pem(key.get()));
  NINES_TRY(const std::string text, pem(x));
  NINES_CHECK(write_file(issued.key, key_text, 0600));
  NINES_CHECK(write_file(issued.certificate, text, 0644));
  NINES_CHECK(write_file(issued.authority, authority.text, 0644));
  return issued;
}

}  // namespace nines::peer
