// The build and search parameters by which users choose codes, shared by all index types that have
// them.
#pragma once

#include <array>

#include "index/codes/codec.h"

namespace elanus::index {

inline constexpr std::array<std::string_view, 5> kScalarTypes = {"sq4u", "sq6", "sq8", "fp16",
                                                                 "bf16"};
inline constexpr std::array<CodeKind, 5> kScalarKinds = {
    CodeKind::kSq4, CodeKind::kSq6, CodeKind::kSq8, CodeKind::kFloat16, CodeKind::kBFloat16};
inline constexpr std::array<std::string_view, 7> kRefineTypes = {"sq4u", "sq6",  "sq8", "fp16",
                                                                 "bf16", "fp32", "flat"};
inline constexpr std::array<CodeKind, 7> kRefineKinds = {
    CodeKind::kSq4,      CodeKind::kSq6,     CodeKind::kSq8,    CodeKind::kFloat16,
    CodeKind::kBFloat16, CodeKind::kFloat32, CodeKind::kFloat32};

/// Codes in levels between the bounds of each dimension.
constexpr bool IsScalar(CodeKind kind) {
  return kind == CodeKind::kSq8 || kind == CodeKind::kSq6 || kind == CodeKind::kSq4;
}

/// With one candidate a hit, which is the reference's default, refining could only put hits in
/// order.
inline constexpr double kDefaultRefineK = 2;

inline constexpr ParamSpec kScalarTypeSpec{.name = "sq_type",
                                           .phase = Phase::kBuild,
                                           .kind = ParamKind::kChoice,
                                           .default_value = 2,
                                           .min = 0,
                                           .max = 4,
                                           .help = "What a dimension is kept in.",
                                           .choices = kScalarTypes};
inline constexpr ParamSpec kRefineSpec{.name = "refine",
                                       .phase = Phase::kBuild,
                                       .kind = ParamKind::kBool,
                                       .default_value = 0,
                                       .min = 0,
                                       .max = 1,
                                       .help = "Score candidates again by better vectors."};
inline constexpr ParamSpec kRefineTypeSpec{
    .name = "refine_type",
    .phase = Phase::kBuild,
    .kind = ParamKind::kChoice,
    .default_value = 5,
    .min = 0,
    .max = 6,
    .help = "What refines; fp32 and flat are the segment's own vectors and take no space.",
    .choices = kRefineTypes};
/// Inverted lists take no 4-bit codes to refine by.
inline constexpr ParamSpec kListRefineTypeSpec{
    .name = "refine_type",
    .phase = Phase::kBuild,
    .kind = ParamKind::kChoice,
    .default_value = 4,
    .min = 0,
    .max = 5,
    .help = "What refines; fp32 and flat are the segment's own vectors and take no space.",
    .choices = std::span(kRefineTypes).subspan<1>()};
inline constexpr ParamSpec kRefineKSpec{
    .name = "refine_k",
    .phase = Phase::kSearch,
    .kind = ParamKind::kNumber,
    .default_value = kDefaultRefineK,
    .min = 1,
    .max = 65536,
    .help = "Candidates that are scored again, as a multiple of k."};
inline constexpr ParamSpec kBitsSpec{.name = "nbits",
                                     .phase = Phase::kBuild,
                                     .kind = ParamKind::kInteger,
                                     .default_value = 8,
                                     .min = 1,
                                     .max = 24,
                                     .help = "Bits of a code."};

/// Product quantisers cut a vector into equal parts.
inline Status CheckParts(uint32_t dim, uint32_t parts) {
  if (dim % parts == 0) return {};
  return Invalid(
      "The dimension of a vector (dim) should be a multiple of the number of subquantizers (m). "
      "Dimension:{}, m:{}",
      dim, parts);
}

inline CodeKind ScalarKind(const Params& build) {
  return kScalarKinds[static_cast<size_t>(build.GetInt("sq_type", 2))];
}
/// Whether an index holds codes of this kind to refine by; kFloat32 stands for the segment's own
/// vectors.
constexpr bool HoldsRefineCodes(CodeKind refine) {
  return refine != CodeKind::kNone && refine != CodeKind::kFloat32;
}
/// What refines by the build parameters; kNone without `refine`.
inline CodeKind RefineKind(const Params& build) {
  if (!build.GetBool("refine", false)) return CodeKind::kNone;
  return kRefineKinds[static_cast<size_t>(build.GetInt("refine_type", 5))];
}
/// The same of kListRefineTypeSpec.
inline CodeKind ListRefineKind(const Params& build) {
  if (!build.GetBool("refine", false)) return CodeKind::kNone;
  return kRefineKinds[1 + static_cast<size_t>(build.GetInt("refine_type", 4))];
}

}  // namespace elanus::index
