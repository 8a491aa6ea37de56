// What AUTOINDEX builds once there are rows: by their kind, number and metric, and the memory there
// is for them.
#pragma once

#include <cstdint>
#include <string>

#include "index/vector_index.h"

namespace elanus::index {

/// The rows of one field, and what they may take.
struct AutoRequest {
  ElementType element = ElementType::kFloat32;
  model::Metric metric = model::Metric::kL2;
  uint32_t dim = 0;           // 0 for sparse rows.
  uint64_t rows = 0;          // Of the segment to build for; 0: not known yet.
  uint64_t field_rows = 0;    // Of all segments of the collection.
  uint64_t memory_bytes = 0;  // For the indexes of all of them; 0: as much as they take.
};

/// Dense rows: the fastest of HNSW_SQ on 8 bits, HNSW_SQ on 4 bits, IVF_RABITQ and AISAQ (int8:
/// HNSW and IVF_SQ8 on 4 bits) whose index over all rows fits the memory; the last when none does.
/// Binary rows: BIN_FLAT where a scan of the segment costs no more than BIN_IVF_FLAT, which is for
/// more rows; MINHASH_LSH under MHJACCARD. Sparse rows: SPARSE_INVERTED_INDEX. With no rows known
/// it is what many rows would get. Lists are as many as suit the segment's rows.
AutoChoice ChooseAutoIndex(const AutoRequest& request);

}  // namespace elanus::index
