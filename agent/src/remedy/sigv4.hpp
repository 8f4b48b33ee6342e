// AWS Signature Version 4: signs an HTTP request with a secret that is not sent. Source: AWS
// General Reference, "Signature Version 4 signing process"; checked against its published examples.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nines/base/time.hpp"

namespace nines::agent::remedy {

struct AwsIdentity {
  std::string access_key, secret_key;
  std::string session_token;  // of temporary credentials; empty: none
};

struct AwsRequest {
  std::string method, host;
  std::string path;   // absolute, each segment percent-encoded once
  std::string query;  // "Action=ListUsers&Version=2010-05-08", sorted by name and encoded
  std::vector<std::pair<std::string, std::string>> headers;  // those that are signed besides Host
  std::string body;
};

// The headers to add: X-Amz-Date, X-Amz-Security-Token where there is one, Authorization.
std::vector<std::pair<std::string, std::string>> sign_aws(const AwsRequest& request,
                                                          const AwsIdentity& identity,
                                                          std::string_view region,
                                                          std::string_view service, WallTime now);

}  // namespace nines::agent::remedy
