// What a data node writes into a segment's files beside its rows, as a query node uses it: ranges
// of blocks, and the filter of keys.
#include <gtest/gtest.h>

#include <atomic>

#include "base/executor.h"
#include "data/node.h"
#include "expr/expr.h"
#include "segment/filter_source.h"
#include "segment/primary_keys.h"
#include "segment/sealed.h"
#include "store/memory/memory_disk.h"

namespace elanus::data {
namespace {

using model::DataType;
using segment::Sealed;

constexpr FieldId kKey{100};
constexpr FieldId kNumber{101};

class WrittenSegment : public testing::Test {
 protected:
  WrittenSegment() {
    collection_.id = CollectionId(3);
    collection_.schema.name = "c";
    collection_.schema.fields.push_back(
        {.id = kKey, .name = "id", .type = DataType::kInt64, .is_primary_key = true});
    collection_.schema.fields.push_back(
        {.id = kNumber, .name = "number", .type = DataType::kInt64});
  }

  // Keys first, first + step, ...; the numbers are 0, 1, ... All of the moment 10.
  std::shared_ptr<Sealed> Write(int64_t id, int64_t rows, int64_t first = 0, int64_t step = 1,
                                bool has_filter = true) {
    roles::FlushTask task{.segment = SegmentId(id),
                          .collection = collection_.id,
                          .partition = PartitionId(11),
                          .vchannel = "v",
                          .primary_key = has_filter ? kKey : FieldId()};
    for (const model::FieldSchema& field : collection_.schema.fields) {
      task.columns.push_back(model::MakeColumn(field.id, field.name, field.type, {}, 0));
    }
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t key = first + row * step;
      task.columns[0].AppendFixed(&key);
      task.columns[1].AppendFixed(&row);
      task.row_timestamps.push_back(10);
    }
    const auto flushed = node_.Flush(ctx_, task);
    EXPECT_TRUE(flushed.ok()) << flushed.status().ToString();
    return Open(*flushed);
  }
  // Of a segment that was written.
  model::SegmentInfo InfoOf(int64_t id, int64_t rows) {
    return {.id = SegmentId(id),
            .collection = collection_.id,
            .rows = rows,
            .manifest_key = fmt::format("segments/3/{}/manifest", id)};
  }
  std::shared_ptr<Sealed> Open(const model::SegmentInfo& info) {
    const auto opened = Sealed::Open(
        ctx_,
        {.objects = *objects_,
         .cache = std::make_shared<segment::PieceCache>(segment::PieceCacheOptions(), 1 << 30)},
        info, collection_);
    EXPECT_TRUE(opened.ok()) << opened.status().ToString();
    return *opened;
  }
  Status Filter(const segment::SegmentView& view, const std::string& text, Bitset& matches) {
    const auto plan = expr::Bind(text, collection_.schema, expr::Templates());
    EXPECT_TRUE(plan.ok()) << plan.status().ToString();
    return expr::Evaluate(ctx_, *plan, segment::FilterSource(view), matches);
  }

