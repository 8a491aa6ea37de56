// What the operator says about models of trees. They are shared by the whole process.
#pragma once

#include <cstdint>

#include "base/option_spec.h"

namespace elanus::trees {

struct TreesOptions {
  int64_t kept_bytes_max = 256 << 20;  // A node takes 20.

  template <class Visitor>
  void Describe(Visitor& visit) {
    visit(
        kept_bytes_max,
        OptionSpec{"function.xgboost.maxKeptBytes", "bytes", 0, 1e12,
                   "Models of xgboost steps that are kept ready, the latest used; at least one."});
  }
};

}  // namespace elanus::trees
