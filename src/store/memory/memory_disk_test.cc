// The memory stores keep the stores' promises and lose nothing but what was in flight.
#include "store/memory/memory_disk.h"

#include <gtest/gtest.h>

#include "store/conformance/meta_conformance.h"
#include "store/conformance/object_conformance.h"
#include "store/conformance/wal_conformance.h"
#include "store/object_key.h"

namespace elanus::store {
namespace {

using Medium = std::shared_ptr<void>;

Medium MakeDisk() { return std::make_shared<MemoryDisk>(); }
MemoryDisk& DiskOf(const Medium& medium) { return *static_cast<MemoryDisk*>(medium.get()); }
void Crash(const Medium& medium) {
  std::mt19937_64 rng(1);
  DiskOf(medium).Crash(rng);
}
std::string NameOf(const auto& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Memory, WalConformance,
                         testing::Values(WalMedium{
                             .name = "memory",
                             .make = MakeDisk,
                             .open = [](const Medium& m) { return DiskOf(m).OpenWal(); }}),
                         NameOf<testing::TestParamInfo<WalMedium>>);

INSTANTIATE_TEST_SUITE_P(Memory, MetaConformance,
                         testing::Values(MetaMedium{
                             .name = "memory",
                             .make = MakeDisk,
                             .open = [](const Medium& m) { return DiskOf(m).OpenMeta(); },
                             .crash = Crash}),
                         NameOf<testing::TestParamInfo<MetaMedium>>);

void CrashInPut(const Medium& medium, ObjectStore& store, const std::string& key,
                const std::string& bytes) {
  Crash(medium);
  SystemClock clock;
  Context ctx(clock);
  EXPECT_EQ(store.Put(ctx, key, bytes).code(), ErrorCode::kIoFailed);
}

INSTANTIATE_TEST_SUITE_P(Memory, ObjectConformance,
                         testing::Values(ObjectMedium{
                             .name = "memory",
                             .make = MakeDisk,
                             .open = [](const Medium& m) { return DiskOf(m).OpenObjects(); },
                             .crash_in_put = CrashInPut}),
                         NameOf<testing::TestParamInfo<ObjectMedium>>);

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

TEST(ObjectKey, RefusesWhatCouldLeaveTheFolder) {
  for (const char* bad :
       {"", "/a", "a/", "a//b", "../a", "a/..", ".", "a/./b", "a\\b", "a\nb", ".a", "a/.b"}) {
    EXPECT_FALSE(CheckObjectKey(bad).ok()) << bad;
  }
  EXPECT_TRUE(CheckObjectKey("segments/1/2/100.col").ok());
  EXPECT_TRUE(CheckObjectKey("deltas/1/by-dev-rootcoord-dml_0_1v0/00017").ok());
}

}  // namespace
}  // namespace elanus::store
