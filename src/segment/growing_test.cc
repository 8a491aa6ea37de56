// Growing segments: what readers see while rows come and go.
#include "segment/growing.h"

#include <gtest/gtest.h>

namespace elanus::segment {
namespace {

std::shared_ptr<const model::CollectionSchema> Schema() {
  auto schema = std::make_shared<model::CollectionSchema>();
  schema->name = "c";
  schema->fields.push_back(
      {.id = FieldId(100), .name = "id", .type = model::DataType::kInt64, .is_primary_key = true});
  schema->fields.push_back({.id = FieldId(101),
                            .name = "text",
                            .type = model::DataType::kVarChar,
                            .nullable = true,
                            .type_params = {{"max_length", "100"}}});
  return schema;
}

model::Column Keys(int64_t first, int64_t count) {
  model::Column column =
      model::MakeColumn(FieldId(100), "id", model::DataType::kInt64, model::DataType::kNone, 0);
  for (int64_t i = first; i < first + count; ++i) column.AppendFixed(&i);
  return column;
}

size_t CountVisible(const SegmentView& view, uint64_t at) {
  const Visible visible = view.VisibleAt(Timestamp(at));
  if (visible.none) return 0;
  return visible.rows == nullptr ? view.rows() : visible.rows->Count();
}

TEST(Growing, HidesDeletedRowsFromTheDeletesMomentOn) {
  Growing growing(SegmentId(1), PartitionId(2), Schema());
  growing.Append(std::vector<model::Column>{Keys(0, 30)}, Timestamp(10));
  growing.Delete(Keys(5, 1).view(), Timestamp(20));
  EXPECT_EQ(CountVisible(*growing.Snapshot(), 19), 30u);
  EXPECT_EQ(CountVisible(*growing.Snapshot(), 20), 29u);
  EXPECT_EQ(CountVisible(*growing.Snapshot(), 9), 0u);
}

TEST(Growing, KeepsARowThatHasTheDeletesOwnTimestamp) {
  Growing growing(SegmentId(1), PartitionId(2), Schema());
  growing.Append(std::vector<model::Column>{Keys(0, 1)}, Timestamp(10));
  growing.Delete(Keys(0, 1).view(), Timestamp(20));
  growing.Append(std::vector<model::Column>{Keys(0, 1)}, Timestamp(20));
  EXPECT_EQ(CountVisible(*growing.Snapshot(), 20), 1u);
}

TEST(Growing, KeepsSnapshotsWholeWhileItGrowsPastItsChunks) {
  Growing growing(SegmentId(1), PartitionId(2), Schema());
  model::Column texts =
      model::MakeColumn(FieldId(101), "text", model::DataType::kVarChar, model::DataType::kNone, 0);
  for (int i = 0; i < 5000; ++i) {
    if (i % 7 == 0)
      texts.AppendNull();
    else
      texts.AppendBytes("row " + std::to_string(i));
  }
  growing.Append(std::vector<model::Column>{Keys(0, 5000), texts}, Timestamp(10));
  const auto before = growing.Snapshot();
  for (int i = 1; i < 5; ++i) {
    growing.Append(std::vector<model::Column>{Keys(5000 * i, 5000), texts}, Timestamp(10 + i));
  }
  EXPECT_EQ(before->rows(), 5000u);
  const auto after = growing.Snapshot();
  ASSERT_EQ(after->rows(), 25000u);
  for (size_t row : {0u, 4999u, 5001u, 8191u, 8192u, 16384u, 24999u}) {
    const auto ids = after->Read(FieldId(100), row, 1);
    const auto view = after->Read(FieldId(101), row, 1);
    ASSERT_TRUE(ids.ok() && view.ok());
    EXPECT_EQ(ids->Get<int64_t>(0), static_cast<int64_t>(row));
    EXPECT_EQ(view->IsValid(0), row % 5000 % 7 != 0);
    if (view->IsValid(0)) {
      EXPECT_EQ(view->Bytes(0), "row " + std::to_string(row % 5000));
    }
  }
}

TEST(Growing, ExportsWhatIsNotDeleted) {
  Growing growing(SegmentId(1), PartitionId(2), Schema());
  growing.Append(std::vector<model::Column>{Keys(0, 10)}, Timestamp(10));
  growing.Delete(Keys(2, 3).view(), Timestamp(20));
  std::vector<model::Column> columns;
  std::vector<uint64_t> timestamps;
  growing.Export(columns, timestamps);
  ASSERT_EQ(columns.size(), 2u);
  EXPECT_EQ(columns[0].rows, 7u);
  EXPECT_EQ(timestamps.size(), 7u);
  EXPECT_EQ(columns[1].valid, std::vector<uint8_t>(7, 0));
}

}  // namespace
}  // namespace elanus::segment
