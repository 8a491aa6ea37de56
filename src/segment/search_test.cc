// Searches of one segment with ranges, and its rows as a stream: scanned block by block while it
// grows, and through an index.
#include "segment/search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "segment/page_streams.h"
#include "segment/testing/vector_rows.h"

namespace elanus::segment {
namespace {

using model::Column;
using model::DataType;

class SegmentSearchTest : public VectorRowsTest {
 protected:
  SegmentSearchTest() : VectorRowsTest(/*numbers=*/10) { AddQuery(0.3f); }
  std::shared_ptr<const SegmentView> Indexed(const char* type_name) {
    index::Params build;
    build.Set("M", 8);
    build.Set("efConstruction", 40);
    return WithIndex(type_name, build);
  }
  // Rows by distance, those that pass.
  template <class Passes>
  std::vector<std::pair<float, uint32_t>> Ranked(Passes passes) const {
    std::vector<std::pair<float, uint32_t>> ranked;
    for (uint32_t row = 0; row < kRows; ++row) {
      if (!passes(row)) continue;
      float square = 0;
      for (uint32_t d = 0; d < kDim; ++d) {
        const float difference = vectors_[row * kDim + d] - 0.3f;
        square += difference * difference;
      }
      ranked.emplace_back(square, row);
    }
    std::sort(ranked.begin(), ranked.end());
    return ranked;
  }
  std::vector<std::pair<float, uint32_t>> Drain(std::shared_ptr<const SegmentView> view,
                                                const std::string& filter, size_t page) {
    const auto plan = expr::Bind(filter, view->schema(), {});
    auto stream = SegmentStream::Open(ctx_, std::move(view), *plan, search_, 0, Timestamp(100));
    EXPECT_TRUE(stream.ok()) << stream.status().ToString();
    std::vector<std::pair<float, uint32_t>> got;
    while (true) {
      const auto hits = (*stream)->Next(ctx_, page);
      EXPECT_TRUE(hits.ok());
      for (size_t i = 0; i < hits->rows.size(); ++i) {
        got.emplace_back(hits->scores[i], hits->rows[i]);
      }
      if (hits->rows.size() < page) return got;
    }
  }
};

TEST_F(SegmentSearchTest, StreamsTheRowsOfAGrowingSegmentInOrder) {
  const auto all = Ranked([](uint32_t) { return true; });
  const auto got = Drain(growing_.Snapshot(), "", 999);
  ASSERT_EQ(got.size(), kRows);
  for (size_t i = 0; i < kRows; ++i) ASSERT_NEAR(got[i].first, all[i].first, 1e-4) << i;
}

TEST_F(SegmentSearchTest, StreamsWhatTheFilterAllowsAndNobodyHasDeleted) {
  Column keys = model::MakeColumn(kKey, "id", DataType::kInt64, DataType::kNone, 0);
  for (int64_t key = 0; key < 5000; ++key) keys.AppendFixed(&key);
  growing_.Delete(keys.view(), Timestamp(20));
  const auto expected = Ranked([](uint32_t row) { return row >= 5000 && row % 10 == 3; });
  for (const char* type : {"", "HNSW", "IVF_FLAT"}) {
    const auto view = *type == 0 ? growing_.Snapshot() : Indexed(type);
    const auto got = Drain(view, "number == 3", 100);
    ASSERT_EQ(got.size(), expected.size()) << type;
    std::set<uint32_t> rows;
    for (const auto& [score, row] : got) {
      EXPECT_TRUE(rows.insert(row).second);
      EXPECT_TRUE(row >= 5000 && row % 10 == 3);
    }
    EXPECT_NEAR(got.front().first, expected.front().first, 1e-4) << type;
  }
}

TEST_F(SegmentSearchTest, StreamsNothingWhereNothingIsAllowed) {
  EXPECT_TRUE(Drain(growing_.Snapshot(), "number == 77", 10).empty());
}

TEST_F(SegmentSearchTest, AnswersTheBestRowsOfARangeFarFromTheQuery) {
  const auto all = Ranked([](uint32_t) { return true; });
  search_.has_radius = search_.has_range_filter = true;
  search_.range_filter = all[8000].first;
  search_.radius = all[12000].first;
  const auto plan = expr::Bind("", *VectorRowsSchema(), {});
  for (const char* type : {"", "HNSW", "IVF_FLAT"}) {
    const auto view = *type == 0 ? growing_.Snapshot() : Indexed(type);
    const auto hits = Search(ctx_, *view, *plan, search_, Timestamp(100));
    ASSERT_TRUE(hits.ok());
    for (size_t i = 0; i < 10; ++i) {
      ASSERT_NE(hits->rows[i], index::kNoRow) << type;
      EXPECT_GE(hits->scores[i], static_cast<float>(search_.range_filter));
      EXPECT_LE(hits->scores[i], all[8030].first) << type;
    }
    const auto got = Drain(view, "", 500);
    EXPECT_GE(got.size(), 3960u) << type;
    EXPECT_LE(got.size(), 4001u) << type;
    for (const auto& [score, row] : got) {
      EXPECT_GE(score, static_cast<float>(search_.range_filter));
      EXPECT_LT(score, static_cast<float>(search_.radius));
    }
  }
}

// All rows of an iterator, page by page, through `streams` when there are any.
class PageTest : public SegmentSearchTest {
 protected:
  std::vector<std::pair<float, uint32_t>> Iterate(const std::shared_ptr<const SegmentView>& view,
                                                  PageStreams* streams, uint32_t page,
                                                  PagePlace place = {}) {
    const auto plan = expr::Bind("number != 4", view->schema(), {});
    search_.k = page;
    search_.cursor = model::IteratorCursor{.token = "t"};
    search_.read.read_at = Timestamp(100);
    std::vector<std::pair<float, uint32_t>> got;
    while (true) {
      EXPECT_TRUE(PageStreams::Serves(search_));
      const auto hits = streams != nullptr
                            ? streams->Page(ctx_, view, {search_, *plan, Timestamp(100)}, place)
                            : Search(ctx_, *view, *plan, search_, Timestamp(100));
      EXPECT_TRUE(hits.ok()) << hits.status().ToString();
      EXPECT_EQ(hits->rows.size(), page);
      for (size_t i = 0; i < page; ++i) {
        if (hits->rows[i] == index::kNoRow) return got;
        got.emplace_back(hits->scores[i], hits->rows[i]);
      }
      search_.cursor->has_bound = true;
      search_.cursor->bound = got.back().first;
    }
  }
};

TEST_F(PageTest, PagesAreTheSameWithAndWithoutStreams) {
  const auto view = growing_.Snapshot();
  PageStreams streams({});
  PageStreams none({.streams_max = 0});
  const auto expected = Ranked([](uint32_t row) { return row % 10 != 4; });
  const auto kept = Iterate(view, &streams, 1500);
  ASSERT_EQ(kept.size(), expected.size());
  EXPECT_EQ(Iterate(view, nullptr, 1500), kept);
  EXPECT_EQ(Iterate(view, &none, 1500), kept);
  for (size_t i = 0; i < kept.size(); ++i) ASSERT_NEAR(kept[i].first, expected[i].first, 1e-4);
}

TEST_F(PageTest, PagesOfAnyIndexHoldEveryRowOnce) {
  for (const char* type : {"HNSW", "HNSW_SQ", "IVF_FLAT", "IVF_SQ8", "SCANN", "DISKANN"}) {
    PageStreams streams({});
    const auto got = Iterate(Indexed(type), &streams, 500);
    EXPECT_EQ(got.size(), 18'000u) << type;
    std::set<uint32_t> rows;
    for (const auto& [order, row] : got) EXPECT_TRUE(rows.insert(row).second) << type;
    for (size_t i = 1; i < got.size(); ++i) ASSERT_LE(got[i - 1].first, got[i].first) << type;
  }
}

TEST_F(PageTest, HitsThatComeLateHaveTheirOwnScores) {
  const auto view = Indexed("IVF_FLAT");
  PageStreams streams({});
  const auto expected = Ranked([](uint32_t) { return true; });
  std::map<uint32_t, float> scores;
  for (const auto& [score, row] : expected) scores[row] = score;
  const auto plan = expr::Bind("", view->schema(), {});
  search_.k = 40;
  search_.cursor = model::IteratorCursor{.token = "t"};
  search_.params["nprobe"] = "1";
  size_t late = 0;
  for (int page = 0; page < 200; ++page) {
    const auto hits = streams.Page(ctx_, view, {search_, *plan, Timestamp(100)}, {});
    ASSERT_TRUE(hits.ok()) << hits.status().ToString();
    for (size_t i = 0; i < 40; ++i) {
      ASSERT_NEAR(hits->own_scores[i], scores[hits->rows[i]], 1e-4);
      late += hits->own_scores[i] < hits->scores[i] ? 1 : 0;
    }
    search_.cursor->has_bound = true;
    search_.cursor->bound = hits->scores[39];
  }
  EXPECT_GT(late, 0u);
}

TEST_F(PageTest, EqualRowsThatFillManyPagesComeOnce) {
  const std::vector<float> same(kDim, 0.5f);
  std::vector<Column> columns = NoVectorRows();
  for (int64_t key = 0; key < 100; ++key) {
    const int64_t number = 0;
    columns[0].AppendFixed(&key);
    columns[1].AppendFixed(&number);
    columns[2].AppendFixed(same.data());
  }
  Growing equal(SegmentId(5), PartitionId(2), VectorRowsSchema());
  equal.Append(columns, Timestamp(10));
  // In no two segments has a hit the same order.
  std::set<float> orders;
  for (uint64_t place = 0; place < 5; ++place) {
    PageStreams streams({});
    const auto got = Iterate(equal.Snapshot(), &streams, 7, {.place = place, .places = 5});
    std::set<uint32_t> rows;
    for (const auto& [order, row] : got) {
      EXPECT_TRUE(rows.insert(row).second);
      EXPECT_TRUE(orders.insert(order).second);
    }
    EXPECT_EQ(rows.size(), 100u);
  }
}

TEST(PagePlace, GoesOnToNumbersOfItsOwn) {
  for (float from : {-1e9f, -1.0f, -1e-44f, -0.0f, 0.0f, 1e-44f, 0.25f, 7.0f, 1e30f}) {
    std::set<float> taken;
    for (uint64_t place = 0; place < 7; ++place) {
      float order = from;
      for (int i = 0; i < 20; ++i) {
        const float next = PagePlace{.place = place, .places = 7}.After(order);
        EXPECT_GT(next, order);
        EXPECT_TRUE(taken.insert(next).second) << from;
        order = next;
      }
    }
    float last = from;
    for (int i = 0; i < 7 * 20; ++i) last = std::nextafter(last, 1e38f);
    EXPECT_LE(*taken.rbegin(), last) << "no number is left out";
  }
}

TEST_F(PageTest, AStreamIsUsedOnlyForTheSameSearchGoingOn) {
  const auto view = growing_.Snapshot();
  PageStreams streams({});
  const auto all = Ranked([](uint32_t) { return true; });
  search_.read.read_at = Timestamp(100);
  const auto page = [&](size_t after, const char* filter) {
    const auto plan = expr::Bind(filter, view->schema(), {});
    search_.read.filter = filter;
    search_.cursor = model::IteratorCursor{.token = "t", .has_bound = true};
    search_.cursor->bound = all[after].first + 1e-5f;
    search_.cursor->token = NameOfPages(search_);
    const auto hits = streams.Page(ctx_, view, {search_, *plan, Timestamp(100)}, {});
    EXPECT_TRUE(hits.ok());
    return hits->rows[0];
  };
  EXPECT_EQ(page(500, ""), all[501].second);
  EXPECT_EQ(page(2000, ""), all[2001].second);
  EXPECT_EQ(page(7, ""), all[8].second) << "back to an earlier page";
  const uint32_t first = page(7, "number == 7");
  EXPECT_EQ(first % 10, 7u) << "another filter under the same token";
  const std::string name = search_.cursor->token;
  EXPECT_EQ(streams.SegmentOf(ctx_, search_, view->id()), view);
  search_.cursor->token = "another";
  EXPECT_EQ(streams.SegmentOf(ctx_, search_, view->id()), nullptr);
  search_.cursor->token = name;
  streams.Forget(search_.read.collection);
  EXPECT_EQ(streams.SegmentOf(ctx_, search_, view->id()), nullptr);
  EXPECT_EQ(page(2500, ""), all[2501].second);
}

TEST_F(SegmentSearchTest, GroupsByAFieldWithoutLookingAtEveryRow) {
  search_.k = 4;
  search_.grouping.keys = {{.field = kNumber, .name = "number", .type = DataType::kInt64}};
  search_.grouping.group_size = 2;
  const auto all = Ranked([](uint32_t) { return true; });
  const auto plan = expr::Bind("", *VectorRowsSchema(), {});
  for (const char* type : {"", "IVF_FLAT", "HNSW"}) {
    const auto view = *type == 0 ? growing_.Snapshot() : Indexed(type);
    const auto hits = Search(ctx_, *view, *plan, search_, Timestamp(100));
    ASSERT_TRUE(hits.ok()) << hits.status().ToString();
    ASSERT_EQ(hits->rows.size(), 8u);
    EXPECT_NEAR(hits->scores[0], all[0].first, 1e-4) << type;
    std::map<uint32_t, int> groups;
    for (uint32_t row : hits->rows) {
      if (row != index::kNoRow) ++groups[row % 10];
    }
    EXPECT_EQ(groups.size(), 4u) << type;
    for (const auto& [group, count] : groups) EXPECT_LE(count, 2) << type;
  }
}

TEST_F(SegmentSearchTest, FillsTheGroupsItIsAskedFor) {
  search_.k = 2;
  search_.grouping.keys = {{.field = kNumber, .name = "number", .type = DataType::kInt64}};
  search_.grouping.group_size = 3;
  Column only = model::MakeColumn(kNumber, "number", DataType::kInt64, DataType::kNone, 0);
  for (int64_t group : {3, 8}) only.AppendFixed(&group);
  search_.grouping.only = {only};
  const auto plan = expr::Bind("", *VectorRowsSchema(), {});
  const auto hits = Search(ctx_, *growing_.Snapshot(), *plan, search_, Timestamp(100));
  ASSERT_TRUE(hits.ok()) << hits.status().ToString();
  std::set<uint32_t> expected;
  for (uint32_t group : {3, 8}) {
    const auto ranked = Ranked([&](uint32_t row) { return row % 10 == group; });
    for (size_t i = 0; i < 3; ++i) expected.insert(ranked[i].second);
  }
  EXPECT_EQ(std::set<uint32_t>(hits->rows.begin(), hits->rows.end()), expected);
}

TEST_F(SegmentSearchTest, AChainScoresAndLeavesOutHits) {
  // score * 0 + number, and the best five rows of that.
  search_.chain = {{.op = "map",
                    .expression = {.name = "num_combine",
                                   .arguments = {{.column = "$score"}, {.column = "number"}},
                                   .params = {{"mode", std::string("weighted")},
                                              {"weights", model::ScalarList{0.0, 1.0}}}},
                    .outputs = {"$score"}},
                   {.op = "sort", .inputs = {"$score"}, .params = {{"desc", false}}},
                   {.op = "limit", .params = {{"limit", int64_t{5}}}}};
  search_.k = 100;
  const auto plan = expr::Bind("", *VectorRowsSchema(), {});
  const auto hits = Search(ctx_, *growing_.Snapshot(), *plan, search_, Timestamp(100));
  ASSERT_TRUE(hits.ok()) << hits.status().ToString();
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(hits->scores[i], 0);
    EXPECT_EQ(hits->rows[i] % 10, 0u);
  }
  EXPECT_EQ(hits->rows[5], index::kNoRow);
}

TEST_F(SegmentSearchTest, BoostsChangeScoresAndOrder) {
  search_.boosting.boosts = {{.filter = "number == 3", .weight = 0.01}};
  search_.k = kRows;
  const auto plan = expr::Bind("", *VectorRowsSchema(), {});
  const auto hits = Search(ctx_, *growing_.Snapshot(), *plan, search_, Timestamp(100));
  ASSERT_TRUE(hits.ok()) << hits.status().ToString();
  EXPECT_EQ(hits->rows[0] % 10, 3u);
  EXPECT_TRUE(std::is_sorted(hits->scores.begin(), hits->scores.end()));
  const auto boosted = Ranked([](uint32_t row) { return row % 10 == 3; });
  EXPECT_NEAR(hits->scores[0], boosted[0].first * 0.01, 1e-6);
}

}  // namespace
}  // namespace elanus::segment
