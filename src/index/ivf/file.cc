// Writing and opening the file of inverted lists.
#include "index/ivf/file.h"

#include <algorithm>
#include <cstring>

#include "base/framed.h"
#include "index/cells/k_means.h"
#include "index/codes/choices.h"
#include "simd/fast_scan.h"
#include "simd/kernels.h"

namespace elanus::index {
namespace {

constexpr std::string_view kMagic = "ELIVF002";
constexpr size_t kLead = 32;  // With the frame's 32 bytes the content is 64-byte aligned.
constexpr uint64_t kBytesMax = uint64_t{1} << 40;  // Of any one part: keeps sums from wrapping.
constexpr uint64_t kListsMax = 65536;
constexpr size_t kBlocksPerTask = 256;

bool HeaderIsGood(const IvfHeader& h, VectorBlock rows, size_t content) {
  if (h.rows != rows.rows || h.dim != rows.dim || h.lists < 1 || h.lists > kListsMax) return false;
  if (h.element != static_cast<uint64_t>(rows.element)) return false;
  if (h.spilled > 1 || (h.spilled == 1 && h.lists < 2)) return false;
  const uint64_t copies = h.rows * (1 + h.spilled);
  if (h.places < copies || h.places - copies > h.lists * simd::kFastScanRows) return false;
  const uint64_t bytes[] = {h.code_params, h.code_bytes, h.refine_params, h.refine_bytes};
  for (uint64_t b : bytes) {
    if (b > kBytesMax / std::max<uint64_t>(h.places, 1)) return false;
  }
  return h.residual <= (kResidualCodes | kResidualRefineCodes) && h.code_terms <= 1 &&
         h.refine_terms <= 1 && IvfLayout(h).end == content;
}

bool HomesAreGood(const OpenedIvf& opened) {
  const IvfHeader& h = opened.header;
  for (uint64_t r = 0; opened.homes != nullptr && r < h.rows; ++r) {
    const bool differ = opened.homes[r] != opened.seconds[r];
    if (!differ || opened.homes[r] >= h.lists || opened.seconds[r] >= h.lists) return false;
  }
  return true;
}

// A search follows bounds and numbers without looking. Counts the rows of each list, and notes
// where each row stands.
bool NumbersAreGood(OpenedIvf& opened) {
  const IvfHeader& h = opened.header;
  const uint64_t block = opened.codes.codec->block_rows();
  if (opened.bounds[0] != 0 || opened.bounds[h.lists] != h.places) return false;
  uint64_t total = 0;
  uint64_t own_total = 0;
  opened.list_rows.resize(h.lists);
  opened.own_rows.resize(h.lists);
  opened.place_of.assign(h.rows, kNoRow);
  opened.list_marks.assign((h.places + kPlacesPerMark - 1) / kPlacesPerMark, 0);
  for (uint64_t l = 0; l < h.lists; ++l) {
    const uint64_t begin = opened.bounds[l];
    uint64_t end = opened.bounds[l + 1];
    if (begin > end || end > h.places || begin % block != 0) return false;
    for (uint64_t m = (begin + kPlacesPerMark - 1) / kPlacesPerMark; m * kPlacesPerMark < end;
         ++m) {
      opened.list_marks[m] = static_cast<uint16_t>(l);
    }
    while (end > begin && opened.numbers[end - 1] == kNoRow) --end;
    opened.list_rows[l] = static_cast<uint32_t>(end - begin);
    total += end - begin;
    uint64_t own_end = begin;
    for (uint64_t i = begin; i < end; ++i) {
      if (opened.numbers[i] >= h.rows) return false;
      const bool is_own = opened.homes == nullptr || opened.homes[opened.numbers[i]] == l;
      if (!is_own && opened.seconds[opened.numbers[i]] != l) return false;
      if (!is_own) continue;
      uint32_t& place = opened.place_of[opened.numbers[i]];
      if (own_end++ != i || place != kNoRow) return false;
      place = static_cast<uint32_t>(i);
    }
    opened.own_rows[l] = static_cast<uint32_t>(own_end - begin);
    own_total += own_end - begin;
  }
  return own_total == h.rows && total == h.rows * (1 + h.spilled);
}

// Which row stands where: list by list, each from a whole block on.
struct Places {
  std::vector<uint64_t> bounds;  // Of the lists.
  std::vector<uint32_t> order;   // A row or kNoRow for each place.

