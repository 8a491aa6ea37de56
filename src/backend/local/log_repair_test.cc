// The repair of a log: wherever it is damaged, what is before stays, and what is written afterwards
// stays too; also when the repair itself is cut short.
#include "backend/local/log_repair.h"

#include <gtest/gtest.h>

#include "backend/faulty/faulty_disk.h"
#include "backend/local/file_wal.h"
#include "base/log.h"
#include "store/testing/read_payloads.h"

namespace elanus::backend {
namespace {

constexpr int kRecords = 12;

class LogRepair : public testing::Test {
 protected:
  LogRepair() { SetLogLevel(LogLevel::kOff); }
  ~LogRepair() override { SetLogLevel(LogLevel::kInfo); }

  static std::unique_ptr<store::Wal> Open(FaultyDisk& disk) {
    return std::move(*OpenFileWal("/wal", {.file_bytes_max = 150}, disk));
  }
  Result<store::WalPosition> Append(store::Wal& wal, std::string_view payload) {
    TRY_ASSIGN(const auto positions, wal.Append(ctx_, "s", std::span(&payload, 1)));
    return positions[0];
  }
  // Twelve records in four files.
  void Fill(FaultyDisk& disk) {
    const auto wal = Open(disk);
    for (int i = 1; i <= kRecords; ++i) ASSERT_TRUE(Append(*wal, fmt::format("record {}", i)).ok());
  }
  static std::vector<std::string> Logs(FaultyDisk& disk) {
    std::vector<std::string> names;
    const auto entries = disk.List("/wal/s");
    for (const FileSystem::Entry& entry : *entries) {
      if (entry.name.ends_with(".log")) names.push_back("/wal/s/" + entry.name);
    }
    return names;
  }
  static void Alter(FaultyDisk& disk, const std::string& path, size_t at) {
    std::string bytes = *disk.Read(path);
    bytes[at] = static_cast<char>(bytes[at] ^ 4);
    const std::string_view part = bytes;
    const auto file = disk.OpenToWrite(path, FileSystem::Creation::kMustExist);
    ASSERT_TRUE((*file)->Write(0, std::span(&part, 1)).ok());
    ASSERT_TRUE((*file)->Sync().ok());
  }
  // The log reads `kept` records and goes on above all that were there.
  void ExpectWhole(FaultyDisk& disk, size_t kept, const std::string& where) {
    auto wal = Open(disk);
    const auto position = Append(*wal, "new");
    ASSERT_TRUE(position.ok()) << where << position.status().ToString();
    EXPECT_GT(*position, static_cast<uint64_t>(kRecords)) << where;
    wal = Open(disk);
    const auto read = store::ReadPayloads(ctx_, *wal, "s");
    ASSERT_TRUE(read.ok()) << where << read.status().ToString();
    ASSERT_EQ(read->size(), kept + 1) << where;
    for (size_t i = 0; i < kept; ++i) EXPECT_EQ((*read)[i], fmt::format("record {}", i + 1));
    EXPECT_EQ(read->back(), "new") << where;
    EXPECT_TRUE(FindLogDamage(disk, "/wal", {{"s", kRecords}})->empty()) << where;
  }

