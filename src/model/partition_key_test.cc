// Keys to partitions: known hashes, and that scalars and columns agree.
#include "model/partition_key.h"

#include <gtest/gtest.h>

#include "model/shard_of.h"

namespace elanus::model {
namespace {

TEST(PartitionKey, HashesAreThoseOfThePublishedFunctions) {
  // MurmurHash3_x86_32 of the eight bytes, and the CRC-32 check value.
  EXPECT_EQ(HashOfKey(int64_t{0}), 1669671676u);
  EXPECT_EQ(HashOfKey("123456789"), 0xCBF43926u);
  EXPECT_EQ(HashOfKey(""), 0u);
  EXPECT_LT(HashOfKey(int64_t{-1}), 0x80000000u);
}

TEST(PartitionKey, LongTextsAreHashedByTheirFirst100Bytes) {
  const std::string head(100, 'x');
  EXPECT_EQ(HashOfKey(head + "a"), HashOfKey(head + "b"));
  EXPECT_NE(HashOfKey(head.substr(1) + "a"), HashOfKey(head.substr(1) + "b"));
}

TEST(PartitionKey, AColumnAndAConstantComeToTheSamePlace) {
  Column ints = MakeColumn(FieldId(100), "key", DataType::kInt64, DataType::kNone, 0);
  Column texts = MakeColumn(FieldId(101), "key", DataType::kVarChar, DataType::kNone, 0);
  std::vector<int> met(16);
  for (int64_t i = 0; i < 2000; ++i) {
    const int64_t key = i * 7919 - 100000;
    ints.AppendFixed(&key);
    texts.AppendBytes("tenant " + std::to_string(key));
    const auto row = static_cast<size_t>(i);
    const size_t at = PartitionOfKey(ints.view(), row, 16);
    ++met[at];
    EXPECT_EQ(at, PartitionOfKey(Scalar(key), 16));
    EXPECT_EQ(PartitionOfKey(texts.view(), row, 7),
              PartitionOfKey(Scalar("tenant " + std::to_string(key)), 7));
  }
  for (int rows : met) EXPECT_GT(rows, 60) << "about 125 of 2000 each";
}

TEST(PartitionKey, IsIsolatedWhenThePropertySaysSoAndThereIsAKey) {
  CollectionInfo info;
  info.schema.fields.push_back({.id = FieldId(100), .name = "key", .type = DataType::kInt64});
  info.properties = {{std::string(kIsolationKey), "true"}};
  EXPECT_EQ(IsolatedKey(info), nullptr);
  info.schema.fields[0].is_partition_key = true;
  ASSERT_NE(IsolatedKey(info), nullptr);
  EXPECT_EQ(IsolatedKey(info)->name, "key");
  info.properties = {{std::string(kIsolationKey), "false"}};
  EXPECT_EQ(IsolatedKey(info), nullptr);
}

}  // namespace
}  // namespace elanus::model
