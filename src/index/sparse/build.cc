// Building a sparse index in two passes over the rows, window by window: the first finds what
// terms there are, their largest values and how many bytes their postings take; the second turns a
// window's rows into chunks and puts them where they belong. Beside the file a build holds a
// window's postings and some words a term, never a second copy of the rows.
#include <algorithm>
#include <bit>
#include <cfloat>
#include <cmath>
#include <cstring>

#include "base/check.h"
#include "base/framed.h"
#include "index/sparse/postings.h"

namespace elanus::index {
namespace {

constexpr uint32_t kNoTerm = UINT32_MAX;

// Dimensions in order and back. A hash table, since dimensions are spread over 32 bits where they
// are hashes of words.
class TermNumbers {
 public:
  void Add(uint32_t dim) {
    uint32_t& slot = Find(dim);
    if (slot != kNoTerm) return;
    slot = static_cast<uint32_t>(dims_.size());
    keys_[static_cast<size_t>(&slot - numbers_.data())] = dim;
    dims_.push_back(dim);
    if (dims_.size() * 2 > keys_.size()) Rebuild(keys_.size() * 2);
  }
  void Sort() {
    std::sort(dims_.begin(), dims_.end());
    Rebuild(keys_.size());
  }
  uint32_t Of(uint32_t dim) { return Find(dim); }
  const std::vector<uint32_t>& dims() const { return dims_; }

 private:
  // The number of `dim`, or the free slot where it would be.
  uint32_t& Find(uint32_t dim) {
    size_t slot = dim * 2654435769u >> shift_;
    while (numbers_[slot] != kNoTerm && keys_[slot] != dim) slot = (slot + 1) & (keys_.size() - 1);
    return numbers_[slot];
  }
  void Rebuild(size_t slots) {
    shift_ = 32 - std::countr_zero(slots);
    keys_.assign(slots, 0);
    numbers_.assign(slots, kNoTerm);
    for (size_t i = 0; i < dims_.size(); ++i) {
      uint32_t& number = Find(dims_[i]);
      number = static_cast<uint32_t>(i);
      keys_[static_cast<size_t>(&number - numbers_.data())] = dims_[i];
    }
  }

  int shift_ = 16;
  std::vector<uint32_t> dims_;
  std::vector<uint32_t> keys_ = std::vector<uint32_t>(1 << 16);
  std::vector<uint32_t> numbers_ = std::vector<uint32_t>(1 << 16, kNoTerm);
};

struct Posting {
  uint32_t term;
  uint16_t offset;
  float value;
};

class Builder {
 public:
  Builder(Context& ctx, const SparseBlock& rows, model::Metric metric, const BuildOptions& options)
      : ctx_(ctx), rows_(rows), is_bm25_(metric == model::Metric::kBm25), options_(options) {}

  Result<std::string> Run(model::Metric metric, SparseAlgorithm algorithm, Bm25 bm25) {
    TRY(Survey(bm25));
    TRY(Measure());
    SparseHeader header{.rows = rows_.rows,
                        .non_zeros = rows_.non_zeros(),
                        .terms = terms_.dims().size(),
                        .chunk_bytes = starts_.back(),
                        .metric = static_cast<uint64_t>(metric),
                        .algorithm = static_cast<uint64_t>(algorithm),
                        .bm25 = bm25_,
                        .count_min = count_min_,
                        .count_max = count_max_,
                        .length_min = length_min_,
                        .length_max = length_max_};
    const SparseLayout at(header);
    std::string payload(kSparseLead + at.end, '\0');
    char* base = payload.data() + kSparseLead;
    std::memcpy(base, &header, sizeof(header));
    std::copy(terms_.dims().begin(), terms_.dims().end(),
              reinterpret_cast<uint32_t*>(base + at.dims));
    std::copy(steps_.begin(), steps_.end(), reinterpret_cast<float*>(base + at.steps));
    std::copy(starts_.begin(), starts_.end(), reinterpret_cast<uint64_t*>(base + at.starts));
    TRY(Fill(base + at.chunks));
    return Frame(kSparseMagic, kSparseVersion, payload);
  }

 private:
  size_t windows() const { return (rows_.rows + kWindowRows - 1) / kWindowRows; }
  void Tell(double share) const {
    if (options_.on_progress) options_.on_progress(share);
  }
  static double LengthOf(std::span<const float> values) {
    double length = 0;
    for (float v : values) length += v;
    return length;
  }

  // Terms and lengths.
  Status Survey(Bm25 bm25) {
    double total = 0;
    for (size_t r = 0; r < rows_.rows; ++r) {
      if (r % kWindowRows == 0) TRY(ctx_.CheckAlive());
      const auto dims = rows_.dims_of(r);
      const auto values = rows_.values_of(r);
      for (size_t i = 0; i < dims.size(); ++i) {
        if (values[i] == 0) continue;
        terms_.Add(dims[i]);
        count_min_ = count_max_ == 0 ? values[i] : std::min<double>(count_min_, values[i]);
        count_max_ = std::max<double>(count_max_, values[i]);
      }
      const double length = LengthOf(values);
      if (length > 0) length_min_ = length_max_ == 0 ? length : std::min(length_min_, length);
      length_max_ = std::max(length_max_, length);
      total += length;
    }
    terms_.Sort();
    bm25_ = bm25;
    if (bm25_.avgdl <= 0) bm25_.avgdl = total > 0 ? total / static_cast<double>(rows_.rows) : 1;
    Tell(0.2);
    return {};
  }