  SystemClock clock_;
  Context ctx_{clock_};
};

TEST_F(LogRepair, FindsNothingInAWholeLogOrATornEnd) {
  FaultyDisk disk(1);
  EXPECT_TRUE(FindLogDamage(disk, "/wal", {})->empty());
  Fill(disk);
  EXPECT_TRUE(FindLogDamage(disk, "/wal", {{"s", kRecords}})->empty());
  const std::string last = Logs(disk).back();
  const uint64_t size = disk.Read(last)->size();
  ASSERT_TRUE((*disk.OpenToWrite(last, FileSystem::Creation::kMustExist))->Truncate(size - 3).ok());
  EXPECT_TRUE(FindLogDamage(disk, "/wal", {})->empty());
}

TEST_F(LogRepair, KeepsWhatIsBeforeTheDamageWhereverItIs) {
  FaultyDisk whole(1);
  Fill(whole);
  size_t before = 0;
  for (const std::string& path : Logs(whole)) {
    const size_t size = whole.Read(path)->size();
    for (size_t at = 0; at < size; at += 7) {
      FaultyDisk disk(1);
      Fill(disk);
      Alter(disk, path, at);
      const auto damages = FindLogDamage(disk, "/wal", {{"s", kRecords}});
      const std::string where = fmt::format("{} byte {}: ", path, at);
      if (!damages.ok()) {  // The letter of the version.
        EXPECT_EQ(damages.status().code(), ErrorCode::kIntegrity) << where;
        continue;
      }
      ASSERT_EQ(damages->size(), 1u) << where;
      EXPECT_LE((*damages)[0].offset, at) << where;
      ASSERT_TRUE(CutLog(disk, (*damages)[0]).ok()) << where;
      ExpectWhole(disk, (*damages)[0].first_lost - 1, where);
    }
    before += size;
  }
  EXPECT_GT(before, 400u);
}

TEST_F(LogRepair, CanBeRepeatedWhenItWasCutShort) {
  for (uint64_t at = 0; at < 30; ++at) {
    for (const Fault fault : {Fault::kKill, Fault::kPowerOff}) {
      FaultyDisk disk(at + 1);
      Fill(disk);
      Alter(disk, Logs(disk)[1], 5);
      const auto damages = FindLogDamage(disk, "/wal", {{"s", kRecords}});
      ASSERT_EQ(damages->size(), 1u);
      disk.Arm(disk.operations() + at, fault);
      const bool is_done = CutLog(disk, (*damages)[0]).ok();
      disk.Restart();
      const auto again = FindLogDamage(disk, "/wal", {{"s", kRecords}});
      ASSERT_TRUE(again.ok()) << again.status().ToString();
      EXPECT_TRUE(again->empty() || !is_done) << at;
      for (const LogDamage& damage : *again) ASSERT_TRUE(CutLog(disk, damage).ok());
      ExpectWhole(disk, (*damages)[0].first_lost - 1, fmt::format("{} at {}: ", NameOf(fault), at));
    }
  }
}

TEST_F(LogRepair, NoticesThatTheFirstFileIsGoneAndGoesOnWithoutWhatFollows) {
  for (const size_t cut_off : {0u, 1u}) {
    FaultyDisk disk(1);
    Fill(disk);
    if (cut_off > 0) {  // What the log itself has removed is not missing.
      ASSERT_TRUE(Open(disk)->Truncate(ctx_, "s", 4).ok());
      EXPECT_TRUE(FindLogDamage(disk, "/wal", {{"s", kRecords}})->empty());
      ASSERT_TRUE(Open(disk)->LastPosition(ctx_, "s").ok());
    }
    const std::vector<std::string> logs = Logs(disk);
    ASSERT_TRUE(*disk.Remove(logs[0]));
    const auto refused = Open(disk)->Read(ctx_, "s", 0);
    EXPECT_EQ(refused.status().code(), ErrorCode::kIntegrity);
    EXPECT_NE(refused.status().message().find(logs[1]), std::string::npos);
    EXPECT_NE(refused.status().message().find("is missing"), std::string::npos);
    EXPECT_NE(refused.status().message().find("elanus repair"), std::string::npos);
    const auto damages = FindLogDamage(disk, "/wal", {{"s", kRecords}});
    ASSERT_EQ(damages->size(), 1u);
    EXPECT_TRUE((*damages)[0].is_at_begin);
    for (uint64_t at = 0; at < 20; ++at) {  // Also when the repair is cut short, again and again.
      disk.Arm(disk.operations() + at, Fault::kKill);
      const auto again = FindLogDamage(disk, "/wal", {{"s", kRecords}});
      for (const LogDamage& damage : *again) (void)CutLog(disk, damage);
      disk.Restart();
    }
    ExpectWhole(disk, 0, fmt::format("{} cut off: ", cut_off));
  }
}

TEST_F(LogRepair, TakesALogOfAnEarlyBuildAsItIs) {
  FaultyDisk disk(1);
  Fill(disk);
  const auto entries = disk.List("/wal/s");
  for (const FileSystem::Entry& entry : *entries) {
    if (!entry.name.ends_with(".begin")) continue;
    ASSERT_TRUE(*disk.Remove("/wal/s/" + entry.name));
  }
  ASSERT_TRUE(*disk.Remove(Logs(disk)[0]));  // It may have been cut off.
  EXPECT_TRUE(Open(disk)->LastPosition(ctx_, "s").ok());
  ASSERT_TRUE(*disk.Remove(Logs(disk)[0]));
  EXPECT_EQ(Open(disk)->LastPosition(ctx_, "s").status().code(), ErrorCode::kIntegrity)
      << "since then it is known where it begins";
}

TEST_F(LogRepair, GoesOnAboveWhatWasReadFromALogWhoseFilesAreGone) {
  FaultyDisk disk(1);
  const auto damages = FindLogDamage(disk, "/wal", {{"s", kRecords}});
  ASSERT_EQ(damages->size(), 1u);
  EXPECT_NE((*damages)[0].words.find("files are missing"), std::string::npos);
  ASSERT_TRUE(CutLog(disk, (*damages)[0]).ok());
  ExpectWhole(disk, 0, "");
}

}  // namespace
}  // namespace elanus::backend
