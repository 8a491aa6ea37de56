// What is written can be read, nothing is read past the end, and frames show damage.
#include "base/bytes.h"

#include <gtest/gtest.h>

#include "base/framed.h"

namespace elanus {
namespace {

TEST(Bytes, WhatIsWrittenIsRead) {
  const std::vector<uint64_t> numbers = {0,         1, 127, 128, 16383, 16384, uint64_t{1} << 63,
                                         UINT64_MAX};
  ByteWriter out;
  out.U8(200);
  out.U32(0xdeadbeef);
  out.U64(UINT64_MAX - 1);
  out.F64(-2.5);
  for (uint64_t number : numbers) out.Varint(number);
  out.Bytes("text");
  out.Bytes("");
  const std::string bytes = std::move(out).Take();

  ByteReader in(bytes);
  uint8_t u8;
  uint32_t u32;
  uint64_t u64;
  double f64;
  std::string_view text;
  ASSERT_TRUE(in.U8(u8) && in.U32(u32) && in.U64(u64) && in.F64(f64));
  EXPECT_EQ(u8, 200);
  EXPECT_EQ(u32, 0xdeadbeef);
  EXPECT_EQ(u64, UINT64_MAX - 1);
  EXPECT_EQ(f64, -2.5);
  for (uint64_t number : numbers) {
    ASSERT_TRUE(in.Varint(u64));
    EXPECT_EQ(u64, number);
  }
  ASSERT_TRUE(in.Bytes(text));
  EXPECT_EQ(text, "text");
  ASSERT_TRUE(in.Bytes(text));
  EXPECT_EQ(text, "");
  EXPECT_TRUE(in.AtEnd());
}

TEST(Bytes, NumbersAreLittleEndian) {
  ByteWriter out;
  out.U32(1);
  EXPECT_EQ(out.view(), std::string_view("\1\0\0\0", 4));
}

TEST(Bytes, NothingIsReadPastTheEnd) {
  uint64_t u64;
  uint32_t u32;
  std::string_view view;
  EXPECT_FALSE(ByteReader("1234567").U64(u64));
  EXPECT_FALSE(ByteReader("123").U32(u32));
  EXPECT_FALSE(ByteReader("").Varint(u64));
  EXPECT_FALSE(ByteReader("\xff").Varint(u64));
  EXPECT_FALSE(ByteReader(std::string(11, '\xff')).Varint(u64)) << "longer than 64 bits";
  EXPECT_FALSE(ByteReader("\x05"
                          "abc")
                   .Bytes(view));
  ByteWriter huge;
  huge.Varint(UINT64_MAX);
  EXPECT_FALSE(ByteReader(huge.view()).Bytes(view));
}

TEST(Checksum, DependsOnBytesAndSeed) {
  EXPECT_EQ(Checksum("elanus"), Checksum("elanus"));
  EXPECT_NE(Checksum("elanus"), Checksum("elanut"));
  EXPECT_NE(Checksum("elanus", 1), Checksum("elanus", 2));
}

TEST(Framed, ThePayloadComesBack) {
  const std::string file = Frame("ELTESTXX", 2, "payload");
  const auto payload = Unframe("ELTESTXX", 2, file, "key");
  ASSERT_TRUE(payload.ok());
  EXPECT_EQ(*payload, "payload");
  EXPECT_TRUE(Unframe("ELTESTXX", 3, Frame("ELTESTXX", 1, ""), "key").ok());
}

TEST(Framed, EveryDamageIsSeenAndNamesTheFile) {
  const std::string file = Frame("ELTESTXX", 1, "some payload");
  for (size_t at = 0; at < file.size(); ++at) {
    std::string damaged = file;
    damaged[at] = static_cast<char>(damaged[at] ^ 4);
    const auto payload = Unframe("ELTESTXX", 1, damaged, "a/key");
    ASSERT_FALSE(payload.ok()) << "byte " << at;
    EXPECT_EQ(payload.status().code(), ErrorCode::kIntegrity);
    EXPECT_EQ(payload.status().message().substr(0, 5), "a/key");
    EXPECT_FALSE(Unframe("ELTESTXX", 1, file.substr(0, at), "a/key").ok()) << "cut at " << at;
  }
  EXPECT_FALSE(Unframe("ELTESTXX", 1, file + "x", "a/key").ok());
  EXPECT_FALSE(Unframe("ELTESTXX", 1, Frame("ELTESTXX", 2, ""), "a/key").ok()) << "a newer version";
}

}  // namespace
}  // namespace elanus