  Places(const Lists& lists, size_t count, size_t block) : bounds(count + 1, 0) {
    std::vector<uint64_t> sizes(count, 0);
    for (uint32_t list : lists.nearest) ++sizes[list];
    for (uint32_t list : lists.second) ++sizes[list];
    for (size_t l = 0; l < count; ++l) {
      bounds[l + 1] = bounds[l] + (sizes[l] + block - 1) / block * block;
    }
    order.assign(bounds[count], kNoRow);
    std::vector<uint64_t> next = bounds;
    for (uint32_t r = 0; r < lists.nearest.size(); ++r) order[next[lists.nearest[r]]++] = r;
    for (uint32_t r = 0; r < lists.second.size(); ++r) order[next[lists.second[r]]++] = r;
  }
  /// Of a block of places.
  size_t ListOf(uint64_t place) const {
    return static_cast<size_t>(std::upper_bound(bounds.begin(), bounds.end(), place) -
                               bounds.begin()) -
           1;
  }
};

// The codes of one block of places.
class BlockPacker {
 public:
  BlockPacker(const Codec& codec, const FloatRows& rows, const Lists& lists, bool residual,
              const Places& places, char* codes, float* terms)
      : codec_(codec),
        rows_(rows),
        lists_(lists),
        residual_(residual),
        places_(places),
        codes_(codes),
        terms_(terms) {}

  void Pack(size_t block) const {
    const size_t count = codec_.block_rows();
    std::string packed(count * codec_.row_bytes(), '\0');
    const size_t dim = rows_.dim();
    std::vector<float> read(dim);
    std::vector<float> scratch(dim);
    const std::vector<uint32_t>& order = places_.order;
    const float* centroid = lists_.centroids.data() + places_.ListOf(block * count) * dim;
    for (size_t i = 0; i < count; ++i) {
      const size_t place = block * count + i;
      if (place >= order.size() || order[place] == kNoRow) continue;
      char* code = packed.data() + i * codec_.row_bytes();
      const float* row = rows_.Read(order[place], 1, read.data());
      if (residual_) {
        for (size_t d = 0; d < dim; ++d) scratch[d] = row[d] - centroid[d];
        codec_.EncodeResidual(scratch.data(), centroid, code);
      } else {
        codec_.Encode(row, code);
      }
      if (codec_.has_terms()) terms_[place] = Term(row, centroid, code, scratch);
    }
    codec_.Interleave(packed.data(), codes_ + block * packed.size());
  }

 private:
  // The squared norm of the row as it is scored; of a plain one, 1 / norm.
  float Term(const float* row, const float* centroid, const char* code,
             std::vector<float>& scratch) const {
    const simd::Kernels& kernels = simd::Best();
    const size_t dim = rows_.dim();
    if (codec_.takes_plain_rows()) return InverseNorm(row, dim);
    if (codec_.has_exact_terms()) return kernels.ip(row, row, dim);
    codec_.Decode(code, scratch.data());
    for (size_t d = 0; residual_ && d < dim; ++d) scratch[d] += centroid[d];
    return kernels.ip(scratch.data(), scratch.data(), dim);
  }

