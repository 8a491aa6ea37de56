// Whether codes are good enough to look for neighbours by.
#pragma once

#include <functional>

#include "index/codes/codec.h"

namespace elanus::index {

/// True when the nearest rows by codes hold the nearest rows themselves, but for a few of a
/// thousand: measured on a sample of the rows, with little more candidates than hits. False says
/// that some rows are far larger than the rest, or nearer to each other than a code can tell.
/// Cancellable through ctx.
Result<bool> KeepsOrder(Context& ctx, const Codec& codec, const FloatRows& rows, bool is_l2);

/// The same of rows as signed bytes, of which two are compared without knowing more of either.
/// `encode` writes the rows.dim() bytes of a row.
Result<bool> BytesKeepOrder(Context& ctx, const FloatRows& rows, bool is_l2,
                            const std::function<void(const float* row, int8_t* bytes)>& encode);

}  // namespace elanus::index
