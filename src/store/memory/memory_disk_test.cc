// The memory stores keep the stores' promises and lose nothing but what was in flight.
#include "store/memory/memory_disk.h"

#include <gtest/gtest.h>

#include "store/conformance/wal_conformance.h"
#include "store/object_key.h"

namespace elanus::store {
namespace {

INSTANTIATE_TEST_SUITE_P(
    Memory, WalConformance,
    testing::Values(WalMedium{
        .name = "memory",
        .make = [] { return std::static_pointer_cast<void>(std::make_shared<MemoryDisk>()); },
        .open =
            [](const std::shared_ptr<void>& m) {
              return static_cast<MemoryDisk*>(m.get())->OpenWal();
            }}),
    [](const auto& info) { return info.param.name; });

TEST(MemoryDisk, RefusesEverythingAfterACrashUntilReopened) {
  SystemClock clock;
  Context ctx(clock);
  MemoryDisk disk;
  auto objects = disk.OpenObjects();
  auto meta = disk.OpenMeta();
  ASSERT_TRUE(objects->Put(ctx, "a/b", "bytes").ok());
  ASSERT_TRUE(*meta->Commit(ctx, {.compares = {}, .puts = {{"k", "v"}}, .deletes = {}}));
  std::mt19937_64 rng(1);
  disk.Crash(rng);
  EXPECT_EQ(objects->Open(ctx, "a/b").status().code(), ErrorCode::kIoFailed);
  EXPECT_EQ(disk.OpenObjects()->Open(ctx, "a/b")->bytes(), "bytes");
  EXPECT_EQ(**disk.OpenMeta()->Get(ctx, "k"), "v");
}

TEST(MetaStore, CommitsAllOrNothing) {
  SystemClock clock;
  Context ctx(clock);
  MemoryDisk disk;
  auto meta = disk.OpenMeta();
  MetaTxn txn{.compares = {{"a", std::nullopt}}, .puts = {{"a", "1"}, {"b", "2"}}, .deletes = {}};
  EXPECT_TRUE(*meta->Commit(ctx, txn));
  txn.puts = {{"b", "3"}};
  EXPECT_FALSE(*meta->Commit(ctx, txn));
  EXPECT_EQ(**meta->Get(ctx, "b"), "2");
  EXPECT_EQ(meta->Scan(ctx, "")->size(), 2u);
}

TEST(ObjectKey, RefusesWhatCouldLeaveTheFolder) {
  for (const char* bad : {"", "/a", "a/", "a//b", "../a", "a/..", ".", "a/./b", "a\\b", "a\nb"}) {
    EXPECT_FALSE(CheckObjectKey(bad).ok()) << bad;
  }
  EXPECT_TRUE(CheckObjectKey("segments/1/2/100.col").ok());
}

}  // namespace
}  // namespace elanus::store