  const Codec& codec_;
  const FloatRows rows_;
  const Lists& lists_;
  const bool residual_;
  const Places& places_;
  char* codes_;
  float* terms_;
};

Status PackPlaces(Context& ctx, const BlockPacker& packer, size_t blocks, Pool* pool) {
  const size_t tasks = (blocks + kBlocksPerTask - 1) / kBlocksPerTask;
  const auto pack = [&](size_t task) -> Status {
    TRY(ctx.CheckAlive());
    const size_t end = std::min(blocks, (task + 1) * kBlocksPerTask);
    for (size_t block = task * kBlocksPerTask; block < end; ++block) packer.Pack(block);
    return {};
  };
  if (pool != nullptr) return pool->ParallelFor(ctx, tasks, pack);
  for (size_t task = 0; task < tasks; ++task) TRY(pack(task));
  return {};
}

}  // namespace

IvfLayout::IvfLayout(const IvfHeader& h) {
  const auto align = [](size_t n) { return (n + 63) / 64 * 64; };
  size_t at = align(sizeof(IvfHeader));
  centroids = at;
  bounds = at = align(at + h.lists * h.dim * 4);
  numbers = at = align(at + (h.lists + 1) * 8);
  code_params = at = align(at + h.places * 4);
  codes = at = align(at + h.code_params);
  terms = at = align(at + h.places * h.code_bytes);
  refine_params = at = align(at + h.places * h.code_terms * 4);
  refine_codes = at = align(at + h.refine_params);
  refine_terms = at = align(at + h.places * h.refine_bytes);
  at += h.places * h.refine_terms * 4;
  homes = at = h.spilled == 0 ? at : align(at);
  seconds = at = at + h.rows * h.spilled * sizeof(uint16_t);
  end = at + h.rows * h.spilled * sizeof(uint16_t);
}

Result<Lists> TrainLists(Context& ctx, const FloatRows& rows, size_t lists,
                         const BuildOptions& options, double progress_end) {
  Lists trained;
  const size_t count = std::min(lists, std::max<size_t>(rows.rows(), 1));
  trained.centroids.assign(count * rows.dim(), 0.0f);
  if (rows.rows() == 0) return trained;
  TRY_ASSIGN(trained.centroids, TrainCentroids(ctx, rows, count, options.pool));
  if (options.on_progress) options.on_progress(progress_end * 0.8);
  TRY_ASSIGN(trained.nearest, AssignRows(ctx, rows, trained.centroids, options.pool));
  if (options.on_progress) options.on_progress(progress_end);
  return trained;
}

Result<std::string> WriteIvf(Context& ctx, VectorBlock rows, model::Metric metric,
                             const Lists& lists, const IvfCodes& codes, Pool* pool) {
  const size_t count = lists.centroids.size() / std::max<size_t>(rows.dim, 1);
  const size_t block = codes.codec->block_rows();
  const Places places(lists, count, block);
  const std::vector<uint32_t>& order = places.order;
  const std::string params = codes.codec->Save();
  const std::string refine_params = codes.refine == nullptr ? "" : codes.refine->Save();
  const IvfHeader header{.rows = rows.rows,
                         .lists = count,
                         .dim = rows.dim,
                         .places = order.size(),
                         .residual = (codes.residual ? kResidualCodes : 0) |
                                     (codes.refines_residuals ? kResidualRefineCodes : 0),
                         .code_kind = static_cast<uint64_t>(codes.codec->kind()),
                         .code_params = params.size(),
                         .code_bytes = codes.codec->row_bytes(),
                         .code_terms = codes.codec->has_terms(),
                         .refine_kind = static_cast<uint64_t>(codes.refine_kind),
                         .refine_params = refine_params.size(),
                         .refine_bytes = codes.refine == nullptr ? 0 : codes.refine->row_bytes(),
                         .refine_terms = codes.refine != nullptr && codes.refine->has_terms(),
                         .element = static_cast<uint64_t>(rows.element),
                         .spilled = !lists.second.empty()};
  const IvfLayout at(header);
  std::string payload(kLead + at.end, '\0');
  char* base = payload.data() + kLead;
  std::memcpy(base, &header, sizeof(header));
  std::memcpy(base + at.centroids, lists.centroids.data(), lists.centroids.size() * 4);
  std::memcpy(base + at.bounds, places.bounds.data(), places.bounds.size() * 8);
  if (!order.empty()) std::memcpy(base + at.numbers, order.data(), order.size() * 4);
  std::memcpy(base + at.code_params, params.data(), params.size());
  for (size_t r = 0; r < lists.second.size(); ++r) {
    const auto home = static_cast<uint16_t>(lists.nearest[r]);
    const auto second = static_cast<uint16_t>(lists.second[r]);
    std::memcpy(base + at.homes + r * sizeof(home), &home, sizeof(home));
    std::memcpy(base + at.seconds + r * sizeof(second), &second, sizeof(second));
  }
  TRY(PackPlaces(
      ctx,
      BlockPacker(*codes.codec, RowsFor(*codes.codec, rows, metric), lists, codes.residual, places,
                  base + at.codes, reinterpret_cast<float*>(base + at.terms)),
      order.size() / block, pool));
  if (codes.refine != nullptr) {
    std::memcpy(base + at.refine_params, refine_params.data(), refine_params.size());
    TRY(PackPlaces(ctx,
                   BlockPacker(*codes.refine, RowsFor(*codes.refine, rows, metric), lists,
                               codes.refines_residuals, places, base + at.refine_codes,
                               reinterpret_cast<float*>(base + at.refine_terms)),
                   order.size(), pool));
  }
  return Frame(kMagic, 1, payload);
}

Result<OpenedIvf> OpenIvf(Blob file, VectorBlock rows, model::Metric metric) {
  const bool is_l2 = metric == model::Metric::kL2;
  TRY_ASSIGN(const std::string_view payload, Unframe(kMagic, 1, file.bytes(), "IVF index"));
  const Status damaged(ErrorCode::kIntegrity, "the IVF index does not belong to this segment");
  if (payload.size() < kLead + sizeof(IvfHeader)) return damaged;
  const std::string_view content = payload.substr(kLead);
  OpenedIvf opened;
  IvfHeader& h = opened.header;
  std::memcpy(&h, content.data(), sizeof(h));
  if (!HeaderIsGood(h, rows, content.size())) return damaged;
  const IvfLayout at(h);
  const char* base = content.data();
  opened.centroids = reinterpret_cast<const float*>(base + at.centroids);
  opened.bounds = reinterpret_cast<const uint64_t*>(base + at.bounds);
  opened.numbers = reinterpret_cast<const uint32_t*>(base + at.numbers);
  const auto dim = static_cast<uint32_t>(h.dim);
  TRY_ASSIGN(OpenedPart codes, OpenPacked({.kind = h.code_kind,
                                           .row_bytes = h.code_bytes,
                                           .has_terms = h.code_terms,
                                           .params = content.substr(at.code_params, h.code_params),
                                           .codes = base + at.codes,
                                           .terms = base + at.terms,
                                           .rows = h.places},
                                          dim, is_l2, "inverted lists"));
  // Raw rows have lengths beside them under COSINE and nothing else.
  if (codes.codec->kind() == CodeKind::kRaw &&
      codes.codec->has_terms() != (metric == model::Metric::kCosine)) {
    return damaged;
  }
  opened.codes.codec = std::move(codes.codec);
  opened.packed = codes.rows;
  if (h.spilled != 0) {
    opened.homes = reinterpret_cast<const uint16_t*>(base + at.homes);
    opened.seconds = reinterpret_cast<const uint16_t*>(base + at.seconds);
  }
  if (!HomesAreGood(opened) || !NumbersAreGood(opened)) return damaged;
  opened.codes.residual = (h.residual & kResidualCodes) != 0;
  opened.codes.refines_residuals = (h.residual & kResidualRefineCodes) != 0;
  opened.codes.refine_kind = static_cast<CodeKind>(h.refine_kind);
  if (HoldsRefineCodes(opened.codes.refine_kind)) {
    TRY_ASSIGN(OpenedPart refine,
               OpenPacked({.kind = h.refine_kind,
                           .row_bytes = h.refine_bytes,
                           .has_terms = h.refine_terms,
                           .params = content.substr(at.refine_params, h.refine_params),
                           .codes = base + at.refine_codes,
                           .terms = base + at.refine_terms,
                           .rows = h.places},
                          dim, is_l2, "inverted lists"));
    if (opened.codes.refines_residuals && !IsScalar(refine.codec->kind())) return damaged;
    opened.codes.refine = std::move(refine.codec);
    opened.refine = refine.rows;
  }
  if (opened.codes.refines_residuals && opened.codes.refine == nullptr) return damaged;
  opened.file = std::move(file);
  return opened;
}

}  // namespace elanus::index
