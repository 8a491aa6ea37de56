// A segment whose files lie elsewhere: they are fetched when somebody reads them, and a damaged
// copy of one is fetched anew.
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <set>

#include "data/node.h"
#include "data/testing/thousand_rows.h"
#include "segment/sealed.h"
#include "store/memory/memory_disk.h"
#include "store/testing/forwarding_store.h"

namespace elanus::data {
namespace {

/// As a remote store: counts what is opened, and gives damaged copies of what a test names.
class RemoteStore final : public store::ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  Result<Blob> Open(Context& ctx, std::string_view key) override {
    if (meanwhile) meanwhile(std::string(key));
    TRY(ctx.CheckAlive());
    const std::lock_guard<std::mutex> lock(mutex_);
    ++opened[std::string(key)];
    TRY_ASSIGN(Blob blob, ForwardingStore::Open(ctx, key));
    if (damaged.count(std::string(key)) == 0) return blob;
    auto copy = std::make_shared<std::string>(blob.bytes());
    (*copy)[copy->size() / 2] ^= 1;
    return Blob(copy, *copy, copy->size());
  }
  bool IsRemote() const override { return true; }
  bool ForgetCopy(Context&, std::string_view key) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (is_damaged_for_good) return true;
    return damaged.erase(std::string(key)) > 0;
  }

  std::map<std::string, int> opened;
  std::set<std::string> damaged;
  bool is_damaged_for_good = false;
  std::function<void(const std::string&)> meanwhile;  // While something is being opened.

 private:
  std::mutex mutex_;
};

/// A place where whoever comes with one of some names waits for those with the others.
class Meeting {
 public:
  explicit Meeting(std::set<std::string> names) : names_(std::move(names)) {}
  void Come(const std::string& name) {
    std::unique_lock<std::mutex> lock(mutex_);
    if (names_.count(name) == 0) return;
    here_.insert(name);
    came_.notify_all();
    came_.wait_for(lock, std::chrono::seconds(20), [&] { return here_ == names_; });
    met_ = met_ && here_ == names_;
  }
  bool met() const { return met_ && here_ == names_; }

 private:
  const std::set<std::string> names_;
  std::set<std::string> here_;
  bool met_ = true;
  std::mutex mutex_;
  std::condition_variable came_;
};

class RemoteSegment : public testing::Test {
 protected:
  RemoteSegment() {
    info_ = *node_.Flush(ctx_, ThousandRows());
    remote_.opened.clear();
  }
  std::shared_ptr<segment::Sealed> Open(segment::LoadOptions load = {
                                            .warms_scalar_fields = "disable"}) {
    auto opened = segment::Sealed::Open(
        ctx_,
        {.objects = remote_,
         .cache = std::make_shared<segment::PieceCache>(segment::PieceCacheOptions(), 1 << 30),
         .load = load,
         .keys = keys_,
         .fetches = fetches_},
        info_, collection_);
    EXPECT_TRUE(opened.ok()) << opened.status().ToString();
    return opened.ok() ? *opened : nullptr;
  }
  static std::string File(const char* name) { return std::string("segments/3/1/") + name; }
  using Keys = std::set<std::string>;

  ManualClock clock_;
  Context ctx_{clock_};
  std::unique_ptr<Executor> executor_ = MakeThreadExecutor();
  store::MemoryDisk disk_;
  std::unique_ptr<store::ObjectStore> objects_ = disk_.OpenObjects();
  RemoteStore remote_{*objects_};
  Pool pool_{*executor_, "build", 1, 16};
  Node node_{*executor_, remote_, pool_, {}};
  Pool fetch_pool_{*executor_, "fetch", 3, 100};
  segment::Fetches fetches_;  // As a test says.
  std::shared_ptr<segment::KeysInUse> keys_ = std::make_shared<segment::KeysInUse>();
  model::CollectionInfo collection_ = SmallCollection();
  model::SegmentInfo info_;
};

TEST_F(RemoteSegment, ALoadOpensWhatStaysOpenAndNothingElse) {
  const auto sealed = Open();
  ASSERT_TRUE(segment::Sealed::Warm(ctx_, {sealed}, segment::WarmUp::kSync).ok());
  const std::map<std::string, int> expected = {
      {File("1.col"), 1}, {File("100.col"), 1}, {File("manifest"), 1}};
  EXPECT_EQ(remote_.opened, expected);
  const auto view = sealed->Snapshot();
  ASSERT_TRUE(view->Read(kNumber, 0, 10).ok());
  ASSERT_TRUE(view->Read(kNumber, 500, 10).ok());
  EXPECT_EQ(remote_.opened[File("101.col")], 1);
  EXPECT_EQ(remote_.opened.count(File("102.col")), 0u);
  ASSERT_TRUE(view->Vectors(kVector).ok());
  EXPECT_EQ(remote_.opened[File("102.col")], 1);
}

