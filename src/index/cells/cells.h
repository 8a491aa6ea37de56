// The rows of a segment by the cells of space they lie in: where a filter allows none of the rows
// around a query, the nearest of those it allows lie in cells that no walk of a graph leads to.
//
// k-means of two levels (Nistér and Stewénius 2006): parts, and cells of each part. A row's cell is
// the nearest of its part's, which costs a twentieth of looking at all and is as good here.
#pragma once

#include <string_view>
#include <vector>

#include "index/cells/list_order.h"
#include "index/codes/dense_rows.h"
#include "index/vector_index.h"

namespace elanus::index {

/// Which rows lie in which cell.
struct Partition {
  std::vector<float> centroids;   // Cells x dim.
  std::vector<uint32_t> nearest;  // The cell of each row.
  size_t cells(size_t dim) const { return centroids.size() / dim; }
};

/// How many cells a segment of so many rows gets; 0: none.
size_t CellsFor(size_t rows);

/// Cells of the rows (of length 1 for COSINE); empty where these are few, or neighbours do not lie
/// together in few cells: measured on a sample. Cancellable through ctx; on the pool when there is
/// one.
Result<Partition> MakeCells(Context& ctx, const FloatRows& rows, bool is_l2, Pool* pool);

/// The rows cell by cell, ascending in each.
std::vector<uint32_t> RowsByCell(const Partition& cells);

/// Cells as bytes: their number (u64); then, each padded to 64 bytes, centroids (cells x dim
/// float32) and where the rows of each cell begin (cells + 1, u32), when rows are numbered cell by
/// cell.
struct CellLayout {
  static constexpr size_t centroids = 64;
  size_t starts = 0;
  size_t end = 0;
  CellLayout(size_t cells, uint32_t dim);
};

/// Such bytes.
std::vector<char> PackCells(const Partition& cells, uint32_t dim);

/// Opened cells. Immutable, thread-safe.
class Cells {
 public:
  /// `bytes` at a multiple of 64, borrowed. kIntegrity unless they are cells of so many rows.
  static Status Check(std::string_view bytes, size_t rows, uint32_t dim);
  /// `bytes`: such that have been checked.
  Cells(const char* bytes, uint32_t dim, bool is_l2);

  const CodedCentroids& centroids() const { return centroids_; }
  size_t count() const { return centroids_.lists(); }
  /// A cell's rows, numbered cell by cell: [begin, end).
  uint32_t begin(uint32_t cell) const { return starts_[cell]; }
  uint32_t end(uint32_t cell) const { return starts_[cell + 1]; }
  /// Beside the bytes.
  size_t memory_bytes() const { return centroids_.memory_bytes(); }

 private:
  const CodedCentroids centroids_;
  const uint32_t* starts_;
};

}  // namespace elanus::index
