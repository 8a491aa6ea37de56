// Merging partial answers agrees with sorting everything.
#include "model/reduce.h"

#include <gtest/gtest.h>

#include <random>

namespace elanus::model {
namespace {

Column Keys(const std::vector<int64_t>& keys) {
  Column column = MakeColumn(FieldId(100), "id", DataType::kInt64, DataType::kNone, 0);
  for (int64_t key : keys) column.AppendFixed(&key);
  return column;
}
std::vector<int64_t> KeysOf(const Column& column) {
  std::vector<int64_t> keys;
  for (size_t i = 0; i < column.rows; ++i) keys.push_back(column.view().Get<int64_t>(i));
  return keys;
}
PartialHits Hits(std::vector<uint32_t> counts, const std::vector<int64_t>& keys,
                 std::vector<float> scores, uint64_t read_at = 1) {
  PartialHits hits;
  hits.counts = std::move(counts);
  hits.primary_keys = Keys(keys);
  hits.scores = std::move(scores);
  hits.columns = {Keys(keys)};  // An output column that says which row it belongs to.
  hits.read_at = Timestamp(read_at);
  return hits;
}

TEST(ReduceHits, MergesEachQueryBestFirst) {
  const std::vector<PartialHits> parts = {Hits({2, 1}, {1, 2, 3}, {0.1f, 0.4f, 5.0f}, 4),
                                          Hits({2, 0}, {4, 5}, {0.2f, 0.3f}, 9),
                                          Hits({0, 2}, {6, 7}, {1.0f, 9.0f})};
  const PartialHits hits = ReduceHits(parts, Metric::kL2, 2, 3);
  EXPECT_EQ(hits.counts, (std::vector<uint32_t>{3, 3}));
  EXPECT_EQ(KeysOf(hits.primary_keys), (std::vector<int64_t>{1, 4, 5, 6, 3, 7}));
  EXPECT_EQ(KeysOf(hits.columns[0]), KeysOf(hits.primary_keys));
  EXPECT_EQ(hits.read_at, Timestamp(9));
}

TEST(ReduceHits, LargerScoresWinForSimilaritiesAndTiesGoToTheSmallerKey) {
  const std::vector<PartialHits> parts = {Hits({2}, {9, 1}, {0.9f, 0.5f}),
                                          Hits({2}, {8, 2}, {0.9f, 0.5f})};
  EXPECT_EQ(KeysOf(ReduceHits(parts, Metric::kIp, 1, 3).primary_keys),
            (std::vector<int64_t>{8, 9, 1}));
}

TEST(ReduceHits, AKeyInTwoPartsAppearsOnce) {
  const std::vector<PartialHits> parts = {Hits({2}, {1, 2}, {0.1f, 0.2f}),
                                          Hits({2}, {2, 3}, {0.15f, 0.3f})};
  const PartialHits hits = ReduceHits(parts, Metric::kL2, 1, 10);
  EXPECT_EQ(KeysOf(hits.primary_keys), (std::vector<int64_t>{1, 2, 3}));
  EXPECT_EQ(hits.scores[1], 0.15f);
}

TEST(ReduceHits, GroupsOfAllPartsStayTogetherTheBestFirst) {
  const auto grouped = [](const std::vector<int64_t>& keys, std::vector<float> scores,
                          const std::vector<int64_t>& groups) {
    PartialHits hits;
    hits.counts = {static_cast<uint32_t>(keys.size())};
    hits.primary_keys = Keys(keys);
    hits.scores = std::move(scores);
    hits.group_values = {Keys(groups)};
    return hits;
  };
  const std::vector<PartialHits> parts = {grouped({1, 2, 3}, {1, 4, 6}, {7, 7, 8}),
                                          grouped({4, 5, 6}, {2, 5, 3}, {9, 9, 7})};
  const PartialHits hits = ReduceHits(parts, Metric::kL2, 1, 2, 2);
  EXPECT_EQ(KeysOf(hits.primary_keys), (std::vector<int64_t>{1, 6, 4, 5}));
  EXPECT_EQ(KeysOf(hits.group_values[0]), (std::vector<int64_t>{7, 7, 9, 9}));
}

TEST(ReduceHits, NoPartsMeansNoHits) {
  EXPECT_EQ(ReduceHits({}, Metric::kL2, 3, 5).counts, (std::vector<uint32_t>{0, 0, 0}));
}

PartialRows Rows(const std::vector<int64_t>& keys, std::vector<uint64_t> timestamps) {
  PartialRows rows;
  rows.count = static_cast<int64_t>(keys.size());
  rows.primary_keys = Keys(keys);
  Column stamps = MakeColumn(FieldId(101), "at", DataType::kInt64, DataType::kNone, 0);
  for (uint64_t timestamp : timestamps) stamps.AppendFixed(&timestamp);
  rows.columns = {stamps};
  rows.row_timestamps = std::move(timestamps);
  return rows;
}

PartialRows Reduced(std::span<const PartialRows> parts, const ShardQuery& query) {
  auto rows = ReduceRows(parts, query);
  EXPECT_TRUE(rows.ok()) << rows.status().ToString();
  return rows.ok() ? *rows : PartialRows();
}

TEST(ReduceRows, SortsByKeyAndKeepsTheNewestVersion) {
  const std::vector<PartialRows> parts = {Rows({1, 3, 5}, {10, 10, 30}),
                                          Rows({1, 3, 4}, {20, 5, 7}), Rows({3}, {11})};
  const PartialRows rows = Reduced(parts, {});
  EXPECT_EQ(KeysOf(rows.primary_keys), (std::vector<int64_t>{1, 3, 4, 5}));
  EXPECT_EQ(rows.row_timestamps, (std::vector<uint64_t>{20, 11, 7, 30}));
  EXPECT_EQ(KeysOf(rows.columns[0]), (std::vector<int64_t>{20, 11, 7, 30}));
  EXPECT_EQ(KeysOf(Reduced(parts, {.limit = 2}).primary_keys), (std::vector<int64_t>{1, 3}));
  EXPECT_EQ(Reduced(parts, {.limit = 0}).primary_keys.rows, 0u);
}

TEST(ReduceRows, OrdersByFieldsAndThenByKey) {
  const std::vector<PartialRows> parts = {Rows({1, 2, 3}, {30, 10, 20}), Rows({4, 5}, {10, 20})};
  ShardQuery query{.limit = 4, .order_by = {{.field = FieldId(101)}}};
  query.read.output_fields = {FieldId(101)};
  EXPECT_EQ(KeysOf(Reduced(parts, query).primary_keys), (std::vector<int64_t>{2, 4, 3, 5}));
  query.order_by[0].is_descending = true;
  EXPECT_EQ(KeysOf(Reduced(parts, query).primary_keys), (std::vector<int64_t>{1, 3, 5, 2}));
}

TEST(ReduceRows, CountsAreAdded) {
  const std::vector<PartialRows> parts = {Rows({1, 2}, {1, 1}), Rows({3}, {1})};
  EXPECT_EQ(Reduced(parts, {.count_only = true}).count, 3);
  EXPECT_EQ(Reduced({}, {.count_only = true}).count, 0);
}

TEST(ReduceRows, RandomPartsAgreeWithAMap) {
  std::mt19937 rng(5);
  for (int round = 0; round < 50; ++round) {
    std::map<int64_t, uint64_t> newest;
    std::vector<PartialRows> parts;
    uint64_t stamp = 0;
    for (int p = 0; p < 4; ++p) {
      std::map<int64_t, uint64_t> part;
      for (int i = 0; i < 10; ++i)
        part[static_cast<int64_t>(rng() % 25)] = ++stamp + rng() % 100 * 1000;
      std::vector<int64_t> keys;
      std::vector<uint64_t> timestamps;
      for (const auto& [key, at] : part) {
        keys.push_back(key);
        timestamps.push_back(at);
        newest[key] = std::max(newest[key], at);
      }
      parts.push_back(Rows(keys, timestamps));
    }
    const PartialRows rows = Reduced(parts, {});
    ASSERT_EQ(rows.primary_keys.rows, newest.size());
    size_t i = 0;
    for (const auto& [key, at] : newest) {
      EXPECT_EQ(rows.primary_keys.view().Get<int64_t>(i), key);
      EXPECT_EQ(rows.row_timestamps[i++], at);
    }
  }
}

TEST(CompareKeys, OrdersNumbersAndBytes) {
  const Column numbers = Keys({-1, 2});
  EXPECT_EQ(CompareKeys(numbers.view(), 0, numbers.view(), 1), -1);
  EXPECT_EQ(CompareKeys(numbers.view(), 1, numbers.view(), 1), 0);
  Column texts = MakeColumn(FieldId(100), "id", DataType::kVarChar, DataType::kNone, 0);
  for (const char* text : {"b", "a", "\xc3\xa9"}) texts.AppendBytes(text);
  EXPECT_EQ(CompareKeys(texts.view(), 0, texts.view(), 1), 1);
  EXPECT_EQ(CompareKeys(texts.view(), 0, texts.view(), 2), -1) << "bytes compare unsigned";
}

}  // namespace
}  // namespace elanus::model
