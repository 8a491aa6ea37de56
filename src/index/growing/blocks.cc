// Indexing full blocks, and the search over them.
#include "index/growing/blocks.h"

#include <algorithm>
#include <bit>

#include "base/aligned_copy.h"
#include "index/embedding_list.h"
#include "index/ivf/ivf.h"
#include "index/sparse/sparse.h"
#include "index/top_k.h"

namespace elanus::index {
namespace {

// Of vectors of lists: an inverted list for so many, and the share of them that a search reads. The
// candidates are scored by all their vectors, so that few need to be found.
constexpr size_t kVectorsPerList = 128;
constexpr size_t kListsMin = 16;
constexpr size_t kListsMax = 2048;
constexpr size_t kProbeShare = 8;
constexpr double kRefine = 4;
// What a code has to tell one vector from another.
constexpr uint32_t kBitsPerVector = 512;
constexpr uint32_t kBitsMax = 8;

// The type of a block's index and what it is built with. Codes that need no codebook are made fast;
// those are not for int8.
const IndexType& TypeOf(const VectorBlock& block, Params& build, size_t& lists) {
  if (!block.is_lists()) return SparseInvertedType();
  lists = std::clamp(std::bit_floor(block.Flat().rows / kVectorsPerList + 1), kListsMin, kListsMax);
  build.Set("nlist", static_cast<double>(lists));
  build.Set("refine", 1);
  if (block.element == ElementType::kInt8) return IvfSq8Type();
  build.Set("rbq_bits", std::clamp(kBitsPerVector / block.dim, 1u, kBitsMax));
  return IvfRabitqType();
}

// What lists are searched with: what the user's parameters ask for, never less than the default;
// what is malformed is ignored, as by a scan.
Params ListParams(const IndexedBlock& block, model::Metric metric,
                  const std::map<std::string, std::string>& texts) {
  const auto parsed = ParseParams(ParamsFor(*block.type, metric), Phase::kSearch, texts);
  Params params = parsed.ok() ? *parsed : Params();
  const auto least = static_cast<double>(std::max(block.lists / kProbeShare, size_t{1}));
  params.Set("nprobe", std::max(params.Get("nprobe", 0), least));
  params.Set("refine_k", std::max(params.Get("refine_k", 1), kRefine));
  return params;
}

}  // namespace

size_t IndexedBlocks::memory_bytes() const {
  size_t bytes = 0;
  for (const auto& block : blocks) bytes += block->index->memory_bytes();
  return bytes;
}

Status BlockGrowingIndex::Extend(Context& ctx, std::span<const VectorBlock> blocks,
                                 std::span<const std::shared_ptr<const void>> owners) {
  const auto current = Current();
  IndexedBlocks indexed = current == nullptr ? IndexedBlocks() : *current;
  for (size_t b = indexed.blocks.size(); b < blocks.size() && blocks[b].rows == kGrowingBlockRows;
       ++b) {
    Params build;
    auto block = std::make_shared<IndexedBlock>();
    block->owner = owners[b];
    block->type = &TypeOf(blocks[b], build, block->lists);
    TRY_ASSIGN(const std::string file,
               BuildIndex(ctx, *block->type, blocks[b], metric(), build, {}));
    TRY_ASSIGN(block->index, OpenIndex(*block->type, AlignedCopy(file), blocks[b], metric()));
    indexed.blocks.push_back(std::move(block));
    indexed.rows += kGrowingBlockRows;
    Publish(indexed);
  }
  return {};
}

Result<size_t> BlockGrowingIndex::Search(Context& ctx, std::span<const VectorBlock> blocks,
                                         const std::map<std::string, std::string>& params,
                                         const SearchRequest& request, Hits hits) const {
  const auto indexed = Current();
  size_t count = indexed == nullptr ? 0 : std::min(indexed->blocks.size(), blocks.size());
  if (count > 0 && blocks[count - 1].rows < kGrowingBlockRows) --count;  // Invariant 3.
  if (count == 0) return 0;
  const bool is_lists = blocks[0].is_lists();
  const float scale = model::LargerIsBetter(metric()) ? -1.0f : 1.0f;
  SearchRequest part = request;
  part.k = static_cast<uint32_t>(std::min<size_t>(request.k, kGrowingBlockRows));
  std::vector<uint32_t> rows(part.k);
  std::vector<float> scores(part.k);
  TopK best(request.k);
  for (size_t q = 0; q < request.queries.rows; ++q) {
    part.queries = request.queries.Slice(q, 1);
    part.range = request.range;
    for (size_t b = 0; b < count; ++b) {
      const IndexedBlock& block = *indexed->blocks[b];
      const size_t first = b * kGrowingBlockRows;
      if (!request.allowed.empty()) {
        part.allowed = {request.allowed.words + first / 64, kGrowingBlockRows};
      }
      if (is_lists) {
        part.params = ListParams(block, metric(), params);
      } else if (best.full() && request.k > 0) {
        // Later rows must be better than what there is: of equal ones the first is the hit.
        part.range.radius = std::max(request.range.radius.value_or(0.0f), -best.bound());
      }
      TRY(block.index->Search(ctx, part, {.rows = rows.data(), .scores = scores.data()}));
      for (size_t i = 0; i < part.k && rows[i] != kNoRow; ++i) {
        best.Push(scale * scores[i], static_cast<uint32_t>(first) + rows[i]);
      }
    }
    best.WriteTo(hits, q, scale);
  }
  return count * kGrowingBlockRows;
}

}  // namespace elanus::index
