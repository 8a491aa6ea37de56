// BIN_IVF_FLAT: inverted lists of whole rows.
//
// Framed "ELBIVF01": 32 zero bytes; the header; then, each padded to 64 bytes: centroids (lists x
// row bytes), their set bits (u32), list bounds (lists + 1 u64), row numbers (u32, list by list and
// ascending in each), the rows' bits in the same order, their set bits (u32, for JACCARD). A search
// reads all of it in place.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/blob.h"
#include "index/binary/binary_block.h"
#include "index/vector_index.h"

namespace elanus::index {

const IndexType& BinIvfFlatType();

struct BinaryIvfHeader {
  uint64_t rows, dim, metric, lists;
};

struct BinaryIvfLayout {
  size_t centroids, centroid_ones, bounds, numbers, bits, ones, end;
  explicit BinaryIvfLayout(const BinaryIvfHeader& header);
};

/// The file's bytes. `nearest`: the list of each row.
Result<std::string> WriteBinaryIvf(Context& ctx, BinaryBlock rows, model::Metric metric,
                                   const std::vector<uint8_t>& centroids,
                                   const std::vector<uint32_t>& nearest, Pool* pool);

struct OpenedBinaryIvf {
  BinaryIvfHeader header;
  Blob file;
  BinaryBlock centroids;
  const uint32_t* centroid_ones = nullptr;
  const uint64_t* bounds = nullptr;
  const uint32_t* numbers = nullptr;
  BinaryBlock bits;                // Of each place in the lists.
  const uint32_t* ones = nullptr;  // Null but for JACCARD.
};

/// kIntegrity when the file is damaged or of other rows.
Result<OpenedBinaryIvf> OpenBinaryIvf(Blob file, BinaryBlock rows, model::Metric metric);

/// Searches what has been opened.
std::unique_ptr<VectorIndex> MakeBinaryIvf(OpenedBinaryIvf lists, model::Metric metric);

}  // namespace elanus::index
