// Rows that are still being appended, indexed block by block: sparse ones by their postings, lists
// of vectors by inverted lists over the vectors.
//
// Invariants:
// 1. What a search reads is an immutable vector of indexed blocks.
// 2. Block c is indexed once, when it is full: its bytes never change again. The index reads the
//    rows from there, so it keeps their owner, which must not be the segment or a view of it.
// 3. A view that is older than the last row of a block scans the block.
#pragma once

#include <vector>

#include "index/growing/published.h"

namespace elanus::index {

/// The index of one full block.
struct IndexedBlock {
  std::shared_ptr<const void> owner;  // Outlives the index.
  const IndexType* type = nullptr;
  size_t lists = 0;  // Of an index of lists of vectors: its inverted lists.
  std::unique_ptr<const VectorIndex> index;
};

struct IndexedBlocks {
  std::vector<std::shared_ptr<const IndexedBlock>> blocks;
  size_t rows = 0;
  size_t memory_bytes() const;
};

class BlockGrowingIndex final : public PublishedIndex<IndexedBlocks> {
 public:
  using PublishedIndex::PublishedIndex;
  bool IsBehind(size_t rows) const override { return rows >= this->rows() + kGrowingBlockRows; }
  Status Extend(Context& ctx, std::span<const VectorBlock> blocks,
                std::span<const std::shared_ptr<const void>> owners) override;
  Result<size_t> Search(Context& ctx, std::span<const VectorBlock> blocks,
                        const std::map<std::string, std::string>& params,
                        const SearchRequest& request, Hits hits) const override;
};

}  // namespace elanus::index
