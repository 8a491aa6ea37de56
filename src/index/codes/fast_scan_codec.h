// 4-bit product quantisation in the layout of the fast scan, with the score-aware loss of ScaNN
// (Guo et al. 2020, "Accelerating large-scale inference with anisotropic vector quantization",
// arXiv:1908.10396).
#pragma once

#include "index/codes/codec.h"

namespace elanus::index {

/// Trains dim / part_dim codebooks of 16 words on `residuals`. Codes of inner products (not of L2)
/// weigh what is lost along the row more than what is lost across it. Cancellable.
Result<std::unique_ptr<Codec>> TrainFastScanCodec(Context& ctx, VectorBlock residuals,
                                                  uint32_t part_dim, bool is_l2, Pool* pool);

/// Bytes a row takes, terms included.
size_t FastScanRowBytes(uint32_t dim, uint32_t part_dim);

}  // namespace elanus::index
