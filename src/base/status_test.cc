// How errors read, travel and are listed.
#include "base/status.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>

#include "base/context.h"

namespace elanus {
namespace {

TEST(Status, SuccessIsSilent) {
  const Status status;
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(status.code(), ErrorCode::kOk);
  EXPECT_EQ(status.message(), "");
  EXPECT_EQ(status.ToString(), "");
  EXPECT_TRUE(Status().WithContext("loading").ok());
  EXPECT_EQ(sizeof(Status), sizeof(std::shared_ptr<int>));
}

TEST(Status, FreeTextStandsBeforeTheBaseText) {
  EXPECT_EQ(Invalid("dim is {}", 3).ToString(), "dim is 3: invalid parameter");
  EXPECT_EQ(Status(ErrorCode::kInvalidParameter, "").ToString(), "invalid parameter");
}

TEST(Status, ATextThatOpensWithTheBaseTextStaysAsItIs) {
  EXPECT_EQ(
      Error(ErrorCode::kPartitionNotFound, "partition not found[partition={}]", "p").ToString(),
      "partition not found[partition=p]");
}

TEST(Status, ContextIsAddedInFrontAndTheCodeStays) {
  const Status status =
      Error(ErrorCode::kIoFailed, "no space").WithContext("segment 4").WithContext("loading");
  EXPECT_EQ(status.code(), ErrorCode::kIoFailed);
  EXPECT_EQ(status.ToString(), "loading: segment 4: no space: IO failed");
}

Result<int> Half(int number) {
  if (number % 2 != 0) return Invalid("odd: {}", number);
  return number / 2;
}
Result<int> Quarter(int number) {
  TRY_ASSIGN(const int half, Half(number));
  TRY_ASSIGN(const int quarter, Half(half));
  return quarter;
}
Status Check(int number) {
  TRY(Quarter(number).status());
  return {};
}

TEST(Result, MacrosPassFailuresOn) {
  EXPECT_EQ(*Quarter(12), 3);
  EXPECT_EQ(Quarter(6).status().message(), "odd: 3");
  EXPECT_TRUE(Check(4).ok());
  EXPECT_EQ(Check(1).code(), ErrorCode::kInvalidParameter);
}

TEST(Result, HoldsWhatCanOnlyBeMoved) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(4);
  ASSERT_TRUE(result.ok());
  EXPECT_TRUE(result.status().ok());
  const std::unique_ptr<int> owned = *std::move(result);
  EXPECT_EQ(*owned, 4);
}

TEST(ErrorTable, IsAscendingNamedAndConsistent) {
  std::set<std::string_view> names;
  int32_t last = -1;
  for (const ErrorInfo& info : AllErrors()) {
    const auto number = static_cast<int32_t>(info.code);
    EXPECT_GT(number, last);
    last = number;
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    EXPECT_FALSE(info.retriable && info.is_input_error) << info.name;
    EXPECT_EQ(&InfoOf(info.code), &info);
    if (info.code != ErrorCode::kOk) {
      EXPECT_GE(info.http_status, 400) << info.name;
      EXPECT_NE(info.legacy_code, 0) << info.name;
    }
  }
}

TEST(ErrorTable, KeepsTheNumbersClientsReadAndAnswersUnknownOnes) {
  EXPECT_EQ(InfoOf(ErrorCode::kCollectionNotFound).legacy_code, 4);
  EXPECT_EQ(InfoOf(ErrorCode::kIndexNotFound).legacy_code, 25);
  EXPECT_EQ(InfoOf(ErrorCode::kRateLimit).legacy_code, 49);
  EXPECT_EQ(InfoOf(ErrorCode::kSchemaMismatch).legacy_code, 62);
  EXPECT_EQ(static_cast<int>(ErrorCode::kGeneralCapacity), 250);
  EXPECT_EQ(InfoOf(static_cast<ErrorCode>(4242)).code, ErrorCode::kUnexpected);
}

TEST(Context, EndsWithItsCallerOrItsDeadline) {
  ManualClock clock;
  Context endless(clock);
  Context hurried(clock, clock.MonotonicUs() + 5000);
  clock.AdvanceMs(5);
  EXPECT_TRUE(hurried.CheckAlive().ok());
  clock.AdvanceMs(1);
  EXPECT_EQ(hurried.CheckAlive().code(), ErrorCode::kDeadlineExceeded);
  EXPECT_TRUE(endless.CheckAlive().ok());
  endless.Cancel();
  EXPECT_EQ(endless.CheckAlive().code(), ErrorCode::kCanceled);
}

}  // namespace
}  // namespace elanus
