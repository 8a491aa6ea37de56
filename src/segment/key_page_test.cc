// Pages of rows in key order: bounded and not, over segments that know their order and others.
#include "segment/key_page.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "segment/filter_source.h"
#include "segment/growing.h"
#include "segment/primary_keys.h"

namespace elanus::segment {
namespace {

using model::DataType;

constexpr FieldId kKey{100};

model::FieldSchema KeyField(DataType type) {
  return {.id = kKey, .name = "id", .type = type, .is_primary_key = true};
}

// A segment of keys that knows their order, as sealed ones do; it counts what is read of it.
class OrderedView final : public SegmentView {
 public:
  explicit OrderedView(std::shared_ptr<const SegmentView> rows) : rows_(std::move(rows)) {
    keys_ = model::MakeColumn(kKey, "id", rows_->schema().primary_key().type, DataType::kNone, 0);
    for (size_t begin = 0; begin < rows_->rows(); begin += kChunkRows) {
      keys_.AppendAll(*rows_->Read(kKey, begin, std::min(kChunkRows, rows_->rows() - begin)));
    }
    order_ = PrimaryKeys(keys_.view());
  }
  SegmentId id() const override { return rows_->id(); }
  PartitionId partition() const override { return rows_->partition(); }
  size_t rows() const override { return rows_->rows(); }
  const model::CollectionSchema& schema() const override { return rows_->schema(); }
  Result<model::ColumnView> Read(FieldId field, size_t begin, size_t count) const override {
    rows_read_ += count;
    return rows_->Read(field, begin, count);
  }
  Result<std::vector<index::VectorBlock>> Vectors(FieldId field) const override {
    return rows_->Vectors(field);
  }
  const uint64_t* RowTimestamps(size_t begin) const override { return rows_->RowTimestamps(begin); }
  Visible VisibleAt(Timestamp read_at) const override { return rows_->VisibleAt(read_at); }
  Visible RowsWithVector(FieldId field) const override { return rows_->RowsWithVector(field); }
  Result<const FieldIndex*> IndexOf(FieldId) const override {
    return static_cast<const FieldIndex*>(nullptr);
  }
  const PrimaryKeys* KeyOrder() const override { return &order_; }
  size_t rows_read() const { return rows_read_; }

 private:
  const std::shared_ptr<const SegmentView> rows_;
  model::Column keys_;
  PrimaryKeys order_;
  mutable size_t rows_read_ = 0;
};

class KeyPageTest : public testing::TestWithParam<bool> {
 protected:
  bool knows_order() const { return GetParam(); }

  // A segment whose keys come one by one at the moments from `first` on.
  std::shared_ptr<const SegmentView> Segment(const std::vector<int64_t>& keys, uint64_t first) {
    auto schema = std::make_shared<model::CollectionSchema>();
    schema->fields.push_back(KeyField(DataType::kInt64));
    Growing growing(SegmentId(1), PartitionId(1), schema);
    model::Column column = model::MakeColumn(kKey, "id", DataType::kInt64, DataType::kNone, 0);
    for (size_t i = 0; i < keys.size(); ++i) {
      column.AppendFixed(&keys[i]);
      if (column.rows < 1000 && i + 1 < keys.size()) continue;
      growing.Append(std::span(&column, 1), Timestamp(first++));
      column = model::MakeColumn(kKey, "id", DataType::kInt64, DataType::kNone, 0);
    }
    auto view = growing.Snapshot();
    if (knows_order()) return std::make_shared<OrderedView>(std::move(view));
    return view;
  }

  std::vector<KeyedRow> Page(const std::vector<std::shared_ptr<const SegmentView>>& segments,
                             int64_t limit, size_t allowed_every = 1) {
    KeyPage page(field_, limit);
    for (uint32_t s = 0; s < segments.size(); ++s) {
      Allowed allowed;
      allowed.all = allowed_every == 1;
      allowed.bits.Resize(segments[s]->rows());
      for (size_t i = 0; i < segments[s]->rows(); i += allowed_every) allowed.bits.Set(i);
      EXPECT_TRUE(page.Collect(ctx_, *segments[s], s, allowed, expr::KeyBounds()).ok());
    }
    return page.Take();
  }

  static expr::KeyBounds Bounds(const SegmentView& segment, const std::string& filter) {
    const auto plan = expr::Bind(filter, segment.schema(), {});
    EXPECT_TRUE(plan.ok()) << plan.status().ToString();
    return expr::SplitKeyBounds(*plan);
  }

