// Parameters of the other names of inverted lists, in the words of the types that are built.
#include "index/twin/lists.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "index/codes/choices.h"
#include "index/ivf/ivf.h"
#include "index/twin/twin.h"

namespace elanus::index {
namespace {

// The twin's own specs of these names; its record is the one place where they stand.
template <size_t count>
std::array<ParamSpec, count> Own(const IndexType& twin, std::array<ParamSpec, count> named) {
  for (ParamSpec& spec : named) {
    if (!spec.help.empty()) continue;
    for (const ParamSpec& known : twin.params) {
      if (known.name == spec.name && known.phase == spec.phase) spec = known;
    }
  }
  return named;
}
constexpr ParamSpec Of(std::string_view name, Phase phase) {
  return {.name = name,
          .phase = phase,
          .kind = ParamKind::kInteger,
          .default_value = 0,
          .min = 0,
          .max = 0,
          .help = ""};
}

// What refines, as places among the choices of kListRefineTypeSpec.
double ListRefineChoice(CodeKind kind) {
  const auto found = std::find(kRefineKinds.begin() + 1, kRefineKinds.end(), kind);
  return static_cast<double>(found - kRefineKinds.begin() - 1);
}

Params DvrBuild(const Params& build, uint32_t) {
  constexpr std::array kKinds = {CodeKind::kFloat32, CodeKind::kSq8, CodeKind::kFloat16,
                                 CodeKind::kBFloat16};
  Params said = build;
  const auto kind = kKinds[static_cast<size_t>(build.GetInt("refine_type", 0))];
  said.Set("refine_type", ListRefineChoice(kind));
  said.Set("refine", 1);
  said.Set("with_raw_data", 1);
  return said;
}
Result<Params> DvrSearch(const Params& search, uint32_t k) {
  Params said = search;
  const double ratio = search.Get("refine_ratio", 1);
  if (ratio > 1 && !search.Has("reorder_k")) said.Set("reorder_k", std::ceil(ratio * k));
  return said;
}

constexpr std::array<std::string_view, 2> kWholeVectors = {"fp32", "flat"};
Params FastScanBuild(const Params& build, uint32_t) {
  Params said = build;
  said.Set("refine_type", ListRefineChoice(CodeKind::kFloat32));
  return said;
}

}  // namespace

const IndexType& IvfFlatCcType() {
  static const auto kParams = Own(
      IvfFlatType(),
      std::to_array<ParamSpec>({Of("nlist", Phase::kBuild),
                                Of("use_elkan", Phase::kBuild),
                                {"ssize", Phase::kBuild, ParamKind::kInteger, 48, 32, 2048,
                                 "Checked, without effect: a sealed segment's lists do not grow."},
                                Of("nprobe", Phase::kSearch),
                                Of("ensure_topk_full", Phase::kSearch),
                                Of("max_empty_result_buckets", Phase::kSearch)}));
  static const IndexType kType = [] {
    IndexType type =
        TwinOf<IvfFlatType, SameBuild, SameSearch, Extras::kAnswered>("IVF_FLAT_CC", kParams);
    type.twin_reason = "the lists of a sealed segment do not grow";
    type.maps = false;
    return type;
  }();
  return kType;
}

const IndexType& ScannDvrType() {
  static const auto kParams =
      Own(ScannType(),
          std::to_array<ParamSpec>(
              {Of("nlist", Phase::kBuild),
               Of("use_elkan", Phase::kBuild),
               Of("sub_dim", Phase::kBuild),
               {"refine_type", Phase::kBuild, ParamKind::kInteger, 0, 0, 3,
                "What scores candidates again: 0 the segment's own vectors, 1 eight bits a "
                "dimension, 2 float16, 3 bfloat16."},
               Of("nprobe", Phase::kSearch),
               Of("reorder_k", Phase::kSearch),
               {"refine_ratio", Phase::kSearch, ParamKind::kNumber, 1, 1, 65536,
                "Candidates that are scored again, as a multiple of k, where reorder_k is not "
                "given."},
               {"refine_with_quant", Phase::kSearch, ParamKind::kBool, 0, 0, 1,
                "Accepted without effect: refine_type says what refines."},
               Of("ensure_topk_full", Phase::kSearch),
               Of("max_empty_result_buckets", Phase::kSearch)}));
  static const IndexType kType = [] {
    IndexType type =
        TwinOf<ScannType, DvrBuild, DvrSearch, Extras::kAnswered>("SCANN_DVR", kParams);
    type.takes_int8 = false;
    type.twin_reason = "SCANN, refined as refine_type says";
    type.maps = false;
    return type;
  }();
  return kType;
}

const IndexType& IvfRabitqFastScanType() {
  static const auto kParams =
      Own(IvfRabitqType(),
          std::to_array<ParamSpec>(
              {Of("nlist", Phase::kBuild),
               Of("use_elkan", Phase::kBuild),
               Of("rbq_bits", Phase::kBuild),
               Of("refine", Phase::kBuild),
               {"refine_type", Phase::kBuild, ParamKind::kChoice, 1, 0, 1,
                "What refines: the segment's own vectors under either name.", kWholeVectors},
               Of("nprobe", Phase::kSearch),
               {"rbq_bits_query", Phase::kSearch, ParamKind::kInteger, 0, 0, 0,
                "0: a query is rounded as it suits the codes; nothing else is allowed."},
               Of("refine_k", Phase::kSearch),
               Of("ensure_topk_full", Phase::kSearch),
               Of("max_empty_result_buckets", Phase::kSearch)}));
  static const IndexType kType = [] {
    IndexType type = TwinOf<IvfRabitqType, FastScanBuild, SameSearch, Extras::kAnswered>(
        "IVF_RABITQ_FASTSCAN", kParams);
    type.twin_reason = "IVF_RABITQ reads its codes many at once";
    return type;
  }();
  return kType;
}

}  // namespace elanus::index
