// The codecs' own makers, for codec.cc and tests.
#pragma once

#include "index/codes/codec.h"

namespace elanus::index {

std::unique_ptr<Codec> MakeFloatCodec(uint32_t dim, bool is_l2);
std::unique_ptr<Codec> MakeHalfCodec(CodeKind kind, uint32_t dim, bool is_l2);
std::unique_ptr<Codec> TrainScalarCodec(CodeKind kind, const FloatRows& rows, bool is_l2);
Result<std::unique_ptr<Codec>> OpenRawCodec(uint32_t dim, bool is_l2, std::string_view saved);
Result<std::unique_ptr<Codec>> OpenScalarCodec(CodeKind kind, uint32_t dim, bool is_l2,
                                               std::string_view saved);
size_t ScalarRowBytes(CodeKind kind, uint32_t dim);
Result<std::unique_ptr<Codec>> OpenAdditiveCodec(uint32_t dim, bool is_l2, std::string_view saved);
/// `bits` of a dimension, 1..9. Needs no training.
std::unique_ptr<Codec> MakeRabitqCodec(int bits, uint32_t dim, bool is_l2);
Result<std::unique_ptr<Codec>> OpenRabitqCodec(uint32_t dim, bool is_l2, std::string_view saved);
size_t RabitqRowBytes(int bits, uint32_t dim);
Result<std::unique_ptr<Codec>> OpenFastScanCodec(uint32_t dim, bool is_l2, std::string_view saved);

}  // namespace elanus::index
