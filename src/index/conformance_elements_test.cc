// Every dense type with rows of every element it takes: recall with filters of every share, ranges,
// streams, ties, zero vectors, and files that belong to other rows.
#include <algorithm>
#include <map>

#include "base/aligned_copy.h"
#include "base/framed.h"
#include "index/conformance.h"

namespace elanus::index {
namespace {

constexpr size_t kRows = 1600;
constexpr uint32_t kDim = 32;
constexpr size_t kQueries = 24;

using TypeAndElement = std::pair<const IndexType*, ElementType>;

std::vector<TypeAndElement> AllPairs() {
  std::vector<TypeAndElement> pairs;
  for (const IndexType* type : TypesOf(VectorKind::kDense)) {
    if (type->twin != nullptr) continue;  // As its twin.
    for (ElementType element : {ElementType::kFloat32, ElementType::kFloat16,
                                ElementType::kBFloat16, ElementType::kInt8}) {
      if (type->Takes(element)) pairs.emplace_back(type, element);
    }
  }
  return pairs;
}

std::string NameOfElement(ElementType element) {
  static const std::map<ElementType, std::string> kNames = {{ElementType::kFloat32, "Float32"},
                                                            {ElementType::kFloat16, "Float16"},
                                                            {ElementType::kBFloat16, "BFloat16"},
                                                            {ElementType::kInt8, "Int8"}};
  return kNames.at(element);
}

// Every row with its key, smaller is better, the best first.
struct Ranked {
  double key;
  uint32_t row;
  bool operator<(const Ranked& o) const { return key < o.key || (key == o.key && row < o.row); }
};

class ElementConformance : public IndexFixture, public testing::WithParamInterface<TypeAndElement> {
 protected:
  const IndexType& type() const override { return *GetParam().first; }
  ElementType element() const { return GetParam().second; }

  const ElementCloud& cloud() const {
    static std::map<ElementType, ElementCloud> clouds;
    const auto [at, is_new] = clouds.try_emplace(element());
    if (is_new) at->second = InElement(MakeClusteredCloud(31, kRows, kDim, kQueries), element());
    return at->second;
  }
  // One build for all tests.
  std::unique_ptr<VectorIndex> Shared(Metric metric) {
    static std::map<std::tuple<std::string_view, ElementType, Metric>, std::string> files;
    std::string& file = files[{type().name, element(), metric}];
    if (file.empty()) {
      Params build = BuildParams(kDim);
      build.Set("efConstruction", 60);
      file = Build(cloud().block(), metric, build, {.pool = &pool_});
    }
    return Open(file, cloud().block(), metric);
  }
  std::vector<Ranked> Rank(Metric metric, size_t query, BitsetView allowed) const {
    const float* q = cloud().floats.queries.data() + query * kDim;
    std::vector<Ranked> ranked;
    for (uint32_t r = 0; r < kRows; ++r) {
      if (!allowed.empty() && !allowed.Test(r)) continue;
      const float* row = cloud().floats.rows.data() + size_t{r} * kDim;
      double l2 = 0, ip = 0, qq = 0, rr = 0;
      for (uint32_t d = 0; d < kDim; ++d) {
        l2 += (static_cast<double>(q[d]) - row[d]) * (static_cast<double>(q[d]) - row[d]);
        ip += static_cast<double>(q[d]) * row[d];
        qq += static_cast<double>(q[d]) * q[d];
        rr += static_cast<double>(row[d]) * row[d];
      }
      const double key = metric == Metric::kL2   ? l2
                         : metric == Metric::kIp ? -ip
                                                 : -ip / std::sqrt(std::max(qq * rr, 1e-30));
      ranked.push_back({key, r});
    }
    std::sort(ranked.begin(), ranked.end());
    return ranked;
  }
  static double Slack(double key) { return 1e-4 * std::max(1.0, std::abs(key)); }
  static double KeyOf(Metric metric, float score) {
    return model::LargerIsBetter(metric) ? -score : score;
  }
  bool IsExact() const { return type().name == "FLAT"; }

