// A vector index in parts: over rows that are sorted by a key, an index of its own for the rows of
// each value. A search for one value walks only what that value has, whatever its share of the rows
// is.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "index/vector_index.h"

namespace elanus::index {

/// Rows that lie together because they have one value of the key.
struct KeyRun {
  uint32_t begin = 0;
  uint32_t rows = 0;
  bool operator==(const KeyRun&) const = default;
};

/// Builds an index of `type` over each of the runs, which ascend and do not overlap. Rows of no run
/// are not indexed: a search looks at them one by one. File: "ELKEYRUN", the size of a framed list
/// of the parts, that list, and the parts' own files, each at a multiple of 64 bytes.
Result<std::string> BuildKeyRuns(Context& ctx, const IndexType& type, VectorBlock rows,
                                 model::Metric metric, const Params& build,
                                 std::span<const KeyRun> runs, const BuildOptions& options);

/// Whether a file is one that BuildKeyRuns made.
bool IsKeyRunsFile(std::string_view file);

/// As IndexType::Open. A search asks the parts that have allowed rows, without a filter where all
/// rows of a part are allowed, and looks at the other allowed rows one by one.
Result<std::unique_ptr<VectorIndex>> OpenKeyRuns(const IndexType& type, Blob file, VectorBlock rows,
                                                 model::Metric metric);

}  // namespace elanus::index
