// What a segment asks of an index over binary vectors, and how a type of such an index makes itself
// known. The twin of vector_index.h for rows of bits.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/bitset.h"
#include "base/blob.h"
#include "base/context.h"
#include "base/status.h"
#include "index/params.h"
#include "index/vector_index.h"

namespace elanus::index {

enum class BinaryMetric : uint8_t {
  kHamming = 0,         // Bits that differ.
  kJaccard = 1,         // 1 - |a and b| / |a or b|; 0 between two rows without a set bit.
  kSubstructure = 2,    // Reserved: a name that an index may carry and no search answers.
  kSuperstructure = 3,  // As kSubstructure.
  kMinHashJaccard = 4,  // "MHJACCARD": similarity of MinHash signatures.
};

std::string_view NameOf(BinaryMetric metric);
/// Upper-case names only, as on the wire.
std::optional<BinaryMetric> BinaryMetricOf(std::string_view name);
constexpr bool LargerIsBetter(BinaryMetric metric) {
  return metric == BinaryMetric::kMinHashJaccard;
}

/// A borrowed matrix of bits: rows x dim / 8 bytes, row-major, any alignment.
struct BinaryBlock {
  const uint8_t* data = nullptr;
  size_t rows = 0;
  uint32_t dim = 0;  // In bits; a multiple of 8.

  size_t row_bytes() const { return dim / 8; }
  const uint8_t* row(size_t i) const { return data + i * row_bytes(); }
};

/// The scores a range search keeps. Distances: range_filter <= score < radius; similarities:
/// radius < score <= range_filter. What is absent bounds nothing.
struct ScoreRange {
  std::optional<float> radius;
  std::optional<float> range_filter;
  bool bounds() const { return radius.has_value() || range_filter.has_value(); }
};

/// One call of a search.
struct BinaryRequest {
  BinaryBlock queries;
  uint32_t k = 0;
  Params params;
  BitsetView allowed;  // Bit i set: row i may be returned. Empty view: every row.
  ScoreRange range;
};

/// An immutable, opened index over the binary rows of one segment.
class BinaryIndex {
 public:
  virtual ~BinaryIndex() = default;

  /// Finds the k best rows in the range for each query.
  ///
  /// hits     nq * k slots, best first, equal scores by the smaller row; scores as on the wire.
  /// Errors   kSegcore (a parameter), kSegcoreUnsupported (a reserved metric, or a range where the
  ///          type has none), kCanceled, kDeadlineExceeded.
  /// Threads  any number at once; never blocks on I/O.
  virtual Status Search(Context& ctx, const BinaryRequest& request, Hits hits) const = 0;

  /// Heap bytes owned by the index. Mapped bytes are counted by the blob that maps them.
  virtual size_t memory_bytes() const = 0;
};

/// All that elanus knows about a type of index over binary vectors.
struct BinaryIndexType {
  std::string_view name;  // As users write it: "BIN_FLAT".
  std::span<const BinaryMetric> metrics;
  std::span<const ParamSpec> params;
  /// What the build parameters must keep beyond their ranges. May be null.
  Status (*Check)(uint32_t dim, const Params& build) = nullptr;
  /// Heap bytes of an opened index of `rows` vectors.
  size_t (*EstimateMemory)(uint64_t rows, uint32_t dim, BinaryMetric metric, const Params& build);
  /// Builds from `rows` and returns the file's bytes. Cancellable through ctx.
  Result<std::string> (*Build)(Context& ctx, BinaryBlock rows, BinaryMetric metric,
                               const Params& build, const BuildOptions& options);
  /// Opens a file, which is searched in place; its bytes are 64-byte aligned. `rows` are the
  /// segment's own vectors; file and rows must outlive the index (the blob is kept by it). A
  /// truncated or altered file, or one of other rows or another metric, gives kIntegrity.
  Result<std::unique_ptr<BinaryIndex>> (*Open)(Blob file, BinaryBlock rows, BinaryMetric metric);

  bool Takes(BinaryMetric metric) const;
};

/// Every type, in the order docs list them.
std::span<const BinaryIndexType* const> AllBinaryTypes();
/// By the user's name; null when unknown.
const BinaryIndexType* FindBinaryType(std::string_view name);

/// What AUTOINDEX builds for binary vectors.
struct BinaryAutoChoice {
  const BinaryIndexType* type;
  std::map<std::string, std::string> params;
};
BinaryAutoChoice ResolveBinaryAutoIndex(BinaryMetric metric);

/// Parameters of an exact search: those of MHJACCARD (mh_element_bit_width, mh_lsh_band,
/// mh_search_with_jaccard). A segment without an index lays the search's over the index's own, so
/// that it answers as the index would.
std::span<const ParamSpec> ExactBinaryParams();

/// Exact search over rows without any file: growing and small segments. As BinaryIndex::Search.
Status SearchExactBinary(Context& ctx, BinaryBlock rows, BinaryMetric metric,
                         const BinaryRequest& request, Hits hits);

}  // namespace elanus::index