TEST_F(RemoteSegment, WhatIsToBeWarmIsOpenedByTheLoad) {
  const auto sealed = Open({.warms_scalar_fields = "sync"});
  ASSERT_TRUE(segment::Sealed::Warm(ctx_, {sealed}, segment::WarmUp::kSync).ok());
  EXPECT_EQ(remote_.opened.count(File("101.col")), 1u);
  EXPECT_EQ(remote_.opened.count(File("102.col")), 0u);
}

TEST_F(RemoteSegment, ALoadFetchesWhatItNeedsAtTheSameTime) {
  fetches_ = segment::Fetches(fetch_pool_);
  Meeting held({File("1.col"), File("100.col")});
  Meeting warmed({File("101.col"), File("102.col")});
  remote_.meanwhile = [&](const std::string& key) {
    held.Come(key);
    warmed.Come(key);
  };
  const auto sealed = Open({.warms_vector_fields = "sync", .warms_scalar_fields = "sync"});
  EXPECT_TRUE(held.met());
  ASSERT_TRUE(segment::Sealed::Warm(ctx_, {sealed}, segment::WarmUp::kSync, fetches_).ok());
  EXPECT_TRUE(warmed.met());
}

TEST_F(RemoteSegment, ItsFilesAreInUseForAsLongAsSomebodyMayReadThem) {
  auto sealed = Open();
  const Keys files = {File("101.col"), File("102.col")};
  EXPECT_EQ(keys_->List(), files);
  auto view = sealed->Snapshot();
  auto other = Open();
  sealed.reset();
  other.reset();
  EXPECT_EQ(keys_->List(), files) << "a read goes on in a released segment";
  ASSERT_TRUE(view->Read(kNumber, 0, 10).ok());
  view.reset();
  EXPECT_TRUE(keys_->List().empty());
}

TEST_F(RemoteSegment, WhatAReadOpensEndsWithItsCaller) {
  const auto sealed = Open();
  Context caller(clock_);
  const auto view = sealed->Snapshot(&caller);
  ASSERT_TRUE(view->Read(kNumber, 0, 10).ok());
  remote_.meanwhile = [&](const std::string&) { caller.Cancel(); };
  EXPECT_EQ(view->Vectors(kVector).status().code(), ErrorCode::kCanceled);
  EXPECT_TRUE(view->Read(kNumber, 500, 10).ok()) << "it is open";
  EXPECT_TRUE(sealed->Snapshot()->Vectors(kVector).ok());
  Context late(clock_, clock_.MonotonicUs() - 1);
  EXPECT_EQ(Open()->Snapshot(&late)->Vectors(kVector).status().code(),
            ErrorCode::kDeadlineExceeded);
}

TEST_F(RemoteSegment, ADamagedCopyIsFetchedAnewOnce) {
  for (const char* name : {"1.col", "100.col", "101.col", "102.col", "manifest"}) {
    remote_.damaged.insert(File(name));
  }
  const auto sealed = Open();
  ASSERT_NE(sealed, nullptr);
  const auto view = sealed->Snapshot();
  const auto numbers = view->Read(kNumber, 17, 1);
  ASSERT_TRUE(numbers.ok()) << numbers.status().ToString();
  EXPECT_EQ(numbers->Get<int64_t>(0), 17);
  const auto blocks = view->Vectors(kVector);
  ASSERT_TRUE(blocks.ok()) << blocks.status().ToString();
  for (const auto& [key, count] : remote_.opened) EXPECT_EQ(count, 2) << key;
  EXPECT_TRUE(remote_.damaged.empty());
}

TEST_F(RemoteSegment, WhatIsDamagedInTheStoreIsAnErrorAfterTheSecondLook) {
  remote_.damaged.insert(File("101.col"));
  remote_.is_damaged_for_good = true;
  const auto sealed = Open();
  EXPECT_EQ(sealed->Snapshot()->Read(kNumber, 0, 1).status().code(), ErrorCode::kIntegrity);
  EXPECT_EQ(remote_.opened[File("101.col")], 2);
}

}  // namespace
}  // namespace elanus::data
