// When writes are refused, and when they go on.
#include "coord/admission.h"

#include <gtest/gtest.h>

namespace elanus::coord {
namespace {

constexpr int64_t kMb = 1 << 20;

class AdmissionTest : public testing::Test {
 protected:
  AdmissionProbes Probes() {
    return {.memory = [this] { return MemoryUse{.total_bytes = 1000, .used_bytes = used_}; },
            .disk = [this]() -> Result<DiskUse> {
              return DiskUse{.total_bytes = 1000 * kMb, .free_bytes = free_mb_ * kMb};
            },
            .stored_bytes = [this] { return stored_mb_ * kMb; }};
  }
  // The worker looks once and then sleeps for as long as the test takes.
  void Open(AdmissionOptions options = {}) {
    options.interval_ms = 1'000'000;
    options.disk_quota_mb = 50;
    admission_ = std::make_unique<Admission>(*executor_, Probes(), options);
  }
  ErrorCode Insert() {
    admission_->Look();
    return admission_->CheckWrite(roles::WriteKind::kInsert).code();
  }
  ErrorCode Delete() {
    admission_->Look();
    return admission_->CheckWrite(roles::WriteKind::kDelete).code();
  }

  std::unique_ptr<Executor> executor_ = MakeSimExecutor(1);
  int64_t used_ = 100;
  int64_t free_mb_ = 900;
  int64_t stored_mb_ = 0;
  std::unique_ptr<Admission> admission_;
};

TEST_F(AdmissionTest, RefusesWritesFromTheHighMarkOfMemoryUntilItIsBelowTheLowOne) {
  Open();
  EXPECT_EQ(Insert(), ErrorCode::kOk);
  used_ = 949;
  EXPECT_EQ(Insert(), ErrorCode::kOk);
  used_ = 950;
  EXPECT_EQ(Insert(), ErrorCode::kQuotaExceeded);
  EXPECT_EQ(Delete(), ErrorCode::kQuotaExceeded);
  used_ = 860;
  EXPECT_EQ(Insert(), ErrorCode::kQuotaExceeded);
  used_ = 849;
  EXPECT_EQ(Insert(), ErrorCode::kOk);
}

TEST_F(AdmissionTest, RefusesInsertsButNotDeletesWhileDiskIsShort) {
  Open();
  stored_mb_ = 50;
  EXPECT_EQ(Insert(), ErrorCode::kQuotaExceeded);
  EXPECT_EQ(Delete(), ErrorCode::kOk);
  stored_mb_ = 46;
  EXPECT_EQ(Insert(), ErrorCode::kQuotaExceeded);
  stored_mb_ = 44;
  EXPECT_EQ(Insert(), ErrorCode::kOk);
  free_mb_ = 255;
  EXPECT_EQ(Insert(), ErrorCode::kQuotaExceeded);
  free_mb_ = 270;
  EXPECT_EQ(Insert(), ErrorCode::kQuotaExceeded);
  free_mb_ = 300;
  EXPECT_EQ(Insert(), ErrorCode::kOk);
}

TEST_F(AdmissionTest, WatchesNothingThatIsSwitchedOffAndRefusesAllWhenForcedTo) {
  Open({.watches_memory = false, .watches_disk = false});
  used_ = 1000;
  stored_mb_ = 1000;
  EXPECT_EQ(Insert(), ErrorCode::kOk);
  Open({.force_deny = true});
  EXPECT_EQ(Delete(), ErrorCode::kQuotaExceeded);
}

}  // namespace
}  // namespace elanus::coord
