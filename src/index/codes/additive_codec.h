// Product quantisation (Jegou, Douze, Schmid 2011, "Product quantization for nearest neighbor
// search") and its residual form (Babenko, Lempitsky 2015; Martinez et al. 2014, "Stacked
// quantizers").
#pragma once

#include "index/codes/codec.h"

namespace elanus::index {

struct AdditiveShape {
  uint32_t spaces = 1;  // Parts of a vector; divides dim.
  uint32_t layers = 1;  // Quantisers of a part, each of what the one before left over.
  uint32_t bits = 8;    // Of a code: 1..24.
};

/// Trains spaces x layers codebooks by k-means on a sample of `rows`. Fewer rows than 2^bits make
/// smaller codebooks. Cancellable.
Result<std::unique_ptr<Codec>> TrainAdditiveCodec(Context& ctx, VectorBlock rows,
                                                  const AdditiveShape& shape, bool is_l2,
                                                  Pool* pool);

/// The codebooks alone, one a part, each part_dim x words, dimension by dimension. Fewer rows than
/// words leave the last words zero.
Result<std::vector<float>> TrainCodebooks(Context& ctx, VectorBlock rows, uint32_t parts,
                                          uint32_t words, Pool* pool);

/// Bytes a row takes, terms included.
size_t AdditiveRowBytes(const AdditiveShape& shape);

}  // namespace elanus::index
