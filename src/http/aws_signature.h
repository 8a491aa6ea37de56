// AWS Signature Version 4: proves who sends an HTTP request without sending the secret. As
// described in the AWS documentation, "Create a signed AWS API request".
#pragma once

#include <string>
#include <string_view>

#include "http/client.h"

namespace elanus::http {

struct AwsKey {
  std::string id;
  std::string secret;
  std::string region;
  std::string service;
};

/// Adds the headers X-Amz-Date and Authorization for the moment `now_ms` since 1970. Signs the
/// host, the date, the query (its names and values encoded as by EncodePathPart, each name with
/// its '=') and the headers that are there. The service "s3" also gets the digest of the body as a
/// header, and has its path signed as it is sent; others have it encoded once more.
void SignForAws(const AwsKey& key, int64_t now_ms, Request& request);

/// As it stands in a path: all but unreserved characters as %XX.
std::string EncodePathPart(std::string_view text);

}  // namespace elanus::http
