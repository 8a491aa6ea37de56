// The number of the last commit: it is the newest that was set, or, torn or damaged, the one
// before; never one that was not set.
#include "backend/rocksdb/commit_mark.h"

#include <gtest/gtest.h>

#include "backend/faulty/faulty_disk.h"

namespace elanus::backend {
namespace {

constexpr const char* kPath = "/mark";

// After `count` numbers, 10, 20 and so on.
void Fill(FileSystem& files, uint64_t count) {
  auto mark = CommitMark::Open(files, kPath);
  ASSERT_TRUE(mark.ok()) << mark.status().ToString();
  EXPECT_EQ(mark->number(), 0u);
  for (uint64_t i = 1; i <= count; ++i) {
    ASSERT_TRUE(mark->Set(i * 10).ok());
    EXPECT_EQ(mark->number(), i * 10);
  }
}

TEST(CommitMark, IsTheNewestAfterAPowerFailure) {
  for (uint64_t count = 1; count < 6; ++count) {
    FaultyDisk disk(count);
    Fill(disk, count);
    disk.PowerOff();
    auto mark = CommitMark::Open(disk, kPath);
    ASSERT_TRUE(mark.ok());
    EXPECT_EQ(mark->number(), count * 10);
    ASSERT_TRUE(mark->Set(70).ok()) << "it goes on";
    disk.PowerOff();
    EXPECT_EQ(CommitMark::Open(disk, kPath)->number(), 70u);
  }
}

TEST(CommitMark, IsThisNumberOrTheOneBeforeWhateverFails) {
  for (const Fault fault : {Fault::kIoError, Fault::kShortWrite, Fault::kNoSpace,
                            Fault::kFailedSync, Fault::kKill, Fault::kPowerOff}) {
    for (uint64_t at = 0; at < 14; ++at) {
      FaultyDisk disk(at);
      disk.Arm(at, fault);
      uint64_t set = 0;
      {
        auto mark = CommitMark::Open(disk, kPath);
        ASSERT_TRUE(mark.ok());
        for (uint64_t number = 1; number <= 5; ++number) {
          if (mark->Set(number).ok()) set = number;
        }
      }
      disk.PowerOff();
      disk.Disarm();
      const auto mark = CommitMark::Open(disk, kPath);
      ASSERT_TRUE(mark.ok()) << NameOf(fault) << " at " << at << mark.status().ToString();
      EXPECT_GE(mark->number(), set) << NameOf(fault) << " at " << at;
      EXPECT_LE(mark->number(), 5u);
    }
  }
}

TEST(CommitMark, IsNeverAheadWhenAByteIsAltered) {
  FaultyDisk disk(1);
  Fill(disk, 3);
  const std::string whole = *disk.Read(kPath);
  const auto with = [&](const std::string& bytes) {
    auto file = disk.OpenToWrite(kPath, FileSystem::Creation::kEmpty);
    const std::string_view part = bytes;
    EXPECT_TRUE((*file)->Write(0, std::span(&part, 1)).ok());
    return CommitMark::Open(disk, kPath);
  };
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string altered = whole;
    altered[at] = static_cast<char>(altered[at] ^ 0x40);
    const auto mark = with(altered);
    ASSERT_TRUE(mark.ok());
    EXPECT_TRUE(mark->number() == 30 || mark->number() == 20) << mark->number() << " at " << at;
    const auto cut = with(whole.substr(0, at));
    if (cut.ok()) {
      EXPECT_TRUE(cut->number() == 30 || cut->number() == 20) << "cut at " << at;
    } else {
      EXPECT_EQ(cut.status().code(), ErrorCode::kIntegrity);
    }
  }
  EXPECT_EQ(with(std::string(whole.size(), '\0')).status().code(), ErrorCode::kIntegrity);
}

}  // namespace
}  // namespace elanus::backend
