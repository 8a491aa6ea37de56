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
/// Keys of whole rows that are at most the true ones, but for as many as lie so many standard
/// deviations of the estimate away.
struct LeastKeys {
  const float* centre = nullptr;  // That the rows are residuals of; borrowed.
  float deviations = 0;
};
/// `codec`: of MakeRabitqCodec with 1 bit.
std::unique_ptr<Scorer> NewLeastScorer(const Codec& codec, PackedRows rows, LeastKeys least);
size_t RabitqRowBytes(int bits, uint32_t dim);
Result<std::unique_ptr<Codec>> OpenFastScanCodec(uint32_t dim, bool is_l2, std::string_view saved);

}  // namespace elanus::index
