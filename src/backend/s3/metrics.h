// Counts and measures of an object store: its requests, and the local copies of its objects.
#pragma once

#include <cstddef>
#include <cstdint>

namespace elanus::backend {

/// `status` 0: there was no answer.
void CountRequest(const char* operation, int status, int64_t us, size_t bytes_sent);
void CountRetry();
void CountFetched(size_t bytes);
/// An object was asked for, and a copy of it was there or not.
void CountCopy(bool is_hit);
/// Bytes of copies that came, or went: negative.
void CountCopyBytes(int64_t bytes);

}  // namespace elanus::backend