  // As a query reads a page: in order where that can be, else with the filter asked of all rows.
  std::vector<KeyedRow> PageBehind(const std::vector<std::shared_ptr<const SegmentView>>& segments,
                                   const std::string& filter, int64_t limit) {
    KeyPage page(field_, limit);
    const auto plan = expr::Bind(filter, segments[0]->schema(), {});
    EXPECT_TRUE(plan.ok()) << plan.status().ToString();
    const expr::KeyBounds bounds = expr::SplitKeyBounds(*plan);
    for (uint32_t s = 0; s < segments.size(); ++s) {
      const auto done = page.CollectInOrder(ctx_, *segments[s], s, Visible(), bounds);
      EXPECT_TRUE(done.ok());
      if (*done) continue;
      Allowed allowed;
      EXPECT_TRUE(expr::Evaluate(ctx_, *plan, FilterSource(*segments[s]), allowed.bits).ok());
      EXPECT_TRUE(page.Collect(ctx_, *segments[s], s, allowed, bounds).ok());
    }
    return page.Take();
  }

  SystemClock clock_;
  Context ctx_{clock_};
  model::FieldSchema field_ = KeyField(DataType::kInt64);
};

TEST_P(KeyPageTest, HoldsTheNewestVersionOfEachOfTheFirstKeys) {
  std::mt19937_64 rng(3);
  std::vector<std::shared_ptr<const SegmentView>> segments;
  std::map<int64_t, uint64_t> newest;
  for (int s = 0; s < 3; ++s) {
    std::vector<int64_t> keys(30'000);
    for (int64_t& key : keys) key = static_cast<int64_t>(rng() % 40'000) - 20'000;
    const uint64_t first = 100 * static_cast<uint64_t>(s + 1);
    for (size_t i = 0; i < keys.size(); ++i) newest[keys[i]] = first + i / 1000;
    segments.push_back(Segment(keys, first));
  }
  for (int64_t limit : {1, 10, 1000, 25'000, 100'000, -1}) {
    const std::vector<KeyedRow> page = Page(segments, limit);
    const size_t wanted =
        limit < 0 ? newest.size() : std::min(newest.size(), static_cast<size_t>(limit));
    ASSERT_EQ(page.size(), wanted) << limit;
    auto expected = newest.begin();
    for (const KeyedRow& row : page) {
      ASSERT_EQ(row.int_key, expected->first) << limit;
      ASSERT_EQ(row.timestamp, expected->second) << limit;
      ++expected;
    }
  }
}

TEST_P(KeyPageTest, TakesAllowedRowsOnly) {
  std::vector<int64_t> keys(20'000);
  for (size_t i = 0; i < keys.size(); ++i) keys[i] = static_cast<int64_t>(keys.size() - i);
  const auto page = Page({Segment(keys, 5)}, 50, /*allowed_every=*/7);
  std::vector<int64_t> passing;
  for (size_t i = 0; i < keys.size(); i += 7) passing.push_back(keys[i]);
  std::sort(passing.begin(), passing.end());
  ASSERT_EQ(page.size(), 50u);
  for (size_t i = 0; i < page.size(); ++i) EXPECT_EQ(page[i].int_key, passing[i]);
}

TEST_P(KeyPageTest, ReadsLittleOfASegmentThatKnowsItsOrder) {
  std::vector<int64_t> keys(100'000);
  for (size_t i = 0; i < keys.size(); ++i) keys[i] = static_cast<int64_t>(i);
  std::shuffle(keys.begin(), keys.end(), std::mt19937_64(1));
  const auto segment = std::make_shared<const OrderedView>(Segment(keys, 5));
  const size_t before = segment->rows_read();
  EXPECT_EQ(Page({segment}, 100).size(), 100u);
  EXPECT_LT(segment->rows_read() - before, 200u);
}

TEST_P(KeyPageTest, KnowsWhichSegmentsCannotHoldARowOfIt) {
  std::vector<int64_t> keys(1000);
  for (size_t i = 0; i < keys.size(); ++i) keys[i] = static_cast<int64_t>(i);
  KeyPage page(field_, 10);
  const model::BlockStats far{.has_range = true, .int_min = 10, .int_max = 20};
  const model::BlockStats near{.has_range = true, .int_min = 9, .int_max = 20};
  EXPECT_TRUE(page.CanHold(far));  // Nothing is known yet.
  Allowed allowed;
  allowed.all = true;
  const auto segment = Segment(keys, 1);
  ASSERT_TRUE(page.Collect(ctx_, *segment, 0, allowed, expr::KeyBounds()).ok());
  EXPECT_FALSE(page.CanHold(far));
  EXPECT_TRUE(page.CanHold(near));
  EXPECT_TRUE(page.CanHold(model::BlockStats()));
}

TEST_P(KeyPageTest, BehindAKeyAsksTheFilterOfFewRows) {
  std::vector<int64_t> keys(100'000);
  for (size_t i = 0; i < keys.size(); ++i) keys[i] = static_cast<int64_t>(i);
  const auto segment = std::make_shared<const OrderedView>(Segment(keys, 5));
  const size_t before = segment->rows_read();
  for (const char* filter : {"id > 50000", "id % 3 == 1 and id > 50000 and id < 99000"}) {
    KeyPage page(field_, 100);
    const expr::KeyBounds bounds = Bounds(*segment, filter);
    const auto done = page.CollectInOrder(ctx_, *segment, 0, Visible(), bounds);
    ASSERT_TRUE(done.ok() && *done) << filter;
    const auto rows = page.Take();
    ASSERT_EQ(rows.size(), 100u);
    EXPECT_EQ(rows[0].int_key, 50'001 + (bounds.rest.always_true() ? 0 : 1));
  }
  EXPECT_LE(segment->rows_read() - before, 2 * kChunkRows);
}

TEST_P(KeyPageTest, WhereFewRowsPassLeavesTheFilterToBeAskedAtOnce) {
  std::vector<int64_t> keys(50'000);
  for (size_t i = 0; i < keys.size(); ++i) keys[i] = static_cast<int64_t>(i);
  const auto segment = Segment(keys, 5);
  KeyPage page(field_, 100);
  for (const char* filter :
       {"id % 9999 == 1 and id > 7", "id % 2 == 1", "id % 2 == 1 and id < 9"}) {
    const auto done = page.CollectInOrder(ctx_, *segment, 0, Visible(), Bounds(*segment, filter));
    ASSERT_TRUE(done.ok());
    EXPECT_FALSE(*done) << filter;
  }
  EXPECT_TRUE(page.Take().empty());
}

TEST_P(KeyPageTest, PagesOneBehindTheOtherHoldEveryKeyOnce) {
  std::mt19937_64 rng(9);
  std::vector<std::shared_ptr<const SegmentView>> segments;
  std::map<int64_t, uint64_t> newest;
  for (int s = 0; s < 3; ++s) {
    std::vector<int64_t> keys(20'000);
    for (int64_t& key : keys) key = static_cast<int64_t>(rng() % 30'000) - 10'000;
    const uint64_t first = 100 * static_cast<uint64_t>(s + 1);
    for (size_t i = 0; i < keys.size(); ++i)
      if (keys[i] % 2 == 0) newest[keys[i]] = first + i / 1000;
    segments.push_back(Segment(keys, first));
  }
  auto expected = newest.begin();
  for (int64_t last = -10'001;;) {
    const std::string filter = "id % 2 == 0 and id > " + std::to_string(last);
    const auto rows = PageBehind(segments, filter, 700);
    for (const KeyedRow& row : rows) {
      ASSERT_NE(expected, newest.end());
      ASSERT_EQ(row.int_key, expected->first);
      ASSERT_EQ(row.timestamp, expected->second);
      ++expected;
    }
    if (rows.size() < 700) break;
    last = rows.back().int_key;
  }
  EXPECT_EQ(expected, newest.end());
}

TEST_P(KeyPageTest, BehindAKeyShowsVisibleRowsAlone) {
  std::vector<int64_t> keys(10'000);
  for (size_t i = 0; i < keys.size(); ++i) keys[i] = static_cast<int64_t>(keys.size() - i);
  const auto segment = Segment(keys, 5);
  auto bits = std::make_shared<Bitset>(keys.size());
  for (size_t i = 0; i < keys.size(); i += 7) bits->Set(i);
  for (const char* filter : {"id > 100", "id > 100 and id % 2 == 0"}) {
    KeyPage page(field_, 50);
    const auto done =
        page.CollectInOrder(ctx_, *segment, 0, {.rows = bits}, Bounds(*segment, filter));
    ASSERT_TRUE(done.ok() && *done);
    std::vector<int64_t> passing;
    const bool even = std::string(filter).find('%') != std::string::npos;
    for (size_t i = 0; i < keys.size(); i += 7)
      if (keys[i] > 100 && (!even || keys[i] % 2 == 0)) passing.push_back(keys[i]);
    std::sort(passing.begin(), passing.end());
    const auto rows = page.Take();
    ASSERT_EQ(rows.size(), 50u);
    for (size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(rows[i].int_key, passing[i]);
  }
}

// Rows of a growing segment with text or integer keys, in no order, and some keys several times.
class GrowingPages {
 public:
  explicit GrowingPages(DataType type) : type_(type) {
    auto schema = std::make_shared<model::CollectionSchema>();
    schema->fields.push_back(KeyField(type));
    growing_ = std::make_unique<Growing>(SegmentId(1), PartitionId(1), std::move(schema));
  }

  void Insert(size_t rows, std::mt19937_64& rng) {
    model::Column column = model::MakeColumn(kKey, "id", type_, DataType::kNone, 0);
    for (size_t i = 0; i < rows; ++i) {
      const auto key = static_cast<int64_t>(rng() % 1'000'000);
      if (type_ == DataType::kInt64)
        column.AppendFixed(&key);
      else
        column.AppendBytes(Text(key));
      newest_[key] = next_;
    }
    growing_->Append(std::span(&column, 1), Timestamp(next_++));
  }

  static std::string Text(int64_t key) { return fmt::format("k{:06}", key); }
  std::shared_ptr<const SegmentView> View() const { return growing_->Snapshot(); }
  size_t memory_bytes() const { return growing_->memory_bytes(); }
  const std::map<int64_t, uint64_t>& newest() const { return newest_; }

 private:
  const DataType type_;
  std::unique_ptr<Growing> growing_;
  uint64_t next_ = 5;
  std::map<int64_t, uint64_t> newest_;  // Of each key, the moment.
};

class GrowingPageTest : public testing::TestWithParam<DataType> {};

TEST_P(GrowingPageTest, PagesGoThroughTheKeysWhileRowsComeAndRunsAreSorted) {
  SystemClock clock;
  Context ctx(clock);
  std::mt19937_64 rng(11);
  GrowingPages rows(GetParam());
  rows.Insert(70'000, rng);
  const model::FieldSchema field = KeyField(GetParam());
  const bool is_text = GetParam() == DataType::kVarChar;
  for (const char* rest : {"", " and id not in [{}]"}) {
    const std::shared_ptr<const SegmentView> view = rows.View();
    auto expected = rows.newest();
    int64_t last = -1;
    const std::string none = is_text ? "'none'" : "-5";
    for (auto next = expected.begin(); next != expected.end();) {
      const std::string behind =
          is_text ? "'" + GrowingPages::Text(last) + "'" : fmt::to_string(last);
      const auto plan = expr::Bind(fmt::format("id > {}", last < 0 && is_text ? "''" : behind) +
                                       fmt::format(fmt::runtime(rest), none),
                                   view->schema(), {});
      ASSERT_TRUE(plan.ok()) << plan.status().ToString();
      KeyPage page(field, 3000);
      const auto done = page.CollectInOrder(ctx, *view, 0, Visible(), expr::SplitKeyBounds(*plan));
      ASSERT_TRUE(done.ok() && *done);
      const auto found = page.Take();
      ASSERT_EQ(found.size(),
                std::min<size_t>(3000, static_cast<size_t>(std::distance(next, expected.end()))));
      for (const KeyedRow& row : found) {
        if (is_text)
          ASSERT_EQ(row.text_key, GrowingPages::Text(next->first));
        else
          ASSERT_EQ(row.int_key, next->first);
        ASSERT_EQ(row.timestamp, next->second);
        last = next->first;
        ++next;
      }
      rows.Insert(500, rng);  // The pages are of the view.
    }
  }
}

TEST_P(GrowingPageTest, SortsAFewChunksAPageAndEachOnce) {
  std::mt19937_64 rng(12);
  GrowingPages rows(GetParam());
  rows.Insert(5 * kChunkRows + 100, rng);
  const auto view = rows.View();
  const auto sorted = [](const SegmentView& of) {
    size_t count = 0;
    for (const KeyRun& run : of.KeyRuns()) count += run.order != nullptr ? 1 : 0;
    return count;
  };
  const size_t before = rows.memory_bytes();
  EXPECT_EQ(sorted(*view), 4u);
  EXPECT_EQ(sorted(*view), 5u);
  EXPECT_EQ(sorted(*view), 5u);
  EXPECT_EQ(rows.memory_bytes(), before + 5 * kChunkRows * sizeof(uint32_t));
  rows.Insert(kChunkRows, rng);
  EXPECT_EQ(sorted(*rows.View()), 6u);
  EXPECT_EQ(sorted(*view), 5u);  // It has a part only of the sixth.
}

INSTANTIATE_TEST_SUITE_P(Keys, GrowingPageTest,
                         testing::Values(DataType::kInt64, DataType::kVarChar),
                         [](const auto& info) { return std::string(NameOf(info.param)); });

INSTANTIATE_TEST_SUITE_P(Segments, KeyPageTest, testing::Bool(), [](const auto& info) {
  return info.param ? "KnowTheirOrder" : "AreScanned";
});

}  // namespace
}  // namespace elanus::segment