  ManualClock clock_;
  Context ctx_{clock_};
  std::unique_ptr<Executor> executor_ = MakeThreadExecutor();
  store::MemoryDisk disk_;
  std::unique_ptr<store::ObjectStore> objects_ = disk_.OpenObjects();
  Pool pool_{*executor_, "build", 1, 16};
  Node node_{*executor_, *objects_, pool_, {}};
  model::CollectionInfo collection_;
};

TEST_F(WrittenSegment, BlocksThatTheFilesRangesRuleOutAreNotRead) {
  Write(1, 20'000);
  const std::string key = "segments/3/1/101.col";
  const auto blob = objects_->Open(ctx_, key);
  ASSERT_TRUE(blob.ok());
  std::string bytes(blob->bytes());
  bytes[bytes.size() / 2] ^= 1;  // A value.
  ASSERT_TRUE(objects_->Put(ctx_, key, bytes).ok());
  const auto sealed = Open(InfoOf(1, 20'000));
  Bitset matches;
  ASSERT_TRUE(Filter(*sealed->Snapshot(), "number >= 20000", matches).ok());
  EXPECT_FALSE(matches.Any());
  ASSERT_TRUE(Filter(*sealed->Snapshot(), "number >= 0", matches).ok());
  EXPECT_EQ(matches.Count(), 20'000u);
  EXPECT_EQ(Filter(*sealed->Snapshot(), "number == 5", matches).code(), ErrorCode::kIntegrity);
}

TEST_F(WrittenSegment, AFilterGivesTheSameRowsByItsRangesAsByItsValues) {
  const auto view = Write(1, 20'000)->Snapshot();
  Bitset matches;
  for (const auto& [text, rows] : std::map<std::string, size_t>{{"number < 8192", 8192},
                                                                {"number < 8193", 8193},
                                                                {"number in [3, 19999]", 2},
                                                                {"number != 9000", 19'999},
                                                                {"id >= 19000", 1000},
                                                                {"id in [5, 19999, 30000]", 2},
                                                                {"id == 77", 1},
                                                                {"id == 20000", 0}}) {
    ASSERT_TRUE(Filter(*view, text, matches).ok()) << text;
    EXPECT_EQ(matches.Count(), rows) << text;
  }
}

// Keys of twenty segments that none of their ranges tells apart.
TEST_F(WrittenSegment, NearlyAllLookUpsOfKeysThatOtherSegmentsHaveAreSaved) {
  constexpr int64_t kSegments = 20;
  constexpr int64_t kRows = 1000;
  for (bool has_filter : {true, false}) {
    std::vector<std::shared_ptr<const segment::SegmentView>> views;
    for (int64_t s = 0; s < kSegments; ++s) {
      views.push_back(Write(s + 1, kRows, s, kSegments, has_filter)->Snapshot());
    }
    model::Column keys = model::MakeColumn(kKey, "", DataType::kInt64, DataType::kNone, 0);
    for (int64_t key = 0; key < kSegments * kRows; ++key) keys.AppendFixed(&key);
    size_t searched = 0;
    size_t found = 0;
    for (const auto& view : views) {
      segment::KeyLookup walk(*view->KeyOrder());
      for (size_t i = 0; i < keys.rows; ++i) {
        const auto count = [&](uint32_t) { ++found; };
        searched += walk.ForEachEqual(keys.view(), i, count) ? 1 : 0;
      }
    }
    EXPECT_EQ(found, static_cast<size_t>(kSegments * kRows));
    if (has_filter) {
      EXPECT_LT(searched, found + found * (kSegments - 1) / 100);
    } else {
      EXPECT_EQ(searched, found * kSegments);
    }
  }
}

TEST_F(WrittenSegment, AMillionDeletesKeepNoReaderWaiting) {
  constexpr int64_t kRows = 1'000'000;
  constexpr int kTries = 20;  // On a busy machine the reader may sleep meanwhile.
  Write(1, kRows);
  model::Column keys = model::MakeColumn(kKey, "", DataType::kInt64, DataType::kNone, 0);
  for (int64_t key = kRows - 1; key >= 0; --key) keys.AppendFixed(&key);
  model::Deletes deletes;
  deletes.Append(keys.view(), Timestamp(20), PartitionId());
  size_t reads = 0;  // While one delete was under way.
  for (int i = 0; i < kTries && reads <= 100; ++i) {
    const auto sealed = Open(InfoOf(1, kRows));
    std::atomic<bool> has_begun{false};
    std::atomic<bool> is_over{false};
    const auto worker = executor_->Spawn("deletes", [&] {
      has_begun = true;
      sealed->ApplyDeletes(deletes);
      is_over = true;
    });
    reads = 0;
    while (!is_over) {
      const segment::Visible visible = sealed->Snapshot()->VisibleAt(kTimestampMax);
      reads += has_begun && !is_over ? 1 : 0;
      const size_t rows = visible.rows == nullptr ? kRows : visible.rows->Count();
      EXPECT_TRUE(rows == kRows || rows == 0) << "deletes are shown together: " << rows;
    }
    const segment::Visible visible = sealed->Snapshot()->VisibleAt(kTimestampMax);
    ASSERT_NE(visible.rows, nullptr);
    EXPECT_FALSE(visible.rows->Any());
  }
  EXPECT_GT(reads, 100u);
}

TEST_F(WrittenSegment, SaysWhetherItsKeysAscendAndOfWhichVersionItsFilesAre) {
  const auto write = [&](DataType type, const std::vector<std::string>& keys) {
    roles::FlushTask task{.segment = SegmentId(1),
                          .collection = collection_.id,
                          .partition = PartitionId(11),
                          .vchannel = "v",
                          .columns = {model::MakeColumn(kKey, "id", type, {}, 0)},
                          .primary_key = kKey};
    for (const std::string& key : keys) {
      if (type == DataType::kInt64) {
        const int64_t number = std::stoll(key);
        task.columns[0].AppendFixed(&number);
      } else {
        task.columns[0].AppendBytes(key);
      }
      task.row_timestamps.push_back(10);
    }
    const auto flushed = node_.Flush(ctx_, task);
    EXPECT_TRUE(flushed.ok()) << flushed.status().ToString();
    EXPECT_EQ(flushed->file_version, 2) << "docs/storage-format.md";
    return flushed->is_sorted_by_key;
  };
  EXPECT_TRUE(write(DataType::kInt64, {"7"}));
  EXPECT_TRUE(write(DataType::kInt64, {"-300", "-2", "0", "0", "256", "257"}));
  EXPECT_FALSE(write(DataType::kInt64, {"1", "2", "-3"}));
  EXPECT_FALSE(write(DataType::kInt64, {"2", "1", "3"}));
  EXPECT_TRUE(write(DataType::kVarChar, {"", "", "10", "9", "9a"}));
  EXPECT_FALSE(write(DataType::kVarChar, {"9", "10"}));
  EXPECT_FALSE(write(DataType::kVarChar, {"a", ""}));
}

}  // namespace
}  // namespace elanus::data
