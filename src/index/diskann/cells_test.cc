// DISKANN under filters that keep rows far from the query.
#include <cstring>
#include <numeric>

#include "base/aligned_copy.h"
#include "base/framed.h"
#include "index/conformance.h"
#include "index/diskann/file.h"

namespace elanus::index {
namespace {

constexpr size_t kRows = 12'000;
constexpr uint32_t kDim = 48;
constexpr size_t kQueries = 60;

class DiskCells : public IndexFixture, public testing::WithParamInterface<std::string_view> {
 protected:
  const IndexType& type() const override { return *FindType(VectorKind::kDense, GetParam()); }
  static const Cloud& cloud() {
    static const Cloud kCloud = MakeClusteredCloud(27, kRows, kDim, kQueries);
    return kCloud;
  }
  std::string Light(Metric metric) {
    Params build;
    build.Set("max_degree", 24);
    build.Set("search_list_size", 40);
    return Build(cloud().block(), metric, build, {.pool = &pool_});
  }
};

TEST_P(DiskCells, FindRowsFarFromTheQuery) {
  std::vector<size_t> order(kRows);
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(),
            [](size_t a, size_t b) { return cloud().rows[a * kDim] < cloud().rows[b * kDim]; });
  for (const Metric metric : {Metric::kL2, Metric::kIp, Metric::kCosine}) {
    const auto index = Open(Light(metric), cloud().block(), metric);
    for (const double share : {0.02, 0.15, 0.3, 0.6, 0.9}) {
      Bitset allowed(kRows);
      for (size_t i = 0; i < static_cast<size_t>(share * kRows); ++i) allowed.Set(order[i]);
      EXPECT_GE(Recall(*index, cloud(), metric, allowed.view(), {}), 0.96)
          << static_cast<int>(metric) << " share " << share;
    }
  }
}

TEST_P(DiskCells, AreCheckedWhenTheFileIsOpened) {
  constexpr size_t kFrame = 32;
  const std::string bytes = Light(Metric::kL2);
  const auto payload = Unframe("ELDISK02", 1, bytes, "disk");
  ASSERT_TRUE(payload.ok());
  DiskHeader header;
  std::memcpy(&header, bytes.data() + 64, sizeof(header));
  ASSERT_GT(header.cell_bytes, 0u);
  const DiskLayout at(header);
  const auto opens = [&](size_t offset, uint32_t number) {
    std::string altered(*payload);
    std::memcpy(altered.data() + (offset - kFrame), &number, sizeof(number));
    return type()
        .Open(AlignedCopy(Frame("ELDISK02", 1, altered)), cloud().block(), Metric::kL2)
        .status()
        .code();
  };
  uint32_t second;
  std::memcpy(&second, bytes.data() + at.cell_rows + 4, sizeof(second));
  EXPECT_EQ(opens(at.cell_rows, second), ErrorCode::kIntegrity);  // Twice the same row.
  EXPECT_EQ(opens(at.cell_rows, kRows), ErrorCode::kIntegrity);
  EXPECT_EQ(opens(at.cells, 0), ErrorCode::kIntegrity);
  EXPECT_EQ(opens(at.cell_rows - 64, 0xffffffffu), ErrorCode::kIntegrity);  // Where a cell begins.
}

INSTANTIATE_TEST_SUITE_P(Types, DiskCells, testing::Values("DISKANN", "AISAQ"));

}  // namespace
}  // namespace elanus::index
