// Where a filter's rows lie among lists: by counting them all, and by a sample.
#include "index/ivf/allowed_lists.h"
#include "base/aligned_copy.h"

#include "index/conformance.h"

namespace elanus::index {
namespace {

class AllowedListsOf : public VectorIndexConformance {
 protected:
  OpenedIvf OpenLists(const std::string& bytes, const Cloud& cloud) {
    auto opened = OpenIvf(AlignedCopy(bytes), cloud.block(), Metric::kL2);
    EXPECT_TRUE(opened.ok()) << opened.status().ToString();
    return std::move(*opened);
  }
};

TEST_P(AllowedListsOf, AreTheSharesOfTheRowsThatStandThere) {
  constexpr size_t kRows = 5000;  // So many that SCANN puts rows into second lists.
  const Cloud cloud = MakeClusteredCloud(29, kRows, 16, 1);
  Params build = BuildParams(16);
  build.Set("nlist", 80);
  const std::string bytes = Build(cloud.block(), Metric::kL2, build, {.pool = &pool_});
  const OpenedIvf lists = OpenLists(bytes, cloud);
  Bitset allowed(kRows);
  for (size_t i = 0; i < kRows; ++i) {
    if (cloud.rows[i * 16] < -1) allowed.Set(i);
  }
  ASSERT_GT(allowed.Count(), kRows / 20);
  const AllowedLists shares(lists, allowed.view(), allowed.Count(), true);
  ASSERT_TRUE(shares.is_grouped());
  EXPECT_EQ(shares.held(), allowed.Count());
  size_t without = 0;
  for (uint32_t l = 0; l < lists.header.lists; ++l) {
    std::set<uint32_t> rows;
    size_t own = 0;
    for (uint64_t i = lists.bounds[l]; i < lists.bounds[l] + lists.list_rows[l]; ++i) {
      EXPECT_EQ(lists.ListOf(static_cast<uint32_t>(i)), l);
      if (!allowed.Test(lists.numbers[i])) continue;
      rows.insert(lists.numbers[i]);
      own += i < lists.bounds[l] + lists.own_rows[l] ? 1 : 0;
    }
    without += own == 0 ? 1 : 0;
    EXPECT_NEAR(shares.Share(l) * lists.own_rows[l], static_cast<double>(own), 1e-3);
    EXPECT_TRUE(std::equal(rows.begin(), rows.end(), shares.Rows(l).begin(), shares.Rows(l).end()));
  }
  EXPECT_GT(without, 0u);
}

INSTANTIATE_TEST_SUITE_P(Types, AllowedListsOf,
                         testing::Values(FindType(VectorKind::kDense, "SCANN"),
                                         FindType(VectorKind::kDense, "IVF_FLAT")),
                         [](const auto& info) { return std::string(info.param->name); });

TEST(AllowedLists, OfManyRowsAreEstimatedFromSomeOfThem) {
  constexpr uint32_t kLists = 10, kPerList = 10'000;
  constexpr uint32_t kRows = kLists * kPerList;
  // Row i stands at place i.
  OpenedIvf lists;
  lists.header = {.rows = kRows, .lists = kLists, .places = kRows};
  std::vector<uint64_t> bounds;
  for (uint32_t l = 0; l <= kLists; ++l) bounds.push_back(l * kPerList);
  lists.bounds = bounds.data();
  lists.own_rows.assign(kLists, kPerList);
  for (uint32_t i = 0; i < kRows; ++i) lists.place_of.push_back(i);
  for (uint32_t i = 0; i < kRows; i += kPlacesPerMark) {
    lists.list_marks.push_back(static_cast<uint16_t>(i / kPerList));
  }
  // All of the last list, none of list 3, a half of the others.
  Bitset allowed(kRows);
  for (uint32_t i = 0; i < kRows; ++i) {
    if (i / kPerList != 3 && (i / kPerList == kLists - 1 || i % 2 == 0)) allowed.Set(i);
  }
  const AllowedLists shares(lists, allowed.view(), allowed.Count(), true);
  EXPECT_FALSE(shares.is_grouped());
  EXPECT_GE(shares.held(), 2048u);
  EXPECT_LT(shares.held(), allowed.Count() / 4);
  EXPECT_EQ(shares.Share(3), 0);
  EXPECT_NEAR(shares.Share(0), 0.5, 0.05);
  EXPECT_NEAR(shares.Share(kLists - 1), 1, 0.05);
}

}  // namespace
}  // namespace elanus::index
