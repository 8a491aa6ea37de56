// What the tests of every index type share: rows in clusters, the truth beside an answer, and the
// parameters by which a type builds and finds well.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <set>
#include <string>

#include "base/aligned_copy.h"
#include "index/codes/dense_rows.h"
#include "index/vector_index.h"

namespace elanus::index {

using model::Metric;

struct Cloud {
  uint32_t dim = 0;
  std::vector<float> rows;
  std::vector<float> queries;
  VectorBlock block() const { return {.data = rows.data(), .rows = rows.size() / dim, .dim = dim}; }
  VectorBlock query_block() const {
    return {.data = queries.data(), .rows = queries.size() / dim, .dim = dim};
  }
};

inline Cloud MakeClusteredCloud(uint32_t seed, size_t rows, uint32_t dim, size_t queries) {
  std::mt19937 rng(seed);
  std::normal_distribution<float> normal;
  std::vector<float> centres(32 * dim);
  for (float& v : centres) v = normal(rng);
  Cloud cloud{.dim = dim};
  const auto draw = [&](size_t count, std::vector<float>& to) {
    for (size_t i = 0; i < count; ++i) {
      const size_t centre = rng() % 32;
      for (uint32_t d = 0; d < dim; ++d)
        to.push_back(centres[centre * dim + d] + 0.4f * normal(rng));
    }
  };
  draw(rows, cloud.rows);
  draw(queries, cloud.queries);
  return cloud;
}

struct Answer {
  std::vector<uint32_t> rows;
  std::vector<float> scores;
  Hits hits() { return {.rows = rows.data(), .scores = scores.data()}; }
  Answer(size_t nq, uint32_t k) : rows(nq * k), scores(nq * k) {}
};

/// A cloud in an element: its rows and queries as such, and `floats`: the numbers they stand for.
struct ElementCloud {
  ElementType element = ElementType::kFloat32;
  Cloud floats;
  std::string rows;
  std::string queries;
  VectorBlock block() const { return In(floats.block(), rows); }
  VectorBlock query_block() const { return In(floats.query_block(), queries); }

 private:
  VectorBlock In(VectorBlock block, const std::string& bytes) const {
    block.data = bytes.data();
    block.element = element;
    return block;
  }
};

/// Bytes come 20 times as large, so that rounding leaves something of them.
inline ElementCloud InElement(Cloud cloud, ElementType element) {
  ElementCloud typed{.element = element, .floats = std::move(cloud), .rows = {}, .queries = {}};
  const auto convert = [&](std::vector<float>& values, std::string& bytes) {
    if (element == ElementType::kInt8) {
      for (float& value : values) value *= 20;
    }
    const VectorBlock all{.dim = static_cast<uint32_t>(values.size()), .element = element};
    bytes.resize(all.row_bytes());
    EncodeElements(element, values.data(), values.size(), bytes.data());
    DecodeElements(element, bytes.data(), values.size(), values.data());
  };
  convert(typed.floats.rows, typed.rows);
  convert(typed.floats.queries, typed.queries);
  return typed;
}

class IndexFixture : public testing::Test {
 protected:
  virtual const IndexType& type() const = 0;
  Params BuildParams(uint32_t dim) const {
    Params params;
    params.Set("nlist", 32);
    params.Set("M", 16);
    params.Set("efConstruction", 100);
    params.Set("m", dim % 2 == 0 ? dim / 2 : dim);
    params.Set("nbits", 6);
    params.Set("nrq", 2);
    params.Set("sub_dim", dim % 2 == 0 ? 2 : 1);
    if (type().name != "HNSW") params.Set("refine", 1);
    return params;
  }
  std::string Build(VectorBlock rows, Metric metric, const Params& params,
                    const BuildOptions& options) {
    auto bytes = type().Build(ctx_, rows, metric, params, options);
    EXPECT_TRUE(bytes.ok()) << bytes.status().ToString();
    return bytes.ok() ? std::move(*bytes) : std::string();
  }
  std::unique_ptr<VectorIndex> Open(std::string bytes, VectorBlock rows, Metric metric) {
    file_ = std::make_shared<const std::string>(std::move(bytes));
    auto opened = type().Open(AlignedCopy(*file_), rows, metric);
    EXPECT_TRUE(opened.ok()) << opened.status().ToString();
    return std::move(*opened);
  }
  std::unique_ptr<VectorIndex> Make(VectorBlock rows, Metric metric) {
    return Open(Build(rows, metric, BuildParams(rows.dim), {.pool = &pool_}), rows, metric);
  }
  Params Wide() const {
    Params params;
    params.Set("ef", 200);
    params.Set("nprobe", 24);
    params.Set("refine_k", 20);
    params.Set("reorder_k", 1000);
    params.Set("search_list", 100);
    return params;
  }
  double Recall(const VectorIndex& index, const Cloud& cloud, Metric metric, BitsetView allowed) {
    return Recall(index, cloud, metric, allowed, Wide());
  }
  double Recall(const VectorIndex& index, const Cloud& cloud, Metric metric, BitsetView allowed,
                const Params& params) {
    constexpr uint32_t kK = 10;
    const size_t nq = cloud.query_block().rows;
    Answer got(nq, kK), want(nq, kK);
    EXPECT_TRUE(
        index
            .Search(ctx_,
                    {.queries = cloud.query_block(), .k = kK, .params = params, .allowed = allowed},
                    got.hits())
            .ok());
    EXPECT_TRUE(
        SearchExact(ctx_, cloud.block(), metric,
                    {.queries = cloud.query_block(), .k = kK, .params = {}, .allowed = allowed},
                    want.hits())
            .ok());
    size_t hit = 0;
    size_t all = 0;
    for (size_t q = 0; q < nq; ++q) {
      const std::set<uint32_t> truth(want.rows.begin() + q * kK, want.rows.begin() + (q + 1) * kK);
      for (uint32_t i = 0; i < kK; ++i) {
        const uint32_t row = got.rows[q * kK + i];
        if (row == kNoRow) continue;
        EXPECT_TRUE(allowed.empty() || allowed.Test(row));
        hit += truth.count(row);
      }
      all += truth.size() - truth.count(kNoRow);
    }
    return all == 0 ? 1.0 : static_cast<double>(hit) / static_cast<double>(all);
  }

  SystemClock clock_;
  Context ctx_{clock_};
  std::unique_ptr<Executor> executor_ = MakeThreadExecutor();
  Pool pool_{*executor_, "build", 2, 64};
  std::shared_ptr<const std::string> file_;
};

class VectorIndexConformance : public IndexFixture,
                               public testing::WithParamInterface<const IndexType*> {
 protected:
  const IndexType& type() const override { return *GetParam(); }
};

constexpr Metric kMetrics[] = {Metric::kL2, Metric::kIp, Metric::kCosine};

}  // namespace elanus::index
