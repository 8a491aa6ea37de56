// Opening the file of a sparse index: every place a search will follow is checked here.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/framed.h"
#include "index/sparse/postings.h"

namespace elanus::index {
namespace {

constexpr uint64_t kBytesMax = uint64_t{1} << 48;  // Of any part: keeps sums from wrapping.

bool HeaderIsGood(const SparseHeader& h, const SparseBlock& rows, model::Metric metric,
                  size_t content) {
  if (h.rows != rows.rows || h.non_zeros != rows.non_zeros()) return false;
  if (h.metric != static_cast<uint64_t>(metric)) return false;
  if (h.algorithm > static_cast<uint64_t>(SparseAlgorithm::kDaatMaxScore)) return false;
  if (h.terms > kBytesMax || h.chunk_bytes > kBytesMax || h.chunk_bytes % 8 != 0) return false;
  for (double v :
       {h.bm25.k1, h.bm25.b, h.bm25.avgdl, h.count_min, h.count_max, h.length_min, h.length_max}) {
    if (!(v >= 0) || std::isinf(v)) return false;
  }
  return h.bm25.avgdl > 0 && SparseLayout(h).end == content;
}

bool BitsAreGood(const ChunkHead& chunk, uint32_t rows) {
  uint32_t count = 0;
  for (uint32_t w = 0; w < kWindowWords; ++w) {
    count += static_cast<uint32_t>(std::popcount(chunk.bits()[w]));
  }
  for (uint32_t r = rows; r < kWindowRows; ++r) {
    if ((chunk.bits()[r / 64] >> BitOfRow(r % 64) & 1) != 0) return false;
  }
  return count == chunk.count();
}

bool OffsetsAreGood(const ChunkHead& chunk, uint32_t rows) {
  const uint16_t* offsets = chunk.offsets();
  uint32_t disorder = 0;
  for (uint32_t i = 1; i < chunk.count(); ++i) disorder |= offsets[i] <= offsets[i - 1] ? 1u : 0u;
  return disorder == 0 && offsets[chunk.count() - 1] < rows;
}

// Windows ascend, chunks end where the term does, rows exist.
bool TermIsGood(const char* at, const char* end, uint64_t rows) {
  int64_t last_window = -1;
  while (at < end) {
    const auto left = static_cast<size_t>(end - at);
    if (left < sizeof(ChunkHead)) return false;
    const auto& chunk = *reinterpret_cast<const ChunkHead*>(at);
    if (chunk.is_bitmap > 1 || chunk.scale == 0) return false;
    if (ChunkBytes(chunk.count(), chunk.is_bitmap != 0) > left) return false;
    const uint64_t first = uint64_t{chunk.window} * kWindowRows;
    if (chunk.window <= last_window || first >= rows || chunk.count() > kWindowRows) return false;
    const auto in_window = static_cast<uint32_t>(std::min<uint64_t>(kWindowRows, rows - first));
    if (!(chunk.is_bitmap != 0 ? BitsAreGood(chunk, in_window)
                               : OffsetsAreGood(chunk, in_window))) {
      return false;
    }
    last_window = chunk.window;
    at += ChunkBytes(chunk.count(), chunk.is_bitmap != 0);
  }
  return at == end;
}

bool TermsAreGood(const OpenedSparse& opened) {
  const SparseHeader& h = opened.header;
  if (opened.starts[0] != 0 || opened.starts[h.terms] != h.chunk_bytes) return false;
  for (uint64_t t = 0; t < h.terms; ++t) {
    const uint64_t begin = opened.starts[t];
    const uint64_t end = opened.starts[t + 1];
    if (begin > end || end > h.chunk_bytes || begin % 8 != 0) return false;
    if (t > 0 && opened.dims[t] <= opened.dims[t - 1]) return false;
    if (!(opened.steps[t] > 0) || std::isinf(opened.steps[t])) return false;
    if (!TermIsGood(opened.chunks + begin, opened.chunks + end, h.rows)) return false;
  }
  return true;
}

}  // namespace

SparseLayout::SparseLayout(const SparseHeader& h) {
  const auto align = [](size_t n) { return (n + 63) / 64 * 64; };
  dims = align(sizeof(SparseHeader));
  steps = align(dims + h.terms * 4);
  starts = align(steps + h.terms * 4);
  chunks = align(starts + (h.terms + 1) * 8);
  end = chunks + h.chunk_bytes + kChunksPad;
}

Result<OpenedSparse> OpenSparse(Blob file, const SparseBlock& rows, model::Metric metric) {
  TRY_ASSIGN(const std::string_view payload,
             Unframe(kSparseMagic, kSparseVersion, file.bytes(), "sparse index"));
  const Status damaged(ErrorCode::kIntegrity, "the sparse index does not belong to this segment");
  if (payload.size() < kSparseLead + sizeof(SparseHeader)) return damaged;
  const std::string_view content = payload.substr(kSparseLead);
  OpenedSparse opened;
  std::memcpy(&opened.header, content.data(), sizeof(SparseHeader));
  if (!HeaderIsGood(opened.header, rows, metric, content.size())) return damaged;
  const SparseLayout at(opened.header);
  opened.dims = reinterpret_cast<const uint32_t*>(content.data() + at.dims);
  opened.steps = reinterpret_cast<const float*>(content.data() + at.steps);
  opened.starts = reinterpret_cast<const uint64_t*>(content.data() + at.starts);
  opened.chunks = content.data() + at.chunks;
  if (!TermsAreGood(opened)) return damaged;
  opened.file = std::move(file);
  return opened;
}

}  // namespace elanus::index
