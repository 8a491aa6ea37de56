// The growing index of each kind of vectors.
#include "index/growing_index.h"

#include "index/growing/blocks.h"
#include "index/growing/dense.h"

namespace elanus::index {

std::unique_ptr<GrowingIndex> MakeGrowingIndex(VectorKind kind, model::Metric metric,
                                               const GrowingIndexOptions& options) {
  switch (kind) {
    case VectorKind::kDense:
      if (model::IsMaxSim(metric)) return std::make_unique<BlockGrowingIndex>(metric);
      return std::make_unique<DenseGrowingIndex>(metric, options);
    case VectorKind::kSparse:
      return std::make_unique<BlockGrowingIndex>(metric);
    case VectorKind::kBinary:
      break;
  }
  return nullptr;
}

}  // namespace elanus::index
