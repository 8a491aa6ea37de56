// Indexing full blocks of sparse rows, and the search over them.
#include "index/growing/sparse.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "index/sparse/sparse.h"
#include "index/top_k.h"

namespace elanus::index {
namespace {

// Files are opened where they are 64-byte aligned.
Blob AlignedCopy(const std::string& bytes) {
  constexpr std::align_val_t kAlignment{64};
  std::shared_ptr<void> memory(::operator new(bytes.size(), kAlignment),
                               [](void* at) { ::operator delete(at, kAlignment); });
  std::memcpy(memory.get(), bytes.data(), bytes.size());
  const auto* at = static_cast<const char*>(memory.get());
  return {std::move(memory), {at, bytes.size()}, bytes.size()};
}

}  // namespace

SparseGrowingIndex::SparseGrowingIndex(model::Metric metric) : metric_(metric) {}

std::shared_ptr<const SparseGrowingIndex::Blocks> SparseGrowingIndex::Current() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return blocks_;
}

bool SparseGrowingIndex::IsBehind(size_t rows) const {
  return rows >= this->rows() + kGrowingBlockRows;
}

Status SparseGrowingIndex::Extend(Context& ctx, std::span<const VectorBlock> blocks,
                                  std::span<const std::shared_ptr<const void>> owners) {
  const IndexType& type = SparseInvertedType();
  for (size_t b = Current()->size(); b < blocks.size() && blocks[b].rows == kGrowingBlockRows;
       ++b) {
    TRY_ASSIGN(const std::string file, type.Build(ctx, blocks[b], metric_, {}, {}));
    auto block = std::make_shared<Block>();
    block->owner = owners[b];
    TRY_ASSIGN(block->index, type.Open(AlignedCopy(file), blocks[b], metric_));
    memory_bytes_.fetch_add(block->index->memory_bytes(), std::memory_order_relaxed);
    auto next = std::make_shared<Blocks>(*Current());
    next->push_back(std::move(block));
    rows_.store(next->size() * kGrowingBlockRows, std::memory_order_relaxed);
    std::lock_guard<std::mutex> lock(mutex_);
    blocks_ = std::move(next);
  }
  return {};
}

Result<size_t> SparseGrowingIndex::Search(Context& ctx, std::span<const VectorBlock> blocks,
                                          const std::map<std::string, std::string>&,
                                          const SearchRequest& request, Hits hits) const {
  const std::shared_ptr<const Blocks> indexed = Current();
  size_t count = std::min(indexed->size(), blocks.size());
  if (count > 0 && blocks[count - 1].rows < kGrowingBlockRows) --count;  // Invariant 3.
  if (count == 0) return 0;
  SearchRequest part = request;
  part.k = static_cast<uint32_t>(std::min<size_t>(request.k, kGrowingBlockRows));
  std::vector<uint32_t> rows(part.k);
  std::vector<float> scores(part.k);
  TopK best(request.k);
  for (size_t q = 0; q < request.queries.rows; ++q) {
    part.queries = request.queries.Slice(q, 1);
    part.range = request.range;
    for (size_t b = 0; b < count; ++b) {
      const size_t first = b * kGrowingBlockRows;
      if (!request.allowed.empty()) {
        part.allowed = {request.allowed.words + first / 64, kGrowingBlockRows};
      }
      // Later rows must be better than what there is: of equal ones the first is the hit.
      if (best.full() && request.k > 0) {
        part.range.radius = std::max(request.range.radius.value_or(0.0f), -best.bound());
      }
      TRY((*indexed)[b]->index->Search(ctx, part, {.rows = rows.data(), .scores = scores.data()}));
      for (size_t i = 0; i < part.k && rows[i] != kNoRow; ++i) {
        best.Push(-scores[i], static_cast<uint32_t>(first) + rows[i]);
      }
    }
    best.WriteTo(hits, q, -1.0f);
  }
  return count * kGrowingBlockRows;
}

}  // namespace elanus::index
