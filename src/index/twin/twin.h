// Types that are another type under other names and parameters: a build and a search are said in
// the other's words and left to it, so that file and answers are the other's.
#pragma once

#include "index/vector_index.h"

namespace elanus::index {

using ToBuild = Params (*)(const Params& build, uint32_t dim);
/// Errors: as VectorIndex::Search, of the parameters.
using ToSearch = Result<Params> (*)(const Params& search, uint32_t k);

inline Params SameBuild(const Params& build, uint32_t) { return build; }
inline Result<Params> SameSearch(const Params& search, uint32_t) { return search; }

/// Whether range searches and streams are answered.
enum class Extras : uint8_t { kAnswered, kRefused };

std::unique_ptr<VectorIndex> MakeTwinIndex(std::unique_ptr<VectorIndex> twin, ToSearch to_search,
                                           Extras extras);

/// The record of a type that is built as `kTwin`. Beside twin_reason it says all; whoever calls it
/// may take back what the twin can do.
template <const IndexType& (*kTwin)(), ToBuild kToBuild, ToSearch kToSearch, Extras kExtras>
IndexType TwinOf(std::string_view name, std::span<const ParamSpec> params) {
  struct Twin {
    static Status Check(uint32_t dim, const Params& build) {
      const auto check = kTwin().Check;
      return check == nullptr ? Status() : check(dim, kToBuild(build, dim));
    }
    static size_t EstimateMemory(const RowShape& shape, const Params& build) {
      return kTwin().EstimateMemory(shape, kToBuild(build, shape.dim));
    }
    static Result<std::string> Build(Context& ctx, VectorBlock rows, model::Metric metric,
                                     const Params& build, const BuildOptions& options) {
      return kTwin().Build(ctx, rows, metric, kToBuild(build, rows.dim), options);
    }
    static Result<std::unique_ptr<VectorIndex>> Open(Blob file, VectorBlock rows,
                                                     model::Metric metric) {
      TRY_ASSIGN(auto twin, kTwin().Open(std::move(file), rows, metric));
      return MakeTwinIndex(std::move(twin), kToSearch, kExtras);
    }
  };
  return {.name = name,
          .kind = kTwin().kind,
          .metrics = kTwin().metrics,
          .params = params,
          .takes_int8 = kTwin().takes_int8,
          .twin = &kTwin(),
          .Check = Twin::Check,
          .EstimateMemory = Twin::EstimateMemory,
          .Build = Twin::Build,
          .Open = Twin::Open};
}

}  // namespace elanus::index
