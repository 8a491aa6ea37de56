// What an object store says, as XML, in the shape of values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace elanus::backend {

/// Why it refuses. Empty where the answer does not say.
struct S3Refusal {
  std::string code;  // As "SlowDown".
  std::string message;
};
/// Of any body: one that is no such XML says nothing.
S3Refusal ReadRefusal(std::string_view body);

/// A part of a listing.
struct S3Page {
  std::vector<std::string> keys;
  std::string next;  // Where the next one begins; empty: this is the last.
};
/// Errors of these: kSerialization, with what is missing.
Result<S3Page> ReadPage(std::string_view body);
/// The id of an upload in parts that has begun.
Result<std::string> ReadUploadId(std::string_view body);
/// The body that puts parts together; `tags` as they were answered, the first part's first.
std::string WriteParts(const std::vector<std::string>& tags);

}  // namespace elanus::backend
