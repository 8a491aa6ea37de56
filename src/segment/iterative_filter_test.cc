// The hint iterative_filter: the same hits as the usual way, by looking at fewer rows.
#include "segment/iterative_filter.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/profile.h"
#include "segment/search_tasks.h"
#include "segment/testing/vector_rows.h"

namespace elanus::segment {
namespace {

class IterativeFilterTest : public VectorRowsTest {
 protected:
  IterativeFilterTest() : VectorRowsTest(/*numbers=*/100) {
    search_.params = {{"nprobe", "24"}};
    for (float number : {0.0f, 0.5f, -1.0f}) AddQuery(number);
  }
  std::shared_ptr<const SegmentView> Indexed(const char* type_name) {
    index::Params build;
    build.Set("M", 16);
    build.Set("efConstruction", 100);
    build.Set("nlist", 32);
    return WithIndex(type_name, build);
  }
  SegmentHits Hits(Context& ctx, const std::shared_ptr<const SegmentView>& view,
                   const std::string& filter) {
    const auto plan = expr::Bind(filter, rows_->schema(), {});
    EXPECT_TRUE(plan.ok());
    const auto found = SearchSegments(ctx, {}, std::span(&view, 1), *plan, search_, Timestamp(20));
    EXPECT_TRUE(found.ok()) << found.status().ToString();
    return (*found)[0].hits;
  }

  std::shared_ptr<const SegmentView> rows_ = growing_.Snapshot();
};

TEST_F(IterativeFilterTest, FindsWhatTheUsualWayFinds) {
  for (const char* type : {"FLAT", "HNSW", "IVF_FLAT"}) {
    const auto view = Indexed(type);
    for (const char* filter : {"number < 90", "number in [3, 14, 15]", "number == 7",
                               "number == 7 and id < 500", "number == 1000"}) {
      search_.iterative_filter = false;
      search_.exact = true;
      const SegmentHits truth = Hits(ctx_, view, filter);
      search_.iterative_filter = true;
      search_.exact = false;
      const SegmentHits hits = Hits(ctx_, view, filter);
      size_t same = 0;
      size_t all = 0;
      for (size_t q = 0; q < 3; ++q) {
        for (size_t i = q * 10; i < (q + 1) * 10 && truth.rows[i] != index::kNoRow; ++i, ++all) {
          const auto begin = hits.rows.begin() + static_cast<ptrdiff_t>(q * 10);
          same += static_cast<size_t>(std::count(begin, begin + 10, truth.rows[i]));
        }
      }
      EXPECT_GE(static_cast<double>(same), 0.9 * static_cast<double>(all)) << type << " " << filter;
      if (type == std::string("FLAT")) {
        EXPECT_EQ(hits.rows, truth.rows) << filter;
      }
      for (uint32_t row : hits.rows) {
        if (row == index::kNoRow || filter != std::string("number == 7")) continue;
        EXPECT_EQ(row % 100, 7u);
      }
    }
  }
}

TEST_F(IterativeFilterTest, AsksTheFilterOfFewRowsAndSaysSo) {
  search_.iterative_filter = true;
  ProfileStep step(ctx_, "search", true, 100);
  Hits(step.ctx(), Indexed("HNSW"), "number < 50");
  step.End();
  const ProfileNode& segment = *step.tree()->children.at(0);
  const ProfileNode& vectors = *segment.children.back();
  ASSERT_NE(vectors.Find("rows_filtered"), nullptr);
  EXPECT_LT(std::get<int64_t>(*vectors.Find("rows_filtered")), 1000);
}

TEST_F(IterativeFilterTest, HasNoEffectWhereTheOtherWayIsNeeded) {
  const auto plan = expr::Bind("number < 50", rows_->schema(), {});
  const auto sample = expr::Bind("number < 50 and random_sample(0.5)", rows_->schema(), {});
  ASSERT_TRUE(plan.ok() && sample.ok());
  const auto indexed = Indexed("HNSW");
  EXPECT_FALSE(*FiltersLater(*indexed, *plan, search_));
  search_.iterative_filter = true;
  EXPECT_TRUE(*FiltersLater(*indexed, *plan, search_));
  EXPECT_FALSE(*FiltersLater(*rows_, *plan, search_));  // No index to begin with.
  EXPECT_FALSE(*FiltersLater(*indexed, expr::Plan(nullptr), search_));
  EXPECT_FALSE(*FiltersLater(*indexed, *sample, search_));
  search_.has_radius = true;
  EXPECT_FALSE(*FiltersLater(*indexed, *plan, search_));
}

}  // namespace
}  // namespace elanus::segment
