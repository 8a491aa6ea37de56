// Every index type goes on, and comes to an end, when a mapped file fails under a search: what it
// finds is not used then, but it names rows that there are.
#include "base/aligned_copy.h"
#include "base/testing/cut_file.h"
#include "index/conformance.h"
#include "index/scalar_index.h"
#include "index/sparse/made_rows.h"

namespace elanus::index {
namespace {

constexpr double kShares[] = {0, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9, 0.99};

void ExpectRows(const VectorIndex& index, Context& ctx, const SearchRequest& request) {
  Answer got(request.queries.rows, request.k);
  const Status searched = index.Search(ctx, request, got.hits());
  if (!searched.ok()) return;
  for (const uint32_t row : got.rows) EXPECT_TRUE(row == kNoRow || row < index.rows()) << row;
}

class MappedFault : public IndexFixture, public testing::WithParamInterface<const IndexType*> {
 protected:
  const IndexType& type() const override { return *GetParam(); }
  void Search(const VectorIndex& index, const Cloud& cloud) {
    Bitset some(index.rows());
    for (size_t row = 0; row < index.rows(); row += 3) some.Set(row);
    for (const BitsetView allowed : {BitsetView(), some.view()}) {
      ExpectRows(index, ctx_,
                 {.queries = cloud.query_block(), .k = 10, .params = Wide(), .allowed = allowed});
    }
  }
};

TEST_P(MappedFault, OfTheIndexFile) {
  const Cloud cloud = MakeClusteredCloud(7, 6000, 32, 20);
  const std::string file =
      Build(cloud.block(), Metric::kL2, BuildParams(cloud.dim), {.pool = &pool_});
  for (const double share : kShares) {
    CutFile cut(file);
    auto index = type().Open(Blob({}, cut.bytes(), 0), cloud.block(), Metric::kL2);
    ASSERT_TRUE(index.ok()) << index.status().ToString();
    cut.CutOff(share);
    Search(**index, cloud);
  }
}

TEST_P(MappedFault, OfTheRows) {
  const Cloud cloud = MakeClusteredCloud(7, 6000, 32, 20);
  const std::string file =
      Build(cloud.block(), Metric::kL2, BuildParams(cloud.dim), {.pool = &pool_});
  for (const double share : kShares) {
    CutFile cut({reinterpret_cast<const char*>(cloud.rows.data()), 4 * cloud.rows.size()});
    VectorBlock rows = cloud.block();
    rows.data = cut.bytes().data();
    const auto index = Open(file, rows, Metric::kL2);
    cut.CutOff(share);
    Search(*index, cloud);
  }
}

INSTANTIATE_TEST_SUITE_P(AllTypes, MappedFault, testing::ValuesIn(TypesOf(VectorKind::kDense)),
                         [](const auto& info) { return std::string(info.param->name); });

class SparseMappedFault : public testing::TestWithParam<const IndexType*> {
 protected:
  Vector Draw(int terms) {
    Vector made;
    for (int i = 0; i < terms; ++i) {
      made[static_cast<uint32_t>(random_() % 500)] = 0.1f * static_cast<float>(1 + random_() % 50);
    }
    return made;
  }
  Sparse DrawAll(int rows, int terms) {
    Sparse made;
    for (int i = 0; i < rows; ++i) made.Add(Draw(terms));
    return made;
  }
  std::string Build(const Sparse& rows) {
    auto file = GetParam()->Build(ctx_, rows.block(), Metric::kIp, {}, {});
    EXPECT_TRUE(file.ok()) << file.status().ToString();
    return std::move(*file);
  }

