// What AUTOINDEX chooses.
#include "index/auto_index.h"

#include <gtest/gtest.h>

#include <vector>

namespace elanus::index {
namespace {

using model::Metric;

constexpr ElementType kElements[] = {ElementType::kFloat32,  ElementType::kFloat16,
                                     ElementType::kBFloat16, ElementType::kInt8,
                                     ElementType::kBit,      ElementType::kSparse};

AutoRequest Dense(uint64_t rows, uint64_t memory_bytes,
                  ElementType element = ElementType::kFloat32) {
  return {.element = element,
          .metric = Metric::kIp,
          .dim = 384,
          .rows = rows,
          .field_rows = rows,
          .memory_bytes = memory_bytes};
}

size_t Estimate(const AutoChoice& choice, const AutoRequest& request) {
  const auto params = ParseParams(choice.type->params, Phase::kBuild, choice.params);
  EXPECT_TRUE(params.ok()) << params.status().ToString();
  return choice.type->EstimateMemory({.rows = request.field_rows,
                                      .dim = request.dim,
                                      .element = request.element,
                                      .metric = request.metric},
                                     *params);
}

TEST(AutoIndex, ChoosesParametersItsTypeAccepts) {
  for (ElementType element : kElements) {
    for (uint64_t rows : {0u, 2'000u, 1'000'000u}) {
      for (uint64_t memory : {0u, 1u, 300'000'000u}) {
        AutoRequest request = Dense(rows, memory, element);
        request.metric = DefaultMetric(KindOf(element));
        const AutoChoice choice = ChooseAutoIndex(request);
        ASSERT_NE(choice.type, nullptr);
        EXPECT_TRUE(choice.type->Takes(element)) << choice.type->name;
        EXPECT_TRUE(choice.type->Takes(request.metric)) << choice.type->name;
        const auto params = ParseParams(choice.type->params, Phase::kBuild, choice.params);
        ASSERT_TRUE(params.ok()) << params.status().ToString();
        for (const auto& [name, text] : choice.params) EXPECT_TRUE(params->Has(name)) << name;
        if (choice.type->Check != nullptr) {
          EXPECT_TRUE(choice.type->Check(request.dim, *params).ok());
        }
      }
    }
  }
}

TEST(AutoIndex, TakesTheFastestDenseTypeThatFitsTheMemory) {
  std::vector<std::string> chosen;
  for (uint64_t bytes_a_row : {700u, 500u, 200u, 30u, 1u}) {
    const AutoRequest request = Dense(1'000'000, bytes_a_row * 1'000'000);
    const AutoChoice choice = ChooseAutoIndex(request);
    const auto bits = choice.params.find("sq_type");
    chosen.push_back(std::string(choice.type->name) +
                     (bits == choice.params.end() ? "" : " " + bits->second));
    if (bytes_a_row > 1) {
      EXPECT_LE(Estimate(choice, request), request.memory_bytes);
    }
  }
  EXPECT_EQ(chosen, (std::vector<std::string>{"HNSW_SQ SQ8", "HNSW_SQ SQ4U", "IVF_RABITQ", "AISAQ",
                                              "AISAQ"}));
  EXPECT_EQ(ChooseAutoIndex(Dense(1'000'000, 0)).type->name, "HNSW_SQ");
}

TEST(AutoIndex, CountsTheRowsOfAllSegmentsAgainstTheMemory) {
  AutoRequest request = Dense(100'000, 100'000 * 700);
  EXPECT_EQ(ChooseAutoIndex(request).type->name, "HNSW_SQ");
  request.field_rows = 100'000'000;
  EXPECT_EQ(ChooseAutoIndex(request).type->name, "AISAQ");
}

TEST(AutoIndex, GivesInt8RowsAGraphOrHalfAsManyBits) {
  EXPECT_EQ(ChooseAutoIndex(Dense(1'000'000, 0, ElementType::kInt8)).type->name, "HNSW");
  const auto little = ChooseAutoIndex(Dense(1'000'000, 300'000'000, ElementType::kInt8));
  EXPECT_EQ(little.type->name, "IVF_SQ8");
  EXPECT_EQ(little.params.at("sq_type"), "SQ4");
}

TEST(AutoIndex, MakesAsManyListsAsSuitTheSegment) {
  const uint64_t little = 150'000'000;
  AutoRequest request = Dense(1'000'000, little);
  EXPECT_EQ(ChooseAutoIndex(request).params.at("nlist"), "2048");
  request.rows = 20'000;
  EXPECT_EQ(ChooseAutoIndex(request).params.at("nlist"), "512");
}

TEST(AutoIndex, ScansSmallBinarySegments) {
  AutoRequest request{.element = ElementType::kBit, .metric = Metric::kHamming, .dim = 512};
  EXPECT_EQ(ChooseAutoIndex(request).type->name, "BIN_IVF_FLAT");  // Nothing known.
  request.rows = 50'000;
  EXPECT_EQ(ChooseAutoIndex(request).type->name, "BIN_FLAT");
  request.rows = 500'000;
  EXPECT_EQ(ChooseAutoIndex(request).type->name, "BIN_IVF_FLAT");
  request.metric = Metric::kMinHashJaccard;
  EXPECT_EQ(ChooseAutoIndex(request).type->name, "MINHASH_LSH");
}

}  // namespace
}  // namespace elanus::index