  // The postings of a window, row by row.
  void Gather(size_t window) {
    postings_.clear();
    const size_t begin = window * kWindowRows;
    const size_t end = std::min<size_t>(rows_.rows, begin + kWindowRows);
    for (size_t r = begin; r < end; ++r) {
      const auto dims = rows_.dims_of(r);
      const auto values = rows_.values_of(r);
      const double length = is_bm25_ ? LengthOf(values) : 0;
      for (size_t i = 0; i < dims.size(); ++i) {
        if (values[i] == 0) continue;
        const float value =
            is_bm25_ ? static_cast<float>(bm25_.Factor(values[i], length)) : values[i];
        postings_.push_back(
            {terms_.Of(dims[i]), static_cast<uint16_t>(r - begin), std::max(value, FLT_MIN)});
      }
    }
    touched_.clear();
    for (const Posting& p : postings_) {
      if (counts_[p.term]++ == 0) touched_.push_back(p.term);
    }
  }

  // Largest values and bytes of each term.
  Status Measure() {
    const size_t terms = terms_.dims().size();
    counts_.assign(terms, 0);
    places_.assign(terms, 0);
    starts_.assign(terms + 1, 0);
    std::vector<float> largest(terms, 0.0f);
    for (size_t w = 0; w < windows(); ++w) {
      TRY(ctx_.CheckAlive());
      Gather(w);
      for (const Posting& p : postings_) largest[p.term] = std::max(largest[p.term], p.value);
      for (uint32_t t : touched_) {
        starts_[t + 1] += ChunkBytes(counts_[t], counts_[t] >= kBitmapPostings);
        counts_[t] = 0;
      }
      Tell(0.2 + 0.4 * static_cast<double>(w + 1) / static_cast<double>(windows()));
    }
    for (size_t t = 0; t < terms; ++t) {
      starts_[t + 1] += starts_[t];
      // A hair more than the 255th part, so that rounding never asks for code 256.
      steps_.push_back(
          std::max(static_cast<float>(double{largest[t]} / 255 * (1 + 1e-6)), FLT_MIN));
    }
    return {};
  }

  // Writes all chunks.
  Status Fill(char* chunks) {
    std::vector<uint64_t> next(starts_.begin(), starts_.end() - 1);
    for (size_t w = 0; w < windows(); ++w) {
      TRY(ctx_.CheckAlive());
      Gather(w);
      uint32_t place = 0;
      for (uint32_t t : touched_) {
        places_[t] = place;
        place += counts_[t];
      }
      sorted_.resize(postings_.size());
      for (const Posting& p : postings_) sorted_[places_[p.term]++] = p;
      for (uint32_t t : touched_) {
        const std::span<Posting> own(sorted_.data() + places_[t] - counts_[t], counts_[t]);
        counts_[t] = 0;
        next[t] += WriteChunk(static_cast<uint32_t>(w), own, chunks + next[t]);
      }
      Tell(0.6 + 0.4 * static_cast<double>(w + 1) / static_cast<double>(windows()));
    }
    return {};
  }

  size_t WriteChunk(uint32_t window, std::span<Posting> postings, char* to) const {
    const auto count = static_cast<uint32_t>(postings.size());
    const double step = steps_[postings[0].term];
    float largest = 0;
    for (const Posting& p : postings) largest = std::max(largest, p.value);
    const ChunkHead head{.window = window,
                         .count_less_one = static_cast<uint16_t>(count - 1),
                         .is_bitmap = count >= kBitmapPostings,
                         .scale = static_cast<uint8_t>(std::ceil(double{largest} / step))};
    CHECK(head.scale * step >= double{largest});
    std::memcpy(to, &head, sizeof(head));
    const auto& chunk = *reinterpret_cast<const ChunkHead*>(to);
    if (head.is_bitmap != 0) {
      auto* bits = const_cast<uint64_t*>(chunk.bits());
      for (Posting& p : postings) {
        p.offset = static_cast<uint16_t>((p.offset & ~63u) | BitOfRow(p.offset % 64));
        bits[p.offset / 64] |= uint64_t{1} << (p.offset % 64);
      }
      std::sort(postings.begin(), postings.end(),
                [](const Posting& a, const Posting& b) { return a.offset < b.offset; });
    } else {
      auto* offsets = const_cast<uint16_t*>(chunk.offsets());
      for (uint32_t i = 0; i < count; ++i) offsets[i] = postings[i].offset;
    }
    auto* codes = const_cast<uint8_t*>(chunk.codes());
    for (uint32_t i = 0; i < count; ++i) {
      const double code = std::ceil(double{postings[i].value} * 255 / (head.scale * step) - 1e-9);
      codes[i] = static_cast<uint8_t>(std::clamp<double>(code, kCodeMin, 255));
    }
    return ChunkBytes(count, head.is_bitmap != 0);
  }

  Context& ctx_;
  const SparseBlock& rows_;
  const bool is_bm25_;
  const BuildOptions& options_;
  Bm25 bm25_;
  double count_min_ = 0, count_max_ = 0, length_min_ = 0, length_max_ = 0;
  TermNumbers terms_;
  std::vector<float> steps_;
  std::vector<uint64_t> starts_;
  std::vector<Posting> postings_, sorted_;  // Of the window at hand.
  std::vector<uint32_t> touched_;           // Its terms,
  std::vector<uint32_t> counts_, places_;   // and their postings in it; zero between windows.
};

}  // namespace

Result<std::string> WriteSparse(Context& ctx, const SparseBlock& rows, model::Metric metric,
                                SparseAlgorithm algorithm, Bm25 bm25, const BuildOptions& options) {
  if (rows.rows >= kNoRow) return Invalid("a sparse index has fewer than {} rows", kNoRow);
  TRY(CheckSparse(rows));
  return Builder(ctx, rows, metric, options).Run(metric, algorithm, bm25);
}

}  // namespace elanus::index
