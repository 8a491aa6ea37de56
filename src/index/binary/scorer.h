// Scores rows of bits against one query at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "index/binary/binary_block.h"
#include "index/vector_index.h"
#include "simd/binary_kernels.h"

namespace elanus::index {

/// Key of a row that is no hit at all.
inline constexpr float kNoHit = std::numeric_limits<float>::infinity();

/// Keys sort ascending: a distance, or a negated similarity. For one thread.
class BinaryScorer {
 public:
  virtual ~BinaryScorer() = default;
  /// `query`: as long as a row; borrowed until the next call.
  virtual void SetQuery(const uint8_t* query) = 0;
  /// keys[i] of rows[i].
  virtual void Score(const uint32_t* rows, size_t count, float* keys) = 0;
  /// As Score for the rows begin .. begin + count; count <= kTileRows.
  virtual void ScoreRange(size_t begin, size_t count, float* keys) = 0;

  static constexpr size_t kTileRows = 256;
};

/// HAMMING and JACCARD over rows that lie one after the other.
class BitScorer final : public BinaryScorer {
 public:
  /// `ones`: the set bits of each row, for JACCARD; null: counted on the way. Both borrowed.
  BitScorer(BinaryBlock rows, const uint32_t* ones, model::Metric metric)
      : rows_(rows), ones_(ones), is_jaccard_(metric == model::Metric::kJaccard) {}
  void SetQuery(const uint8_t* query) override;
  void Score(const uint32_t* rows, size_t count, float* keys) override;
  void ScoreRange(size_t begin, size_t count, float* keys) override;

 private:
  float KeyOf(uint32_t differ, size_t row) const;

  const simd::BinaryKernels& kernels_ = simd::BestBinary();
  const BinaryBlock rows_;
  const uint32_t* ones_;
  const bool is_jaccard_;
  const uint8_t* query_ = nullptr;
  uint32_t query_ones_ = 0;
};

/// The set bits of each row. Cancellable; on the pool when there is one.
Result<std::vector<uint32_t>> CountOnes(Context& ctx, BinaryBlock rows, Pool* pool);

/// Runs fn(begin, end) over parts of 0 .. count, `part` long, on the pool when there is one.
Status ForParts(Context& ctx, Pool* pool, size_t count, size_t part,
                const std::function<void(size_t, size_t)>& fn);

}  // namespace elanus::index
