// Codes of 4 bits a dimension that keep their order on any data, for indexes that score few of them
// at a time: the row less the mean of all, rotated, on a grid as wide as that row (RaBitQ in four
// bits: Gao et al. 2024, arXiv:2409.09913).
#pragma once

#include "index/codes/codec.h"

namespace elanus::index {

/// Takes the mean of `rows`; none: codes around zero.
std::unique_ptr<Codec> TrainRotatedCodec(VectorBlock rows, bool is_l2);
/// `saved` comes from Save(). kIntegrity when it does not fit.
Result<std::unique_ptr<Codec>> OpenRotatedCodec(uint32_t dim, bool is_l2, std::string_view saved);

/// Bytes a row takes, and the codec itself.
size_t RotatedRowBytes(uint32_t dim);
size_t RotatedSavedBytes(uint32_t dim);

}  // namespace elanus::index
