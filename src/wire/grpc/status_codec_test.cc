// A Status as clients read it, for every code there is.
#include "wire/grpc/status_codec.h"

#include <gtest/gtest.h>

#include "common.pb.h"

namespace elanus::wire {
namespace {

namespace common = milvus::proto::common;

common::Status Encoded(const Status& status) {
  common::Status to;
  EncodeStatus(status, &to);
  return to;
}

TEST(StatusCodec, SuccessIsTheEmptyMessage) { EXPECT_EQ(Encoded(Status()).ByteSizeLong(), 0u); }

TEST(StatusCodec, EveryCodeKeepsItsNumbersAndItsBlame) {
  for (const ErrorInfo& info : AllErrors()) {
    if (info.code == ErrorCode::kOk) continue;
    SCOPED_TRACE(info.name);
    const common::Status to = Encoded(Error(info.code, "words"));
    EXPECT_EQ(to.code(), static_cast<int32_t>(info.code));
    EXPECT_EQ(static_cast<int32_t>(to.error_code()), info.legacy_code);
    EXPECT_NE(to.error_code(), common::ErrorCode::Success);
    EXPECT_EQ(to.reason(), "words: " + std::string(info.name));
    EXPECT_EQ(to.detail(), to.reason());
    EXPECT_EQ(to.retriable(), info.retriable);
    EXPECT_EQ(to.extra_info_size(), info.is_input_error ? 1 : 0);
    const auto blame = to.extra_info().find("is_input_error");
    EXPECT_EQ(blame != to.extra_info().end() && blame->second == "true", info.is_input_error);
  }
}

TEST(StatusCodec, LegacyCodesAreThoseThatOldClientsBranchOn) {
  const std::pair<ErrorCode, int> kLegacy[] = {
      {ErrorCode::kServiceNotReady, 56},     {ErrorCode::kMemoryLimitExceeded, 52},
      {ErrorCode::kDiskLimitExceeded, 54},   {ErrorCode::kRateLimit, 49},
      {ErrorCode::kQuotaExceeded, 48},       {ErrorCode::kCollectionNotFound, 4},
      {ErrorCode::kSchemaMismatch, 62},      {ErrorCode::kPartitionNotFound, 15},
      {ErrorCode::kChannelNotAvailable, 46}, {ErrorCode::kSegmentNotFound, 47},
      {ErrorCode::kIndexNotFound, 25},       {ErrorCode::kInvalidParameter, 5},
      {ErrorCode::kMissingParameter, 5},     {ErrorCode::kParameterTooLarge, 5},
      {ErrorCode::kCollectionNotLoaded, 1},  {ErrorCode::kUnexpected, 1}};
  for (const auto& [code, legacy] : kLegacy)
    EXPECT_EQ(static_cast<int>(Encoded(Status(code, "")).error_code()), legacy)
        << InfoOf(code).name;
}

TEST(StatusCodec, TextThatIsUtf8StaysAsItIs) {
  const std::string text = "größer 日本 \xF0\x9F\xA6\x85 \xF4\x8F\xBF\xBF \xED\x9F\xBF";
  EXPECT_EQ(Encoded(Invalid("{}", text)).reason(), text + ": invalid parameter");
}

TEST(StatusCodec, BytesThatAreNotUtf8AreReplacedSoThatClientsCanReadTheAnswer) {
  const std::string kBad = "\uFFFD";
  const std::pair<std::string, std::string> kCases[] = {
      {"a\xC3", "a" + kBad},                            // Cut in two.
      {"\xE6\x97", kBad + kBad},                        // Cut in three.
      {"\x80z", kBad + "z"},                            // A tail without its head.
      {"\xC0\xAF", kBad + kBad},                        // Overlong.
      {"\xE0\x80\xAF", kBad + kBad + kBad},             // Overlong.
      {"\xF0\x80\x80\xAF", kBad + kBad + kBad + kBad},  // Overlong.
      {"\xED\xA0\x80", kBad + kBad + kBad},             // Half of a surrogate pair.
      {"\xF4\x90\x80\x80", kBad + kBad + kBad + kBad},  // Above the last character.
      {"\xFF", kBad},
  };
  for (const auto& [bytes, text] : kCases) {
    const common::Status to = Encoded(Invalid("{}", bytes));
    EXPECT_EQ(to.reason(), text + ": invalid parameter");
    EXPECT_TRUE(common::Status().ParseFromString(to.SerializeAsString()));
  }
}

}  // namespace
}  // namespace elanus::wire
