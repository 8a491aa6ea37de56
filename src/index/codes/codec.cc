// Which codec a kind means.
#include "index/codes/codec.h"

#include <algorithm>
#include <vector>

#include "index/codes/codecs.h"
#include "index/codes/rotated_codec.h"
#include "simd/kernels.h"

namespace elanus::index {
namespace {
constexpr size_t kRowsPerTask = 1024;
}

std::unique_ptr<Codec> TrainCodec(CodeKind kind, const FloatRows& rows, bool is_l2) {
  switch (kind) {
    case CodeKind::kFloat16:
    case CodeKind::kBFloat16:
      return MakeHalfCodec(kind, rows.dim(), is_l2);
    case CodeKind::kSq8:
    case CodeKind::kSq6:
    case CodeKind::kSq4:
      return TrainScalarCodec(kind, rows, is_l2);
    default:
      return MakeFloatCodec(rows.dim(), is_l2);
  }
}

Result<std::unique_ptr<Codec>> OpenCodec(CodeKind kind, uint32_t dim, bool is_l2,
                                         std::string_view saved) {
  switch (kind) {
    case CodeKind::kFloat32:
      if (saved.empty()) return MakeFloatCodec(dim, is_l2);
      break;
    case CodeKind::kFloat16:
    case CodeKind::kBFloat16:
      if (saved.empty()) return MakeHalfCodec(kind, dim, is_l2);
      break;
    case CodeKind::kSq8:
    case CodeKind::kSq6:
    case CodeKind::kSq4:
      return OpenScalarCodec(kind, dim, is_l2, saved);
    case CodeKind::kAdditive:
      return OpenAdditiveCodec(dim, is_l2, saved);
    case CodeKind::kRabitq:
      return OpenRabitqCodec(dim, is_l2, saved);
    case CodeKind::kFastScan:
      return OpenFastScanCodec(dim, is_l2, saved);
    case CodeKind::kRaw:
      return OpenRawCodec(dim, is_l2, saved);
    case CodeKind::kRotated:
      return OpenRotatedCodec(dim, is_l2, saved);
    case CodeKind::kNone:
      break;
  }
  return Error(ErrorCode::kIntegrity, "an index file names codec {}, which is unknown",
               static_cast<uint32_t>(kind));
}

Result<OpenedPart> OpenPacked(const PackedPart& part, uint32_t dim, bool is_l2,
                              std::string_view what) {
  OpenedPart opened;
  TRY_ASSIGN(opened.codec, OpenCodec(static_cast<CodeKind>(part.kind), dim, is_l2, part.params));
  const bool has_terms = part.has_terms != 0;
  opened.rows = {.codes = part.codes,
                 .terms = has_terms ? reinterpret_cast<const float*>(part.terms) : nullptr,
                 .rows = part.rows};
  if (opened.codec->row_bytes() != part.row_bytes || opened.codec->has_terms() != has_terms ||
      !opened.codec->Holds(opened.rows)) {
    return Error(ErrorCode::kIntegrity, "the codes of {} do not fit their codec", what);
  }
  return opened;
}

Status PackRows(Context& ctx, const Codec& codec, const FloatRows& rows, const uint32_t* order,
                Pool* pool, char* codes, float* terms) {
  const auto pack = [&](size_t task) -> Status {
    TRY(ctx.CheckAlive());
    std::vector<float> scratch(rows.dim());
    std::vector<float> decoded(rows.dim());
    const size_t end = std::min(rows.rows(), (task + 1) * kRowsPerTask);
    for (size_t i = task * kRowsPerTask; i < end; ++i) {
      char* code = codes + i * codec.row_bytes();
      const float* row = rows.Read(order == nullptr ? i : order[i], 1, scratch.data());
      codec.Encode(row, code);
      if (!codec.has_terms()) continue;
      if (codec.takes_plain_rows()) {
        terms[i] = InverseNorm(row, rows.dim());
        continue;
      }
      codec.Decode(code, decoded.data());
      terms[i] = simd::Best().ip(decoded.data(), decoded.data(), rows.dim());
    }
    return {};
  };
  const size_t tasks = (rows.rows() + kRowsPerTask - 1) / kRowsPerTask;
  if (pool != nullptr) return pool->ParallelFor(ctx, tasks, pack);
  for (size_t task = 0; task < tasks; ++task) TRY(pack(task));
  return {};
}

size_t EstimateRowBytes(CodeKind kind, uint32_t dim) {
  switch (kind) {
    case CodeKind::kFloat32:
      return size_t{dim} * 4;
    case CodeKind::kFloat16:
    case CodeKind::kBFloat16:
      return size_t{dim} * 2;
    case CodeKind::kSq8:
    case CodeKind::kSq6:
    case CodeKind::kSq4:
      return ScalarRowBytes(kind, dim) + 4;
    default:
      return 0;
  }
}

size_t EstimateRowBytes(ElementType element, uint32_t dim) {
  const size_t bytes = VectorBlock{.dim = dim, .element = element}.row_bytes();
  return element == ElementType::kFloat32 ? bytes : bytes + sizeof(float);
}

}  // namespace elanus::index
