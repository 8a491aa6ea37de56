// A log whose next file cannot begin goes on in the one it has, and loses nothing of that.
#include <gtest/gtest.h>

#include "backend/faulty/faulty_disk.h"
#include "backend/local/file_wal.h"

namespace elanus::backend {
namespace {

TEST(LogRotation, ThatFailsAtAnyOperationHidesNoLaterRecord) {
  ManualClock clock;
  Context ctx(clock);
  const std::string text(4000, 'x');
  const std::string_view record = text;
  for (const Fault fault : {Fault::kIoError, Fault::kShortWrite, Fault::kFailedSync}) {
    for (uint64_t at = 0; at < 40; ++at) {
      FaultyDisk disk(at + 1);
      std::unique_ptr<store::Wal> wal = *OpenFileWal("/wal", {.file_bytes_max = 10'000}, disk);
      store::WalPosition last = 0;
      ASSERT_TRUE(wal->Append(ctx, "s", {&record, 1}).ok());
      disk.Arm(disk.operations() + at, fault);
      for (int i = 0; i < 8; ++i) {
        const auto appended = wal->Append(ctx, "s", {&record, 1});
        if (appended.ok()) last = appended->back();
        if (i == 5) (void)wal->Truncate(ctx, "s", last);
      }
      disk.Disarm();
      const auto reopened = OpenFileWal("/wal", {.file_bytes_max = 10'000}, disk);
      ASSERT_TRUE(reopened.ok());
      EXPECT_GE(*(*reopened)->LastPosition(ctx, "s"), last) << NameOf(fault) << " at " << at;
    }
  }
}

}  // namespace
}  // namespace elanus::backend