  std::vector<Ranked> Drain(HitStream& stream, Metric metric, std::vector<size_t> pages) {
    std::vector<Ranked> got;
    for (size_t i = 0;; ++i) {
      const size_t page = pages[i % pages.size()];
      Answer hits(1, static_cast<uint32_t>(page));
      const Result<size_t> found = stream.Next(ctx_, page, hits.hits());
      EXPECT_TRUE(found.ok()) << found.status().ToString();
      if (!found.ok()) break;
      for (size_t h = 0; h < *found; ++h) {
        got.push_back({KeyOf(metric, hits.scores[h]), hits.rows[h]});
      }
      if (*found < page) break;
    }
    return got;
  }
};

// The first place from `at` on whose row is clearly behind the one before; 0 stays.
size_t GapFrom(const std::vector<Ranked>& ranked, size_t at) {
  if (at == 0) return 0;
  while (at + 1 < ranked.size() &&
         ranked[at].key - ranked[at - 1].key < 1e-5 * std::max(1.0, std::abs(ranked[at].key))) {
    ++at;
  }
  return at;
}

// The share of got[0 .. k) that is as good as the k-th of the truth; equal keys may be of any row.
double ShareOfBest(const std::vector<Ranked>& got, const std::vector<Ranked>& truth, size_t k) {
  k = std::min(k, truth.size());
  if (k == 0) return 1;
  size_t good = 0;
  for (size_t i = 0; i < std::min(k, got.size()); ++i) {
    good += got[i].key <= truth[k - 1].key + 1e-4 * std::max(1.0, std::abs(truth[k - 1].key));
  }
  return static_cast<double>(good) / static_cast<double>(k);
}

TEST_P(ElementConformance, KeepsItsRecallAndScoresWithFiltersOfEveryShare) {
  for (Metric metric : kMetrics) {
    const auto index = Shared(metric);
    EXPECT_EQ(index->rows(), kRows);
    for (double share : {0.0, 0.001, 0.01, 0.1, 0.5, 0.99}) {
      Bitset some(kRows);
      std::mt19937 rng(3);
      for (size_t i = 0; i < kRows; ++i) {
        if (rng() % 1000 < share * 1000) some.Set(i);
      }
      const BitsetView allowed = share == 0 ? BitsetView{} : some.view();
      Answer answer(kQueries, 10);
      ASSERT_TRUE(
          index
              ->Search(
                  ctx_,
                  {.queries = cloud().query_block(), .k = 10, .params = Wide(), .allowed = allowed},
                  answer.hits())
              .ok());
      double good = 0;
      for (size_t q = 0; q < kQueries; ++q) {
        const std::vector<Ranked> truth = Rank(metric, q, allowed);
        std::map<uint32_t, double> keys;
        for (const Ranked& r : truth) keys[r.row] = r.key;
        std::vector<Ranked> got;
        for (size_t i = q * 10; i < (q + 1) * 10 && answer.rows[i] != kNoRow; ++i) {
          const double key = KeyOf(metric, answer.scores[i]);
          ASSERT_EQ(keys.count(answer.rows[i]), 1u) << "a row that is not allowed";
          EXPECT_NEAR(key, keys[answer.rows[i]], Slack(key)) << NameOf(metric);
          got.push_back({key, answer.rows[i]});
        }
        EXPECT_EQ(got.size(), std::min<size_t>(10, truth.size()));
        EXPECT_TRUE(std::is_sorted(got.begin(), got.end(),
                                   [](const auto& a, const auto& b) { return a.key < b.key; }));
        good += ShareOfBest(got, truth, 10) / kQueries;
      }
      EXPECT_GE(good, IsExact() ? 0.9999 : 0.95) << NameOf(metric) << " share " << share;
    }
  }
}

// Ranges by the ranks of the rows they hold: at the near end, in the middle, deep below the best.
TEST_P(ElementConformance, AnswersTheBestRowsOfARange) {
  struct Ranks {
    size_t from, to;  // kRows: no radius.
  };
  Bitset half(kRows);
  for (size_t i = 0; i < kRows; i += 2) half.Set(i);
  for (Metric metric : kMetrics) {
    const float sign = model::LargerIsBetter(metric) ? -1.0f : 1.0f;
    const auto index = Shared(metric);
    for (const auto& [from, to] : {Ranks{0, 5}, Ranks{0, 100}, Ranks{20, 24}, Ranks{20, 300},
                                   Ranks{300, 600}, Ranks{700, kRows}}) {
      for (BitsetView allowed : {BitsetView{}, half.view()}) {
        double good = 0;
        for (size_t q = 0; q < kQueries; ++q) {
          const std::vector<Ranked> all = Rank(metric, q, allowed);
          if (from >= all.size()) continue;
          // Between two rows' keys, so that no rounding decides.
          const size_t low = GapFrom(all, from);
          const size_t high = to >= all.size() ? all.size() : GapFrom(all, std::max(to, low + 1));
          SearchRequest request{.queries = cloud().query_block().Slice(q, 1),
                                .k = 10,
                                .params = Wide(),
                                .allowed = allowed};
          if (low > 0) {
            request.range.range_filter =
                sign * static_cast<float>((all[low - 1].key + all[low].key) / 2);
          }
          if (high < all.size()) {
            request.range.radius =
                sign * static_cast<float>((all[high - 1].key + all[high].key) / 2);
          }
          Answer answer(1, 10);
          ASSERT_TRUE(index->Search(ctx_, request, answer.hits()).ok());
          const std::vector<Ranked> truth(all.begin() + static_cast<ptrdiff_t>(low),
                                          all.begin() + static_cast<ptrdiff_t>(high));
          std::vector<Ranked> got;
          for (size_t i = 0; i < 10 && answer.rows[i] != kNoRow; ++i) {
            const double key = KeyOf(metric, answer.scores[i]);
            EXPECT_TRUE(allowed.empty() || allowed.Test(answer.rows[i]));
            EXPECT_GE(key, truth.front().key - Slack(key));
            EXPECT_LE(key, truth.back().key + Slack(key));
            got.push_back({key, answer.rows[i]});
          }
          good += ShareOfBest(got, truth, 10) / kQueries;
        }
        EXPECT_GE(good, IsExact() ? 0.999 : 0.93)
            << NameOf(metric) << " ranks " << from << " to " << to << " of "
            << (allowed.empty() ? "all" : "half");
      }
    }
  }
}

TEST_P(ElementConformance, StreamsEveryRowOnceTheBestFirst) {
  for (Metric metric : kMetrics) {
    const auto index = Shared(metric);
    double first_ten = 0, first_hundred = 0, first_thousand = 0;
    for (size_t q = 0; q < 6; ++q) {
      const auto stream =
          index->Stream(ctx_, {.query = cloud().query_block().Slice(q, 1), .params = Wide()});
      ASSERT_TRUE(stream.ok()) << stream.status().ToString();
      const std::vector<Ranked> got = Drain(**stream, metric, {1, 9, 90, 400});
      ASSERT_EQ(got.size(), kRows);
      std::vector<uint8_t> seen(kRows, 0);
      for (const Ranked& r : got) ASSERT_EQ(seen[r.row]++, 0) << "row " << r.row << " twice";
      const std::vector<Ranked> truth = Rank(metric, q, {});
      first_ten += ShareOfBest(got, truth, 10) / 6;
      first_hundred += ShareOfBest(got, truth, 100) / 6;
      first_thousand += ShareOfBest(got, truth, 1000) / 6;
      if (!IsExact()) continue;
      for (size_t i = 1; i < got.size(); ++i) ASSERT_LE(got[i - 1].key, got[i].key);
    }
    const double expected = IsExact() ? 0.999 : 0.93;
    EXPECT_GE(first_ten, expected) << NameOf(metric);
    EXPECT_GE(first_hundred, expected) << NameOf(metric);
    // One bit a dimension says little of rows so far out.
    const bool is_coarse = type().name == "IVF_RABITQ";
    EXPECT_GE(first_thousand, is_coarse ? 0.88 : expected) << NameOf(metric);
  }
}

TEST_P(ElementConformance, StreamsWhatAFilterAllowsAndARangeHolds) {
  for (Metric metric : kMetrics) {
    const float sign = model::LargerIsBetter(metric) ? -1.0f : 1.0f;
    const auto index = Shared(metric);
    for (size_t keep_one_in : {1u, 3u, 200u}) {
      Bitset some(kRows);
      for (size_t i = 0; i < kRows; i += keep_one_in) some.Set(i);
      const BitsetView allowed = keep_one_in == 1 ? BitsetView{} : some.view();
      const std::vector<Ranked> all = Rank(metric, 0, allowed);
      StreamRequest request{
          .query = cloud().query_block().Slice(0, 1), .params = Wide(), .allowed = allowed};
      const auto whole = index->Stream(ctx_, request);
      ASSERT_TRUE(whole.ok());
      std::vector<Ranked> got = Drain(**whole, metric, {64});
      EXPECT_EQ(got.size(), all.size());
      for (const Ranked& r : got) EXPECT_TRUE(allowed.empty() || allowed.Test(r.row));

      const size_t low = GapFrom(all, all.size() / 4);
      const size_t high = GapFrom(all, all.size() / 2);
      request.range.range_filter = sign * static_cast<float>((all[low - 1].key + all[low].key) / 2);
      request.range.radius = sign * static_cast<float>((all[high - 1].key + all[high].key) / 2);
      const auto part = index->Stream(ctx_, request);
      ASSERT_TRUE(part.ok());
      got = Drain(**part, metric, {7, 70});
      std::set<uint32_t> rows;
      for (const Ranked& r : got) {
        EXPECT_TRUE(rows.insert(r.row).second);
        EXPECT_GE(r.key, all[low].key - Slack(r.key));
        EXPECT_LE(r.key, all[high - 1].key + Slack(r.key));
      }
      EXPECT_GE(got.size(), (high - low) * (IsExact() ? 100 : 93) / 100)
          << NameOf(metric) << " 1 in " << keep_one_in;
    }
  }
}

TEST_P(ElementConformance, StopsAStreamThatNobodyWaitsFor) {
  const auto index = Shared(Metric::kL2);
  const auto stream =
      index->Stream(ctx_, {.query = cloud().query_block().Slice(0, 1), .params = Wide()});
  ASSERT_TRUE(stream.ok());
  Context cancelled(clock_);
  cancelled.Cancel();
  Answer hits(1, 100);
  EXPECT_EQ((*stream)->Next(cancelled, 100, hits.hits()).status().code(), ErrorCode::kCanceled);
}

// Numbers of -1, 0 and 1: equal rows, zero rows and equal scores, which every element holds.
TEST_P(ElementConformance, AnswersTiesZeroVectorsAndFewerRowsThanK) {
  constexpr size_t kFew = 300;
  std::mt19937 rng(1);
  Cloud grid{.dim = 4, .rows = {}, .queries = {}};
  for (size_t i = 0; i < kFew * 4; ++i) grid.rows.push_back(static_cast<float>(rng() % 3) - 1);
  for (size_t i = 0; i < 5 * 4; ++i) grid.queries.push_back(static_cast<float>(rng() % 3) - 1);
  std::fill_n(grid.queries.begin(), 4, 0.0f);
  std::fill_n(grid.rows.begin(), 4, 0.0f);
  const ElementCloud few = InElement(std::move(grid), element());
  Params wide = Wide();
  for (const char* name : {"ef", "search_list", "nprobe", "refine_k", "reorder_k"}) {
    wide.Set(name, 1000);
  }
  for (Metric metric : kMetrics) {
    const auto index = Make(few.block(), metric);
    for (uint32_t k : {150u, 400u}) {
      Answer got(5, k), want(5, k);
      ASSERT_TRUE(
          index->Search(ctx_, {.queries = few.query_block(), .k = k, .params = wide}, got.hits())
              .ok());
      ASSERT_TRUE(SearchExact(ctx_, few.block(), metric,
                              {.queries = few.query_block(), .k = k, .params = {}}, want.hits())
                      .ok());
      for (size_t i = 0; i < 5 * k; ++i) {
        ASSERT_EQ(got.rows[i] == kNoRow, want.rows[i] == kNoRow) << NameOf(metric) << i;
        if (got.rows[i] == kNoRow) continue;
        EXPECT_NEAR(got.scores[i], want.scores[i], Slack(want.scores[i])) << NameOf(metric);
        EXPECT_TRUE(metric != Metric::kCosine || got.rows[i] != 0 || got.scores[i] == 0.0f);
      }
    }
  }
}

TEST_P(ElementConformance, RefusesTheFileOfAnotherElement) {
  const Cloud floats = MakeClusteredCloud(3, 100, 8, 1);
  const ElementCloud here = InElement(floats, element());
  const std::string file = Build(here.block(), Metric::kCosine, BuildParams(8), {});
  for (ElementType other :
       {ElementType::kFloat32, ElementType::kFloat16, ElementType::kBFloat16, ElementType::kInt8}) {
    const ElementCloud there = InElement(floats, other);
    const auto opened = type().Open(AlignedCopy(file), there.block(), Metric::kCosine);
    EXPECT_EQ(opened.status().code(), other == element() ? ErrorCode::kOk : ErrorCode::kIntegrity)
        << NameOfElement(other);
  }
}

// Damage that the checksum does not show: a search may find nonsense, never what is not there.
TEST_P(ElementConformance, FollowsNothingInAFileUnchecked) {
  const ElementCloud few = InElement(MakeClusteredCloud(3, 150, 8, 2), element());
  Params build = BuildParams(8);
  build.Set("nlist", 4);
  build.Set("nbits", 4);
  const std::string file = Build(few.block(), Metric::kCosine, build, {});
  const std::string magic = file.substr(0, 8);
  const auto payload = Unframe(magic, 1, file, "file");
  ASSERT_TRUE(payload.ok());
  std::mt19937 rng(17);
  for (int i = 0; i < 150; ++i) {
    std::string bad(*payload);
    const size_t reach = i % 2 == 0 ? std::min<size_t>(bad.size(), 256) : bad.size();
    for (size_t changes = 1 + rng() % 3; changes > 0 && reach > 0; --changes) {
      bad[rng() % reach] = static_cast<char>(rng() % 3 == 0 ? 0xff : rng() % 256);
    }
    const std::string framed = Frame(magic, 1, bad);
    const auto index = type().Open(AlignedCopy(framed), few.block(), Metric::kCosine);
    if (!index.ok()) {
      EXPECT_EQ(index.status().code(), ErrorCode::kIntegrity) << index.status().ToString();
      continue;
    }
    const auto stream =
        (*index)->Stream(ctx_, {.query = few.query_block().Slice(0, 1), .params = Wide()});
    ASSERT_TRUE(stream.ok());
    for (const Ranked& r : Drain(**stream, Metric::kCosine, {40})) ASSERT_LT(r.row, 150u);
    Answer got(2, 20);
    SearchRequest request{.queries = few.query_block(), .k = 20, .params = Wide()};
    request.range.range_filter = 0.9f;
    ASSERT_TRUE((*index)->Search(ctx_, request, got.hits()).ok());
    for (uint32_t row : got.rows) ASSERT_TRUE(row == kNoRow || row < 150);
  }
}

INSTANTIATE_TEST_SUITE_P(DenseTypes, ElementConformance, testing::ValuesIn(AllPairs()),
                         [](const auto& info) {
                           return std::string(info.param.first->name) + "_" +
                                  NameOfElement(info.param.second);
                         });

TEST(IndexTypes, TakeTheElementsOfTheirKind) {
  const auto takes = [](const char* name, ElementType element) {
    return FindType(VectorKind::kDense, name)->Takes(element);
  };
  for (const char* name : {"HNSW", "HNSW_SQ", "HNSW_PQ", "HNSW_PRQ", "FLAT", "IVF_FLAT"}) {
    EXPECT_TRUE(takes(name, ElementType::kInt8)) << name;
    EXPECT_FALSE(takes(name, ElementType::kBit)) << name;
  }
  for (const char* name : {"IVF_RABITQ", "DISKANN"}) {
    EXPECT_TRUE(takes(name, ElementType::kFloat16)) << name;
    EXPECT_FALSE(takes(name, ElementType::kInt8)) << name;
  }
}

}  // namespace
}  // namespace elanus::index
