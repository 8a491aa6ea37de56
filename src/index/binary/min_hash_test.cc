// Signatures and MINHASH_LSH beyond what every type is held to.
#include "index/binary/min_hash.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "index/binary/exact.h"
#include "index/vector_index.h"

namespace elanus::index {
namespace {

constexpr uint32_t kElements = 16;
constexpr uint32_t kDim = 32 * kElements;
constexpr auto kMetric = model::Metric::kMinHashJaccard;

// Signatures of 16 numbers of 32 bits; rows differ from their origin in the elements a bit names.
class MinHashLsh : public testing::Test {
 protected:
  void Add(std::initializer_list<uint32_t> changed) {
    uint32_t signature[kElements];
    for (uint32_t i = 0; i < kElements; ++i) signature[i] = 1000 + i;
    for (uint32_t i : changed)
      signature[i] = 1'000'000 + 100 * static_cast<uint32_t>(rows_.size()) + i;
    const auto* bytes = reinterpret_cast<const uint8_t*>(signature);
    rows_.insert(rows_.end(), bytes, bytes + sizeof(signature));
  }
  VectorBlock block() const {
    return {.data = rows_.data(),
            .rows = rows_.size() / (kDim / 8),
            .dim = kDim,
            .element = ElementType::kBit};
  }
  void Build(int bands, bool with_raw_data) {
    Params build;
    build.Set("mh_element_bit_width", 32);
    build.Set("mh_lsh_band", bands);
    build.Set("with_raw_data", with_raw_data ? 1 : 0);
    auto bytes = type_.Build(ctx_, block(), kMetric, build, {});
    ASSERT_TRUE(bytes.ok()) << bytes.status().ToString();
    auto owner = std::make_shared<const std::string>(std::move(*bytes));
    auto opened = type_.Open(Blob(owner, *owner, owner->size()), block(), kMetric);
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    index_ = std::move(*opened);
  }
  // The answer to the origin itself.
  Status Ask(uint32_t k, bool with_jaccard, double refine_k = 1) {
    uint32_t origin[kElements];
    for (uint32_t i = 0; i < kElements; ++i) origin[i] = 1000 + i;
    SearchRequest request{.queries = {.data = reinterpret_cast<const uint8_t*>(origin),
                                      .rows = 1,
                                      .dim = kDim,
                                      .element = ElementType::kBit},
                          .k = k,
                          .params = {},
                          .allowed = {},
                          .range = {}};
    request.params.Set("mh_search_with_jaccard", with_jaccard ? 1 : 0);
    request.params.Set("refine_k", refine_k);
    found_.assign(k, 0);
    scores_.assign(k, 0);
    return index_->Search(ctx_, request, {.rows = found_.data(), .scores = scores_.data()});
  }