  SystemClock clock_;
  Context ctx_{clock_};
  std::mt19937 random_{5};
};

TEST_P(SparseMappedFault, OfTheIndexFile) {
  const Sparse rows = DrawAll(6000, 20);
  const Sparse queries = DrawAll(20, 8);
  const std::string file = Build(rows);
  for (const double share : kShares) {
    CutFile cut(file);
    auto index = GetParam()->Open(Blob({}, cut.bytes(), 0), rows.block(), Metric::kIp);
    ASSERT_TRUE(index.ok()) << index.status().ToString();
    cut.CutOff(share);
    ExpectRows(**index, ctx_, {.queries = queries.block(), .k = 10});
  }
}

// The offsets lie behind the values, as in a column file: each page of them ends between the two
// of a row.
TEST_P(SparseMappedFault, OfTheRowsAndTheirOffsets) {
  const Sparse rows = DrawAll(3000, 20);
  const Sparse queries = DrawAll(20, 8);
  const std::string file = Build(rows);
  const size_t data_bytes = (rows.words.size() * 4 + 63) / 64 * 64;
  std::string column(data_bytes + rows.bounds.size() * 8, '\0');
  std::memcpy(column.data(), rows.words.data(), rows.words.size() * 4);
  std::memcpy(column.data() + data_bytes, rows.bounds.data(), rows.bounds.size() * 8);
  size_t page = data_bytes / CutFile::PageBytes() - 2;
  for (; page <= column.size() / CutFile::PageBytes(); ++page) {
    CutFile cut(column);
    VectorBlock block = rows.block();
    block.data = cut.bytes().data();
    block.bounds = reinterpret_cast<const uint64_t*>(cut.bytes().data() + data_bytes);
    auto index = GetParam()->Open(AlignedCopy(file), block, Metric::kIp);
    ASSERT_TRUE(index.ok()) << index.status().ToString();
    cut.CutBehind(page);
    ExpectRows(**index, ctx_, {.queries = queries.block(), .k = 10});
    Answer exact(queries.block().rows, 10);
    (void)SearchExact(ctx_, block, Metric::kIp, {.queries = queries.block(), .k = 10},
                      exact.hits());
  }
}

class ScalarMappedFault : public testing::TestWithParam<const ScalarIndexType*> {
 protected:
  static constexpr size_t kRows = 20'000;

  model::Column MakeValues(model::DataType type) {
    model::Column column = model::MakeColumn(FieldId(1), "f", type, model::DataType::kNone, 0);
    for (size_t row = 0; row < kRows; ++row) {
      const auto value = static_cast<int64_t>(random_() % 3000);
      if (row % 50 == 7) {
        column.AppendNull();
      } else if (type == model::DataType::kInt64) {
        column.AppendFixed(&value);
      } else {
        column.AppendBytes(fmt::format("text {:05} {}", value, value % 7));
      }
    }
    return column;
  }
  static model::Scalar ValueOf(model::DataType type, int64_t value) {
    if (type == model::DataType::kInt64) return value;
    return fmt::format("text {:05} {}", value, value % 7);
  }
  void Ask(const ScalarIndex& index, model::DataType type) {
    using Kind = model::Predicate::Kind;
    std::vector<model::Predicate> predicates;
    for (const int64_t value : {3, 700, 1500, 2900}) {
      const model::Scalar low = ValueOf(type, value);
      predicates.push_back({.kind = Kind::kCompare, .type = type, .values = {low}});
      predicates.push_back(
          {.kind = Kind::kCompare, .type = type, .op = model::Compare::kGt, .values = {low}});
      predicates.push_back(
          {.kind = Kind::kRange, .type = type, .values = {low, ValueOf(type, value + 90)}});
      predicates.push_back(
          {.kind = Kind::kIn, .type = type, .values = {low, ValueOf(type, value + 50)}});
    }
    predicates.push_back({.kind = Kind::kIsNull, .type = type});
    if (type == model::DataType::kVarChar) {
      predicates.push_back(
          {.kind = Kind::kPrefix, .type = type, .values = {std::string("text 02")}});
    }
    for (const model::Predicate& predicate : predicates) {
      (void)index.Estimate(predicate);
      Bitset matches(kRows);
      (void)index.Answer(ctx_, predicate, matches);
      Bitset nulls(kRows);
      index.SetNulls(nulls);
    }
  }

  SystemClock clock_;
  Context ctx_{clock_};
  std::mt19937 random_{5};
};

TEST_P(ScalarMappedFault, OfTheIndexFile) {
  Params params;
  for (const ParamSpec& spec : GetParam()->params) {
    if (spec.name == "min_gram") params.Set(spec.name, 2);
    if (spec.name == "max_gram") params.Set(spec.name, 3);
  }
  for (const model::DataType type : {model::DataType::kInt64, model::DataType::kVarChar}) {
    if (!GetParam()->Supports({.type = type})) continue;
    const model::Column values = MakeValues(type);
    const auto file = GetParam()->Build(ctx_, values.view(), params);
    ASSERT_TRUE(file.ok()) << file.status().ToString();
    for (const double share : kShares) {
      CutFile cut(*file);
      auto index = OpenScalarIndex(Blob({}, cut.bytes(), 0));
      ASSERT_TRUE(index.ok()) << index.status().ToString();
      cut.CutOff(share);
      Ask(**index, type);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(AllTypes, ScalarMappedFault, testing::ValuesIn(AllScalarTypes()),
                         [](const auto& info) { return std::string(info.param->name); });

INSTANTIATE_TEST_SUITE_P(AllTypes, SparseMappedFault,
                         testing::ValuesIn(TypesOf(VectorKind::kSparse)),
                         [](const auto& info) { return std::string(info.param->name); });

}  // namespace
}  // namespace elanus::index
