// Cells: where they pay, what they hold, and that damage is seen.
#include "index/cells/cells.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <set>

#include "index/cells/allowed_cells.h"
#include "index/conformance.h"

namespace elanus::index {
namespace {

constexpr size_t kRows = 20'000;
constexpr uint32_t kDim = 64;

class CellsTest : public testing::Test {
 protected:
  static const Cloud& clusters() {
    static const Cloud kCloud = MakeClusteredCloud(5, kRows, kDim, 20);
    return kCloud;
  }
  const Partition& made() {
    static const Partition kMade = [this] {
      auto cells = MakeCells(ctx_, FloatRows(clusters().block()), true, &pool_);
      EXPECT_TRUE(cells.ok()) << cells.status().ToString();
      return *std::move(cells);
    }();
    return kMade;
  }
  // The rows, cell by cell.
  std::vector<uint32_t> Order() {
    std::vector<uint32_t> rows(kRows);
    std::iota(rows.begin(), rows.end(), 0u);
    std::stable_sort(rows.begin(), rows.end(),
                     [&](uint32_t a, uint32_t b) { return made().nearest[a] < made().nearest[b]; });
    return rows;
  }

  SystemClock clock_;
  Context ctx_{clock_};
  std::unique_ptr<Executor> executor_ = MakeThreadExecutor();
  Pool pool_{*executor_, "build", 2, 64};
};

float Distance(const float* a, const float* b) {
  float sum = 0;
  for (uint32_t d = 0; d < kDim; ++d) sum += (a[d] - b[d]) * (a[d] - b[d]);
  return sum;
}

TEST_F(CellsTest, HoldRowsThatLieTogether) {
  const size_t cells = made().cells(kDim);
  EXPECT_GE(cells, CellsFor(kRows) / 2);
  EXPECT_LE(cells, CellsFor(kRows));
  ASSERT_EQ(made().nearest.size(), kRows);
  // Two levels are not exact: but nearly each row lies in the nearest of all cells, or one as near.
  size_t near = 0;
  for (size_t row = 0; row < kRows; row += 40) {
    const float* vector = clusters().rows.data() + row * kDim;
    float least = Distance(vector, made().centroids.data());
    for (size_t c = 1; c < cells; ++c) {
      least = std::min(least, Distance(vector, made().centroids.data() + c * kDim));
    }
    const float own =
        Distance(vector, made().centroids.data() + size_t{made().nearest[row]} * kDim);
    near += own <= 1.05f * least ? 1 : 0;
  }
  EXPECT_GE(near, kRows / 40 * 9 / 10);
}

TEST_F(CellsTest, AreNotMadeWhereNeighboursLieAnywhere) {
  std::mt19937 rng(3);
  std::vector<float> uniform(kRows * kDim);
  for (float& v : uniform) v = std::uniform_real_distribution<float>()(rng);
  const VectorBlock rows{.data = uniform.data(), .rows = kRows, .dim = kDim};
  const auto cells = MakeCells(ctx_, FloatRows(rows), true, &pool_);
  ASSERT_TRUE(cells.ok());
  EXPECT_TRUE(cells->centroids.empty());
}

TEST_F(CellsTest, MakingThemCanBeCancelled) {
  ctx_.Cancel();
  EXPECT_EQ(MakeCells(ctx_, FloatRows(clusters().block()), true, &pool_).status().code(),
            ErrorCode::kCanceled);
}

TEST_F(CellsTest, DamageIsSeen) {
  const std::vector<char> good = PackCells(made(), kDim);
  const auto check = [&](std::vector<char> bytes, size_t rows) {
    return Cells::Check({bytes.data(), bytes.size()}, rows, kDim).code();
  };
  EXPECT_TRUE(Cells::Check({good.data(), good.size()}, kRows, kDim).ok());
  EXPECT_EQ(check(good, kRows - 1), ErrorCode::kIntegrity);
  EXPECT_EQ(check({}, kRows), ErrorCode::kIntegrity);
  for (const size_t size : {size_t{8}, size_t{64}, good.size() - 1, good.size() + 4}) {
    std::vector<char> cut = good;
    cut.resize(size);
    EXPECT_EQ(check(cut, kRows), ErrorCode::kIntegrity) << size;
  }
  const auto with = [&](size_t at, uint32_t number) {
    std::vector<char> altered = good;
    std::memcpy(altered.data() + at, &number, sizeof(number));
    return altered;
  };
  const size_t starts = CellLayout(made().cells(kDim), kDim).starts;
  for (const uint32_t count : {0u, 1u, 4000000000u}) {
    EXPECT_EQ(check(with(0, count), kRows), ErrorCode::kIntegrity) << count;
  }
  EXPECT_EQ(check(with(starts, 1), kRows), ErrorCode::kIntegrity);
  EXPECT_EQ(check(with(starts + 8, kRows + 1), kRows), ErrorCode::kIntegrity);
  EXPECT_EQ(check(with(good.size() - 4, kRows - 1), kRows), ErrorCode::kIntegrity);
  EXPECT_EQ(check(with(CellLayout::centroids, 0x7fc00000u), kRows), ErrorCode::kIntegrity);  // NaN.
}

TEST_F(CellsTest, GiveEveryAllowedRowOnceTheNearestCellFirst) {
  const std::vector<char> bytes = PackCells(made(), kDim);
  const Cells cells(bytes.data(), kDim, true);
  const std::vector<uint32_t> rows = Order();
  for (const size_t step : {1, 2, 9, 700, 30'000}) {
    Bitset allowed(kRows);
    size_t count = 0;
    for (size_t i = 3; i < kRows; i += step, ++count) allowed.Set(i);
    AllowedCells found(cells, rows.data(), allowed.view(), count);
    for (size_t q = 0; q < 20; ++q) {
      found.Begin(clusters().queries.data() + q * kDim);
      std::set<uint32_t> met;
      std::vector<uint32_t> numbers;
      bool is_first = true;
      while (found.Next(numbers)) {
        for (const uint32_t number : numbers) {
          EXPECT_TRUE(allowed.Test(rows[number]));
          EXPECT_TRUE(met.insert(rows[number]).second);
        }
        if (std::exchange(is_first, false) && step <= 2) {
          const float* query = clusters().queries.data() + q * kDim;
          const uint32_t cell = made().nearest[rows[numbers[0]]];
          size_t nearer = 0;
          for (size_t c = 0; c < cells.count(); ++c) {
            nearer += Distance(query, made().centroids.data() + c * kDim) <
                              Distance(query, made().centroids.data() + size_t{cell} * kDim)
                          ? 1
                          : 0;
          }
          EXPECT_LE(nearer, 3u);
        }
      }
      // Samples may pass over cells far from the query that have a row in a hundred.
      EXPECT_LE(met.size(), count);
      EXPECT_GE(met.size(), count - count / 20);
    }
  }
}

TEST_F(CellsTest, FewAllowedRowsAmongManyNearTheQueryAreFound) {
  const std::vector<char> bytes = PackCells(made(), kDim);
  const Cells cells(bytes.data(), kDim, true);
  const std::vector<uint32_t> rows = Order();
  // Allowed: one row of the first cell, and all of the other half of the cells.
  Bitset allowed(kRows);
  const uint32_t only = rows[cells.begin(0)];
  allowed.Set(only);
  for (uint32_t i = cells.begin(static_cast<uint32_t>(cells.count() / 2)); i < kRows; ++i) {
    allowed.Set(rows[i]);
  }
  AllowedCells found(cells, rows.data(), allowed.view(), allowed.view().Count());
  found.Begin(made().centroids.data());
  std::vector<uint32_t> numbers;
  ASSERT_TRUE(found.Next(numbers));
  EXPECT_EQ(numbers, std::vector<uint32_t>{cells.begin(0)});
}

}  // namespace
}  // namespace elanus::index
