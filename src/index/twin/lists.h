// Names of inverted lists that differ from the usual types in how their author lays them out, not
// in what they answer.
#pragma once

#include "index/vector_index.h"

namespace elanus::index {

/// IVF_FLAT whose lists may grow. A sealed segment takes no more rows, so its lists are those of
/// IVF_FLAT; rows of growing segments are in lists under every type (index/growing_index.h).
const IndexType& IvfFlatCcType();
/// SCANN with a choice of what scores candidates again.
const IndexType& ScannDvrType();
/// IVF_RABITQ, whose codes are read many at once anyway.
const IndexType& IvfRabitqFastScanType();

}  // namespace elanus::index
