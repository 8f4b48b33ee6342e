// Where the identity of AWS calls comes from: a file of credentials, else the environment, else the
// standard file. Read for each call, so that new ones need no restart; errors name the file and the
// section, never what is in them. Roles of EC2 and EKS (the metadata service, web identities) are
// not asked for: something else has to write their credentials into a file.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "nines/base/result.hpp"
#include "remedy/sigv4.hpp"

namespace nines::agent::remedy {

struct AwsSource {
  std::string file;     // empty: AWS_ACCESS_KEY_ID..., else AWS_SHARED_CREDENTIALS_FILE or
                        // ~/.aws/credentials
  std::string profile;  // section of the file; empty: AWS_PROFILE, else "default"
};

// Of a variable; empty: it is not set.
using Environment = std::function<std::string(const char* name)>;
std::string process_environment(const char* name);

// An INI file: [profile], aws_access_key_id, aws_secret_access_key, aws_session_token.
Result<AwsIdentity> parse_aws_credentials(std::string_view text, std::string_view profile);

// A file must be root's or ours, and nobody else's business: not for others at all, and of its
// group at most to read (a mounted Secret).
Result<AwsIdentity> aws_identity(const AwsSource& source,
                                 const Environment& environment = process_environment);

}  // namespace nines::agent::remedy
