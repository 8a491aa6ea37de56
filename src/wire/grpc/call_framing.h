// What gRPC adds to HTTP/2: a message's five bytes of prefix, its compression, deadlines and texts
// in headers. After the protocol's description ("gRPC over HTTP2").
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wire/grpc/call_status.h"

namespace elanus::wire {

/// One byte that says whether the message is compressed, then its length, the highest byte first.
inline constexpr size_t kPrefixBytes = 5;

struct MessagePrefix {
  bool is_compressed = false;
  uint32_t length = 0;
};

/// Of at least kPrefixBytes bytes.
MessagePrefix ParsePrefix(std::string_view bytes);
/// Of a message that is not compressed.
std::array<char, kPrefixBytes> PrefixOf(size_t length);

/// "100m": a number of at most eight digits and one of H, M, S, m, u, n. In microseconds, rounded
/// up; nothing for what is no timeout.
std::optional<int64_t> ParseTimeout(std::string_view text);

/// A status's text as a header carries it: bytes outside of printable ASCII, and '%', as %XX.
std::string EscapeText(std::string_view text);

/// Decompresses what `encoding` ("gzip" or "deflate") packed, to `bytes_max` bytes at most.
/// kUnimplemented: another encoding. kInvalidArgument: damaged. kResourceExhausted: too large.
CallStatus Inflate(std::string_view encoding, std::string_view packed, size_t bytes_max,
                   std::string& to);

}  // namespace elanus::wire
