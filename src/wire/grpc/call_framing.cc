// What gRPC adds to HTTP/2. Compression is zlib's.
#include "wire/grpc/call_framing.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <charconv>

namespace elanus::wire {
namespace {

constexpr size_t kTimeoutDigitsMax = 8;
constexpr int kAnyHeader = 15 + 32;  // zlib: the largest window; gzip or zlib, as the bytes say.
constexpr size_t kInflateStep = 64 << 10;

/// Ends zlib's state with the scope.
struct InflateState {
  z_stream stream{};
  bool is_open = inflateInit2(&stream, kAnyHeader) == Z_OK;
  InflateState() = default;
  InflateState(const InflateState&) = delete;
  InflateState& operator=(const InflateState&) = delete;
  ~InflateState() {
    if (is_open) inflateEnd(&stream);
  }
};

}  // namespace

MessagePrefix ParsePrefix(std::string_view bytes) {
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(bytes[i])); };
  return {.is_compressed = byte(0) != 0,
          .length = byte(1) << 24 | byte(2) << 16 | byte(3) << 8 | byte(4)};
}

std::array<char, kPrefixBytes> PrefixOf(size_t length) {
  const auto byte = [&](int shift) { return static_cast<char>(length >> shift & 0xFF); };
  return {0, byte(24), byte(16), byte(8), byte(0)};
}

std::optional<int64_t> ParseTimeout(std::string_view text) {
  if (text.size() < 2 || text.size() > kTimeoutDigitsMax + 1) return std::nullopt;
  uint32_t count = 0;
  const char* const digits_end = text.data() + text.size() - 1;
  const auto parsed = std::from_chars(text.data(), digits_end, count);
  if (parsed.ec != std::errc() || parsed.ptr != digits_end) return std::nullopt;
  switch (text.back()) {
    case 'H':
      return int64_t{count} * 3'600'000'000;
    case 'M':
      return int64_t{count} * 60'000'000;
    case 'S':
      return int64_t{count} * 1'000'000;
    case 'm':
      return int64_t{count} * 1'000;
    case 'u':
      return count;
    case 'n':
      return (int64_t{count} + 999) / 1000;
    default:
      return std::nullopt;
  }
}

std::string EscapeText(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  for (const char c : text) {
    if (c >= ' ' && c <= '~' && c != '%') {
      escaped.push_back(c);
    } else {
      fmt::format_to(std::back_inserter(escaped), "%{:02X}", static_cast<uint8_t>(c));
    }
  }
  return escaped;
}

CallStatus Inflate(std::string_view encoding, std::string_view packed, size_t bytes_max,
                   std::string& to) {
  if (encoding != "gzip" && encoding != "deflate") {
    return {
        CallCode::kUnimplemented,
        fmt::format("the request is compressed by \"{}\"; gzip and deflate can be read", encoding)};
  }
  InflateState state;
  if (!state.is_open) return {CallCode::kResourceExhausted, "out of memory"};
  z_stream& stream = state.stream;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  to.clear();
  int result = Z_OK;
  while (result == Z_OK) {
    const size_t done = to.size();
    to.resize(std::min(std::max(2 * done, kInflateStep), bytes_max + 1));
    stream.next_out = reinterpret_cast<Bytef*>(to.data() + done);
    stream.avail_out = static_cast<uInt>(to.size() - done);
    result = inflate(&stream, Z_NO_FLUSH);
    to.resize(to.size() - stream.avail_out);
    if (to.size() > bytes_max) {
      return {CallCode::kResourceExhausted,
              fmt::format("the request has more than the {} bytes that are allowed", bytes_max)};
    }
  }
  if (result != Z_STREAM_END || stream.avail_in > 0)
    return {CallCode::kInvalidArgument, "the request's compressed bytes are damaged"};
  return {};
}

}  // namespace elanus::wire
