// Pages of rows that are ordered by fields, over two halves that hold versions of the same keys.
#include "shard/ordered_rows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "model/reduce.h"

namespace elanus::shard {
namespace {

using model::DataType;

constexpr FieldId kKey{100};
constexpr FieldId kNumber{101};

struct Version {
  int64_t key;
  int64_t number;
  uint64_t timestamp;
};

class OrderedRowsTest : public testing::Test {
 protected:
  OrderedRowsTest() {
    schema_.fields.push_back(
        {.id = kKey, .name = "id", .type = DataType::kInt64, .is_primary_key = true});
    schema_.fields.push_back({.id = kNumber, .name = "number", .type = DataType::kInt64});
    query_.read.filter = "number >= 0";
    query_.read.output_fields = {kNumber};
    query_.order_by = {{.field = kNumber}};
  }

  // A part as segments answer it: the newest of its own versions of each key, in order, cut.
  RowsReader Part(const std::vector<Version>& versions) {
    return [this, versions](const model::ShardQuery& query) -> Result<model::PartialRows> {
      ++reads_;
      std::vector<Version> rows = versions;
      std::sort(rows.begin(), rows.end(), [](const Version& a, const Version& b) {
        return a.key != b.key ? a.key < b.key : a.timestamp > b.timestamp;
      });
      rows.erase(std::unique(rows.begin(), rows.end(),
                             [](const Version& a, const Version& b) { return a.key == b.key; }),
                 rows.end());
      if (const auto keys = query.read.templates.begin(); keys != query.read.templates.end()) {
        EXPECT_EQ(query.read.filter, "id in {" + keys->first + "} and (number >= 0)");
        const model::ScalarList& wanted = keys->second.as_list();
        std::erase_if(rows, [&](const Version& row) {
          return std::find(wanted.begin(), wanted.end(), model::Scalar(row.key)) == wanted.end();
        });
      }
      if (!query.order_by.empty()) {
        std::stable_sort(rows.begin(), rows.end(),
                         [](const Version& a, const Version& b) { return a.number < b.number; });
      }
      if (query.limit >= 0 && rows.size() > static_cast<size_t>(query.limit)) {
        rows.resize(static_cast<size_t>(query.limit));
      }
      model::PartialRows out;
      out.primary_keys = model::MakeColumn(kKey, "id", DataType::kInt64, DataType::kNone, 0);
      if (!query.read.output_fields.empty()) {
        out.columns.push_back(
            model::MakeColumn(kNumber, "number", DataType::kInt64, DataType::kNone, 0));
      }
      for (const Version& row : rows) {
        out.primary_keys.AppendFixed(&row.key);
        if (!out.columns.empty()) out.columns[0].AppendFixed(&row.number);
        out.row_timestamps.push_back(row.timestamp);
      }
      return out;
    };
  }

  std::vector<int64_t> Numbers(const std::vector<Version>& one, const std::vector<Version>& other,
                               int64_t limit) {
    query_.limit = limit;
    const std::vector<RowsReader> parts{Part(one), Part(other)};
    const auto pages = ReadParts(ctx_, parts, query_, schema_);
    EXPECT_TRUE(pages.ok());
    const auto rows = model::ReduceRows(*pages, query_);
    EXPECT_TRUE(rows.ok());
    std::vector<int64_t> numbers;
    const model::ColumnView view = rows->columns[0].view();
    for (size_t i = 0; i < view.rows; ++i) numbers.push_back(view.Get<int64_t>(i));
    return numbers;
  }

  SystemClock clock_;
  Context ctx_{clock_};
  model::CollectionSchema schema_;
  model::ShardQuery query_;
  int reads_ = 0;
};

TEST_F(OrderedRowsTest, AnOlderVersionDoesNotShowThoughTheNewerOneIsBehindThePage) {
  // Key 1 has moved from the front to the end, and the end is past the page.
  const std::vector<Version> sealed{{1, 0, 10}, {2, 5, 10}, {3, 6, 10}};
  const std::vector<Version> fresh{{1, 100, 20}, {4, 1, 20}, {5, 2, 20}};
  EXPECT_EQ(Numbers(sealed, fresh, 1), (std::vector<int64_t>{1}));
  EXPECT_EQ(Numbers(sealed, fresh, 2), (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(Numbers(fresh, sealed, 4), (std::vector<int64_t>{1, 2, 5, 6}));
  EXPECT_EQ(Numbers(sealed, fresh, 10), (std::vector<int64_t>{1, 2, 5, 6, 100}));
}

TEST_F(OrderedRowsTest, PagesAreThoseOfAllRowsTogether) {
  std::mt19937 rng(1);
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<Version> parts[2];
    std::vector<Version> newest(40, Version{-1, 0, 0});
    uint64_t timestamp = 1;
    for (int i = 0; i < 80; ++i) {
      const Version row{static_cast<int64_t>(rng() % 40), static_cast<int64_t>(rng() % 1000),
                        timestamp++};
      parts[rng() % 2].push_back(row);
      newest[static_cast<size_t>(row.key)] = row;
    }
    std::vector<int64_t> expected;
    for (const Version& row : newest) {
      if (row.key >= 0) expected.push_back(row.number);
    }
    std::sort(expected.begin(), expected.end());
    const size_t limit = 1 + rng() % 30;
    expected.resize(std::min(expected.size(), limit));
    EXPECT_EQ(Numbers(parts[0], parts[1], static_cast<int64_t>(limit)), expected) << trial;
  }
}

TEST_F(OrderedRowsTest, RowsInKeyOrderAreReadOnce) {
  query_.order_by.clear();
  query_.read.output_fields = {kNumber};
  Numbers({{1, 0, 10}, {2, 5, 10}}, {{1, 100, 20}, {4, 1, 20}}, 2);
  EXPECT_EQ(reads_, 2);
}

}  // namespace
}  // namespace elanus::shard
