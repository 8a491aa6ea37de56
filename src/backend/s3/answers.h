// What an object store says, as XML, in the shape of values.
#pragma once

#include <cstdint>
#include <optional>
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
/// An upload in parts that is neither finished nor given up.
struct S3Upload {
  std::string key;
  std::string id;
  int64_t begun_s = 0;  // By the store's clock, since 1970.
};
/// A part of a listing of them.
struct S3UploadPage {
  std::vector<S3Upload> uploads;
  std::string next_key;  // Where the next one begins; empty: this is the last.
  std::string next_id;
};
/// Errors: kSerialization, with what is missing.
Result<S3UploadPage> ReadUploads(std::string_view body);
/// Seconds since 1970 of a moment as HTTP tells it, or S3 in XML; nothing when it is none.
std::optional<int64_t> ReadHttpTime(const std::string& text);
std::optional<int64_t> ReadXmlTime(const std::string& text);
/// The body that puts parts together; `tags` as they were answered, the first part's first.
std::string WriteParts(const std::vector<std::string>& tags);

}  // namespace elanus::backend
