// How an index keeps vectors: packed by a codec trained on them, and scored in packed form.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "base/context.h"
#include "index/codes/dense_rows.h"
#include "index/vector_index.h"

namespace elanus::index {

enum class CodeKind : uint32_t {
  kNone = 0,
  kFloat32 = 1,
  kFloat16 = 2,
  kBFloat16 = 3,
  kSq8 = 4,
  kSq6 = 5,
  kSq4 = 6,
  kAdditive = 7,  // Product and residual quantisers.
  kRabitq = 8,    // Of residuals only.
  kFastScan = 9,  // Of residuals only; rows lie in blocks.
  kRaw = 10,      // Rows of another element than float32 as they are.
  kRotated = 11,  // 4 bits a dimension of the rotated row, on a grid as wide as that row.
};

/// Rows as a file holds them, borrowed: rows x row_bytes, and one term a row: for L2 the square of
/// the decoded row's norm, for kRaw under COSINE 1 / norm (codecs whose has_terms() is false need
/// none).
struct PackedRows {
  const char* codes = nullptr;
  const float* terms = nullptr;
  size_t rows = 0;
};

/// Scores packed rows against one query at a time. Keys sort ascending: the L2 distance or the
/// negated inner product. For one thread.
class Scorer {
 public:
  virtual ~Scorer() = default;
  /// `query`: dim numbers, for COSINE normalised unless takes_plain_query(); borrowed until the
  /// next call.
  virtual void SetQuery(const float* query) = 0;
  /// True: COSINE queries come as they are, and the scorer divides by the lengths.
  virtual bool takes_plain_query() const { return false; }
  /// keys[i] of rows[i], fast: the query may be rounded too.
  virtual void Score(const uint32_t* rows, size_t count, float* keys) = 0;
  /// As Score for the rows begin .. begin + count.
  virtual void ScoreRange(size_t begin, size_t count, float* keys) = 0;
  /// The rows of begin .. begin + count whose key plus `offset` is at most `bound`: their numbers
  /// to `rows`, those sums to `keys`; returns how many. count <= 256; begin at a block's first row.
  virtual size_t Below(size_t begin, size_t count, float offset, float bound, uint32_t* rows,
                       float* keys) {
    ScoreRange(begin, count, keys);
    size_t kept = 0;
    for (size_t i = 0; i < count; ++i) {
      const float key = keys[i] + offset;
      if (key > bound) continue;
      rows[kept] = static_cast<uint32_t>(begin + i);
      keys[kept++] = key;
    }
    return kept;
  }
  /// The key of the decoded row to the query as it is: what is answered when nothing refines.
  virtual float ScoreExact(uint32_t row) = 0;
};

/// Immutable once trained; thread-safe.
class Codec {
 public:
  virtual ~Codec() = default;
  virtual CodeKind kind() const = 0;
  virtual size_t row_bytes() const = 0;
  /// Rows that are packed together: 1, or as many as Interleave takes.
  virtual size_t block_rows() const { return 1; }
  /// Turns block_rows() encoded rows into a block of as many bytes.
  virtual void Interleave(const char* codes, char* block) const {
    std::memcpy(block, codes, row_bytes());
  }
  /// See PackedRows::terms.
  virtual bool has_terms() const = 0;
  virtual void Encode(const float* row, char* code) const = 0;
  /// True: COSINE rows are to be packed as they are.
  virtual bool takes_plain_rows() const { return false; }
  /// Of what a row leaves over from its centroid: the scorer then lacks the query's product with
  /// the centroid and nothing else.
  virtual void EncodeResidual(const float* residual, const float* centroid, char* code) const {
    (void)centroid;
    Encode(residual, code);
  }
  /// True: terms are of the rows as they are and not of the decoded ones.
  virtual bool has_exact_terms() const { return false; }
  virtual void Decode(const char* code, float* row) const = 0;
  /// False when a code of a file names a word that is not there.
  virtual bool Holds(PackedRows) const { return true; }
  /// What OpenCodec needs to make it again.
  virtual std::string Save() const = 0;
  virtual std::unique_ptr<Scorer> NewScorer(PackedRows rows) const = 0;
};

/// A codec that needs no codebook, trained on at most 65,536 of `rows` (normalised for COSINE).
/// `kind`: float32, the 16-bit floats, the scalar quantisers.
std::unique_ptr<Codec> TrainCodec(CodeKind kind, const FloatRows& rows, bool is_l2);

/// Keeps rows as they are: float32 for COSINE with length 1, other elements as kRaw.
std::unique_ptr<Codec> MakeRowCodec(ElementType element, uint32_t dim, model::Metric metric);

/// `saved` comes from Save(). kIntegrity when it does not fit.
Result<std::unique_ptr<Codec>> OpenCodec(CodeKind kind, uint32_t dim, bool is_l2,
                                         std::string_view saved);

/// The rows as `codec` packs them: under COSINE of length 1, unless it takes them plain.
inline FloatRows RowsFor(const Codec& codec, VectorBlock rows, model::Metric metric) {
  return {rows, metric == model::Metric::kCosine && !codec.takes_plain_rows()};
}

/// How a file's header describes one part of packed rows.
struct PackedPart {
  uint64_t kind = 0;  // A CodeKind.
  uint64_t row_bytes = 0;
  uint64_t has_terms = 0;  // 0 or 1.
  std::string_view params;
  const char* codes = nullptr;
  const char* terms = nullptr;  // Read only where has_terms.
  uint64_t rows = 0;
};

struct OpenedPart {
  std::unique_ptr<Codec> codec;
  PackedRows rows;
};

/// Makes the part's codec and checks that the part is what that codec writes. kIntegrity when it is
/// not; `what` names the index for the message.
Result<OpenedPart> OpenPacked(const PackedPart& part, uint32_t dim, bool is_l2,
                              std::string_view what);

/// Packs rows.rows rows: code i of source row order[i] (null: i) goes to codes + i * row_bytes, its
/// term to terms[i] where the codec has terms. Cancellable; on the pool when there is one.
Status PackRows(Context& ctx, const Codec& codec, const FloatRows& rows, const uint32_t* order,
                Pool* pool, char* codes, float* terms);

/// Bytes a row takes, terms included, before anything is trained; kAdditive by its own parameters,
/// kRaw by MakeRowCodec's.
size_t EstimateRowBytes(CodeKind kind, uint32_t dim);
/// Of MakeRowCodec.
size_t EstimateRowBytes(ElementType element, uint32_t dim);

}  // namespace elanus::index
