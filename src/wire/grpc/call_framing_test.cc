// Prefixes, timeouts, texts and compression of gRPC's messages.
#include "wire/grpc/call_framing.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <random>

namespace elanus::wire {
namespace {

constexpr int kGzip = 15 + 16;
constexpr int kZlib = 15;

std::string Deflate(const std::string& bytes, int format) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, format, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string packed(deflateBound(&stream, bytes.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(packed.size() - stream.avail_out);
  deflateEnd(&stream);
  return packed;
}

TEST(CallFramingTest, APrefixReadsBackAsItWasWritten) {
  for (const size_t length : {0UL, 1UL, 255UL, 256UL, 65'537UL, 0xFFFFFFFFUL}) {
    const auto prefix = PrefixOf(length);
    const MessagePrefix parsed = ParsePrefix({prefix.data(), prefix.size()});
    EXPECT_EQ(parsed.length, length);
    EXPECT_FALSE(parsed.is_compressed);
  }
  EXPECT_TRUE(ParsePrefix(std::string_view("\1\0\0\0\2", 5)).is_compressed);
}

TEST(CallFramingTest, TimeoutsAreReadInEveryUnit) {
  EXPECT_EQ(ParseTimeout("2H"), 7'200'000'000);
  EXPECT_EQ(ParseTimeout("3M"), 180'000'000);
  EXPECT_EQ(ParseTimeout("10S"), 10'000'000);
  EXPECT_EQ(ParseTimeout("99999999m"), 99'999'999'000);
  EXPECT_EQ(ParseTimeout("5u"), 5);
  EXPECT_EQ(ParseTimeout("1n"), 1);
  EXPECT_EQ(ParseTimeout("2001n"), 3);
  for (const char* none : {"", "S", "1", "1s", "-1S", "+1S", " 1S", "1 S", "1.5S", "123456789S"})
    EXPECT_EQ(ParseTimeout(none), std::nullopt) << none;
}

TEST(CallFramingTest, TextsOfAStatusKeepToPrintableAscii) {
  EXPECT_EQ(EscapeText("port 1, \"a\"~"), "port 1, \"a\"~");
  EXPECT_EQ(EscapeText("100% ä\n"), "100%25 %C3%A4%0A");
}

TEST(CallFramingTest, CompressedMessagesAreReadInBothFormats) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "vector ";
  for (const std::string& bytes : {std::string(), std::string("a"), text}) {
    std::string flat;
    EXPECT_TRUE(Inflate("gzip", Deflate(bytes, kGzip), 1 << 20, flat).ok());
    EXPECT_EQ(flat, bytes);
    EXPECT_TRUE(Inflate("deflate", Deflate(bytes, kZlib), 1 << 20, flat).ok());
    EXPECT_EQ(flat, bytes);
  }
}

TEST(CallFramingTest, BytesThatUnpackToMoreThanIsAllowedAreRefused) {
  const std::string packed = Deflate(std::string(10 << 20, 'a'), kGzip);
  ASSERT_LT(packed.size(), 20'000u);
  std::string flat;
  EXPECT_EQ(Inflate("gzip", packed, (10 << 20) - 1, flat).code, CallCode::kResourceExhausted);
  EXPECT_TRUE(Inflate("gzip", packed, 10 << 20, flat).ok());
}

TEST(CallFramingTest, DamagedAndForeignCompressionIsRefused) {
  const std::string packed = Deflate(std::string(5000, 'a') + "bc", kGzip);
  std::string flat;
  EXPECT_EQ(Inflate("snappy", packed, 1 << 20, flat).code, CallCode::kUnimplemented);
  EXPECT_EQ(Inflate("", packed, 1 << 20, flat).code, CallCode::kUnimplemented);
  for (size_t end = 0; end < packed.size(); ++end) {
    EXPECT_EQ(Inflate("gzip", packed.substr(0, end), 1 << 20, flat).code,
              CallCode::kInvalidArgument)
        << end;
  }
  EXPECT_EQ(Inflate("gzip", packed + "x", 1 << 20, flat).code, CallCode::kInvalidArgument);
  std::mt19937 random(1);
  for (int round = 0; round < 500; ++round) {
    std::string damaged = packed;
    damaged[random() % damaged.size()] ^= static_cast<char>(1 + random() % 255);
    Inflate("gzip", damaged, 1 << 20, flat);  // Ends, within its bound.
    EXPECT_LE(flat.size(), (1u << 20) + 1);
  }
}

}  // namespace
}  // namespace elanus::wire
