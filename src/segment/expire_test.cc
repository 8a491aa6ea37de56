// Rows past their time to live, in growing segments of more than one chunk.
#include "segment/expire.h"

#include <gtest/gtest.h>

#include "segment/growing.h"

namespace elanus::segment {
namespace {

TEST(Expire, HidesTheRowsInsertedBeforeTheMomentAndThoseHiddenAlready) {
  auto schema = std::make_shared<model::CollectionSchema>();
  schema->fields.push_back(
      {.id = FieldId(100), .name = "id", .type = model::DataType::kInt64, .is_primary_key = true});
  Growing growing(SegmentId(1), PartitionId(1), schema);
  // Ten rows a moment, 10,000 rows in all.
  for (uint64_t moment = 0; moment < 1000; ++moment) {
    model::Column keys =
        model::MakeColumn(FieldId(100), "id", model::DataType::kInt64, model::DataType::kNone, 0);
    for (int64_t i = 0; i < 10; ++i) {
      const int64_t key = static_cast<int64_t>(moment) * 10 + i;
      keys.AppendFixed(&key);
    }
    growing.Append(std::span(&keys, 1), Timestamp(100 + moment));
  }
  const auto view = growing.Snapshot();
  const auto count = [&](const SegmentView& of, uint64_t before) -> size_t {
    const Visible visible = HideExpired(of, of.VisibleAt(kTimestampMax), Timestamp(before));
    if (visible.none) return 0;
    return visible.rows == nullptr ? of.rows() : visible.rows->Count();
  };
  EXPECT_EQ(count(*view, 0), 10'000u);
  EXPECT_EQ(count(*view, 100), 10'000u);
  EXPECT_EQ(count(*view, 101), 9'990u);
  EXPECT_EQ(count(*view, 950), 1'500u);
  EXPECT_EQ(count(*view, 1099), 10u);
  EXPECT_EQ(count(*view, 1100), 0u);

  model::Column gone =
      model::MakeColumn(FieldId(100), "id", model::DataType::kInt64, model::DataType::kNone, 0);
  for (int64_t key : {int64_t{3}, int64_t{9999}}) gone.AppendFixed(&key);
  growing.Delete(gone.view(), Timestamp(5000));
  const auto after = growing.Snapshot();
  EXPECT_EQ(count(*after, 0), 9'998u);
  EXPECT_EQ(count(*after, 101), 9'989u) << "row 3 is not subtracted twice";
  EXPECT_EQ(count(*after, 1099), 9u);
  const Visible visible = HideExpired(*after, after->VisibleAt(kTimestampMax), Timestamp(107));
  EXPECT_FALSE(visible.rows->Test(69));
  EXPECT_TRUE(visible.rows->Test(70));
}

}  // namespace
}  // namespace elanus::segment
