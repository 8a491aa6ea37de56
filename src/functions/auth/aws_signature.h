// AWS Signature Version 4: proves who sends an HTTP request without sending the secret. As
// described in the AWS documentation, "Create a signed AWS API request".
#pragma once

#include <string>
#include <string_view>

#include "functions/http_client.h"

namespace elanus::functions {

struct AwsKey {
  std::string id;
  std::string secret;
  std::string region;
  std::string service;
};

/// Adds the headers X-Amz-Date and Authorization for the moment `now_ms` since 1970. Signs the
/// host, the date and the headers that are there.
void SignForAws(const AwsKey& key, int64_t now_ms, HttpRequest& request);

/// As it stands in a path: all but unreserved characters as %XX.
std::string EncodePathPart(std::string_view text);

}  // namespace elanus::functions
