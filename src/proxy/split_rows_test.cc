// Every row goes to one shard and one partition, with all of its columns.
#include "proxy/split_rows.h"

#include <gtest/gtest.h>

#include <map>

#include "model/partition_key.h"
#include "model/shard_of.h"

namespace elanus::proxy {
namespace {

using model::Column;
using model::DataType;

constexpr int64_t kRows = 500;

model::CollectionInfo Collection(size_t shards, size_t partitions, bool by_key) {
  model::CollectionInfo info;
  info.id = CollectionId(9);
  info.schema.version = 4;
  info.schema.fields = {
      {.id = FieldId(100), .name = "id", .type = DataType::kInt64, .is_primary_key = true},
      {.id = FieldId(101), .name = "tenant", .type = DataType::kInt64, .is_partition_key = by_key},
      {.id = FieldId(102), .name = "text", .type = DataType::kVarChar}};
  for (size_t s = 0; s < shards; ++s) info.vchannels.push_back("v" + std::to_string(s));
  for (size_t p = 0; p < partitions; ++p) {
    info.partitions.push_back(
        {.id = PartitionId(static_cast<int64_t>(50 + p)), .name = model::PartitionName(p)});
  }
  return info;
}

std::vector<Column> Rows() {
  std::vector<Column> columns{
      model::MakeColumn(FieldId(100), "id", DataType::kInt64, DataType::kNone, 0),
      model::MakeColumn(FieldId(101), "tenant", DataType::kInt64, DataType::kNone, 0),
      model::MakeColumn(FieldId(102), "text", DataType::kVarChar, DataType::kNone, 0)};
  for (int64_t i = 0; i < kRows; ++i) {
    const int64_t tenant = i % 23;
    columns[0].AppendFixed(&i);
    columns[1].AppendFixed(&tenant);
    columns[2].AppendBytes(std::to_string(i));
  }
  return columns;
}

// The partition of each row, by key; checks that columns belong together and rows to the shard.
std::map<int64_t, int64_t> Places(const std::vector<model::ShardWrite>& writes) {
  std::map<int64_t, int64_t> places;
  for (size_t s = 0; s < writes.size(); ++s) {
    const auto look = [&](PartitionId partition, const std::vector<Column>& columns) {
      if (columns.empty()) return;
      for (size_t row = 0; row < columns[0].rows; ++row) {
        const int64_t id = columns[0].view().Get<int64_t>(row);
        EXPECT_EQ(columns[1].view().Get<int64_t>(row), id % 23);
        EXPECT_EQ(columns[2].view().Bytes(row), std::to_string(id));
        EXPECT_EQ(model::ShardOf(columns[0].view(), row, writes.size()), s);
        EXPECT_TRUE(places.emplace(id, partition.value()).second) << "twice: " << id;
      }
    };
    look(writes[s].partition, writes[s].columns);
    for (const auto& rows : writes[s].more) look(rows.partition, rows.columns);
  }
  return places;
}

TEST(SplitRows, WithoutAKeyAllIsOfTheNamedPartition) {
  for (size_t shards : {1, 3}) {
    std::vector<Column> rows = Rows();
    const Column keys = rows[0];
    const auto writes =
        SplitRows(Collection(shards, 2, false), PartitionId(51), std::move(rows), keys, keys);
    ASSERT_EQ(writes.size(), shards);
    const auto places = Places(writes);
    EXPECT_EQ(places.size(), static_cast<size_t>(kRows));
    for (const auto& [id, partition] : places) EXPECT_EQ(partition, 51);
    size_t deleted = 0;
    for (const auto& write : writes) {
      EXPECT_TRUE(write.more.empty());
      EXPECT_FALSE(write.deletes_everywhere);
      EXPECT_EQ(write.schema_version, 4);
      deleted += write.delete_keys.rows;
    }
    EXPECT_EQ(deleted, static_cast<size_t>(kRows));
  }
}

TEST(SplitRows, WithAKeyRowsFindTheirPartitionsAndOldVersionsGoFromAll) {
  for (size_t shards : {1, 3}) {
    std::vector<Column> rows = Rows();
    const Column keys = rows[0];
    const auto writes =
        SplitRows(Collection(shards, 5, true), PartitionId(), std::move(rows), keys, keys);
    const auto places = Places(writes);
    EXPECT_EQ(places.size(), static_cast<size_t>(kRows));
    for (const auto& [id, partition] : places) {
      const size_t wanted = model::PartitionOfKey(model::Scalar(int64_t{id % 23}), 5);
      EXPECT_EQ(partition, static_cast<int64_t>(50 + wanted));
    }
    for (const auto& write : writes) EXPECT_TRUE(write.deletes_everywhere);
  }
}

TEST(SplitRows, RowsOfOnePartitionAreNotCopied) {
  std::vector<Column> rows{Rows()[0], Rows()[1]};
  for (int64_t i = 0; i < kRows; ++i) {
    std::memset(rows[1].data.data() + i * 8, 0, 8);
  }
  const uint8_t* bytes = rows[0].data.data();
  const Column keys = rows[0];
  const auto writes =
      SplitRows(Collection(1, 5, true), PartitionId(), std::move(rows), keys, Column());
  ASSERT_EQ(writes[0].columns.size(), 2u);
  EXPECT_EQ(writes[0].columns[0].data.data(), bytes);
}

TEST(SplitRows, ADeleteOfAReachedPartitionKeepsToIt) {
  const Column keys = Rows()[0];
  const auto writes = SplitRows(Collection(2, 5, true), PartitionId(52), {}, Column(), keys);
  for (const auto& write : writes) {
    EXPECT_EQ(write.partition, PartitionId(52));
    EXPECT_FALSE(write.deletes_everywhere);
    EXPECT_TRUE(write.columns.empty());
    EXPECT_GT(write.delete_keys.rows, 0u);
  }
}

}  // namespace
}  // namespace elanus::proxy
