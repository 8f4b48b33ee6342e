// `nines pki`: an authority for the cluster and certificates for its nodes.
#include "nines/peer/pki.hpp"

#include <cstdio>

#include "cli/commands.hpp"

namespace nines::agent {
namespace {

int tell(const Result<peer::Issued>& issued, const char* what) {
  if (!issued.ok()) {
    std::fprintf(stderr, "nines pki: %s\n", issued.error().message.c_str());
    return issued.error().code == Errc::invalid_argument ? kExitUsage : kExitUnavailable;
  }
  std::printf("%s until %s\n  certificate %s\n  key         %s (0600: keep it secret)\n", what,
              format_rfc3339(WallTime::from_s(issued->not_after.seconds())).c_str(),
              issued->certificate.c_str(), issued->key.c_str());
  if (issued->authority != issued->certificate) {
    std::printf("  authority   %s\n", issued->authority.c_str());
  }
  return kExitOk;
}

}  // namespace

int run_pki_init(const PkiOptions& options, const Clock& clock) {
  peer::AuthorityRequest request;
  request.directory = options.directory;
  request.cluster = options.cluster;
  request.replace = options.replace;
  if (options.days > 0) request.valid_days = options.days;
  const auto issued = peer::make_authority(request, clock.wall());
  const int code = tell(issued, "an authority for the cluster");
  if (code == kExitOk) {
    std::printf("Next: nines pki issue NODE --dir %s for each node.\n", options.directory.c_str());
  }
  return code;
}

int run_pki_issue(const PkiOptions& options, const Clock& clock) {
  peer::CertificateRequest request;
  request.authority_directory = options.directory;
  request.node = options.node;
  request.directory = options.out;
  request.role = *peer::parse_role(options.role);
  if (options.days > 0) request.valid_days = options.days;
  const std::string what = "a certificate of the " + options.role;
  return tell(peer::issue_certificate(request, clock.wall()), what.c_str());
}

}  // namespace nines::agent