  SystemClock clock_;
  Context ctx_{clock_};
  const IndexType& type_ = *FindType(VectorKind::kBinary, "MINHASH_LSH");
  std::vector<uint8_t> rows_;
  std::unique_ptr<VectorIndex> index_;
  std::vector<uint32_t> found_;
  std::vector<float> scores_;
};

TEST_F(MinHashLsh, AnswersRowsOfWhichABandIsEqualWithAConstantScore) {
  Add({0, 4, 8, 12});  // No band of four is whole.
  Add({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  Add({});
  Add({15});
  Build(4, false);
  ASSERT_TRUE(Ask(4, false).ok());
  EXPECT_EQ(found_, (std::vector<uint32_t>{1, 2, 3, kNoRow}));
  EXPECT_EQ(scores_, (std::vector<float>{1, 1, 1, 0}));
  ASSERT_TRUE(Ask(2, false).ok());
  EXPECT_EQ(found_, (std::vector<uint32_t>{1, 2}));
}

TEST_F(MinHashLsh, LeavesOutWhatDoesNotFillABand) {
  Add({15});  // Three bands of five: element 15 is of none.
  Add({0, 5, 10});
  Build(3, false);
  ASSERT_TRUE(Ask(2, false).ok());
  EXPECT_EQ(found_, (std::vector<uint32_t>{0, kNoRow}));
}

TEST_F(MinHashLsh, TakesBandsFromOneToTheElementsOfARow) {
  Add({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15});
  Add({});
  Build(-3, false);
  ASSERT_TRUE(Ask(2, false).ok());
  EXPECT_EQ(found_, (std::vector<uint32_t>{1, kNoRow})) << "one band";
  Build(1000, false);
  ASSERT_TRUE(Ask(2, false).ok());
  EXPECT_EQ(found_, (std::vector<uint32_t>{0, 1})) << "a band an element";
}

TEST_F(MinHashLsh, OrdersByTheEstimateWhenAsked) {
  Add({0, 1, 2, 3, 4, 5, 6, 7});
  Add({0, 1, 2, 3, 4});
  Add({});
  Add({0, 4, 8, 12});
  Build(4, true);
  ASSERT_TRUE(Ask(4, true, 10).ok());
  EXPECT_EQ(found_, (std::vector<uint32_t>{2, 1, 0, kNoRow}));
  EXPECT_EQ(scores_, (std::vector<float>{1.0f, 11.0f / 16, 0.5f, 0.0f}));
}

TEST_F(MinHashLsh, ComparesAsManyOfTheLikeliestRowsAsRefineKSays) {
  Add({4, 5, 6, 8, 9, 12});       // One band, ten elements.
  Add({1, 2, 3, 5, 6, 7, 9});     // One band, nine elements.
  Add({0, 1, 2, 3, 4, 5, 6, 7});  // Two bands, eight elements.
  Build(4, true);
  ASSERT_TRUE(Ask(1, true).ok());
  EXPECT_EQ(found_, (std::vector<uint32_t>{2})) << "the one with most bands alone is compared";
  ASSERT_TRUE(Ask(1, true, 3).ok());
  EXPECT_EQ(found_, (std::vector<uint32_t>{0}));
}

TEST_F(MinHashLsh, FindsWhatAScanOfAllSignaturesFinds) {
  std::mt19937 rng(5);
  for (int r = 0; r < 3000; ++r) {
    uint32_t signature[kElements];
    for (uint32_t i = 0; i < kElements; ++i) signature[i] = rng() % 3 == 0 ? 1000 + i : rng() % 50;
    const auto* bytes = reinterpret_cast<const uint8_t*>(signature);
    rows_.insert(rows_.end(), bytes, bytes + sizeof(signature));
  }
  Build(5, true);
  Bitset allowed(3000);
  for (size_t i = 0; i < 3000; i += 3) allowed.Set(i);
  SearchRequest request{
      .queries = {.data = rows_.data(), .rows = 50, .dim = kDim, .element = ElementType::kBit},
      .k = 2000,
      .params = {},
      .allowed = allowed.view(),
      .range = {}};
  request.params.Set("mh_element_bit_width", 32);
  request.params.Set("mh_lsh_band", 5);
  std::vector<uint32_t> rows(50 * 2000), all_rows(50 * 2000);
  std::vector<float> scores(50 * 2000), all_scores(50 * 2000);
  const Hits hits{.rows = rows.data(), .scores = scores.data()};
  const Hits all{.rows = all_rows.data(), .scores = all_scores.data()};
  ASSERT_TRUE(index_->Search(ctx_, request, hits).ok());
  ASSERT_TRUE(SearchExactBinary(ctx_, block(), kMetric, request, all).ok());
  EXPECT_EQ(rows, all_rows);
  EXPECT_EQ(scores, all_scores);
  // With estimates: the scan's answer without the rows of which no band is equal.
  std::vector<std::vector<bool>> is_hit(50, std::vector<bool>(3000));
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] != kNoRow) is_hit[i / 2000][rows[i]] = true;
  }
  request.params.Set("mh_search_with_jaccard", 1);
  ASSERT_TRUE(index_->Search(ctx_, request, hits).ok());
  ASSERT_TRUE(SearchExactBinary(ctx_, block(), kMetric, request, all).ok());
  size_t hits_seen = 0;
  for (size_t q = 0; q < 50; ++q) {
    size_t at = q * 2000;
    for (size_t i = q * 2000; i < (q + 1) * 2000 && all_rows[i] != kNoRow; ++i) {
      if (!is_hit[q][all_rows[i]]) continue;
      ASSERT_EQ(rows[at], all_rows[i]) << "query " << q;
      ASSERT_EQ(scores[at++], all_scores[i]);
      ++hits_seen;
    }
    ASSERT_EQ(rows[at], kNoRow) << "query " << q;
  }
  EXPECT_GT(hits_seen, 500u);
}

TEST_F(MinHashLsh, RefusesToCompareWithoutRawData) {
  Add({});
  Build(4, false);
  EXPECT_EQ(Ask(1, true).code(), ErrorCode::kSegcore);
}

TEST(MinHash, RefusesWidthsThatAreNoBytesOrDoNotDivideTheRow) {
  const auto check = [](uint32_t dim, double width) {
    Params build;
    build.Set("mh_element_bit_width", width);
    return FindType(VectorKind::kBinary, "MINHASH_LSH")->Check(dim, build).code();
  };
  EXPECT_EQ(check(512, 32), ErrorCode::kOk);
  EXPECT_EQ(check(512, 24), ErrorCode::kInvalidParameter);
  EXPECT_EQ(check(512, 12), ErrorCode::kInvalidParameter);
  EXPECT_EQ(check(96, 24), ErrorCode::kOk);
  const auto parse = [](std::string text) {
    return ParseParams(FindType(VectorKind::kBinary, "MINHASH_LSH")->params, Phase::kBuild,
                       {{"mh_element_bit_width", std::move(text)}})
        .status()
        .code();
  };
  EXPECT_EQ(parse("256"), ErrorCode::kOk);
  EXPECT_EQ(parse("264"), ErrorCode::kInvalidParameter);
  EXPECT_EQ(parse("0"), ErrorCode::kInvalidParameter);
}

TEST(MinHash, EstimatesTheShareOfEqualElementsForEveryWidth) {
  std::mt19937 rng(1);
  for (uint32_t width : {1u, 2u, 3u, 4u, 8u, 16u, 32u}) {
    const SignatureShape shape{
        .element_bytes = width, .elements = 24, .bands = 1, .band_elements = 24};
    std::vector<uint8_t> a(24 * width), b;
    for (uint8_t& byte : a) byte = static_cast<uint8_t>(rng());
    b = a;
    for (uint32_t i = 0; i < 24; i += 4) ++b[i * width + width - 1];
    EXPECT_EQ(EstimateJaccard(a.data(), b.data(), shape), 0.75f) << width;
  }
}

}  // namespace
}  // namespace elanus::index
