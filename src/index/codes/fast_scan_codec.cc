// Blocks of 32 rows: part by part 16 bytes, as simd/fast_scan.h reads them; parts are padded to a
// multiple of four. A query turns the codebooks into tables of bytes, of which the scan adds up one
// entry a part.
#include "index/codes/fast_scan_codec.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "index/codes/additive_codec.h"
#include "index/codes/codecs.h"
#include "simd/fast_scan.h"
#include "simd/kernels.h"

namespace elanus::index {
namespace {

constexpr size_t kWords = 16;
constexpr size_t kRows = simd::kFastScanRows;
constexpr float kSumMax = 65535;
// The threshold T of the paper, as a share of the row's length.
constexpr float kThreshold = 0.2f;
constexpr int kDescentRounds = 3;

// The codebooks, part by part, dimension by dimension, 16 words each.
struct Books {
  size_t dim = 0;
  size_t part_dim = 1;
  std::vector<float> values;

  size_t parts() const { return dim / part_dim; }
  size_t padded_parts() const { return (parts() + 3) / 4 * 4; }
  const float* book(size_t part) const { return values.data() + part * part_dim * kWords; }
};

class FastScanScorer final : public Scorer {
 public:
  FastScanScorer(const Books& books, PackedRows rows, bool is_l2)
      : books_(books),
        rows_(rows),
        is_l2_(is_l2),
        table_(books.padded_parts() * kWords, 0.0f),
        bytes_(table_.size(), 0) {}

  // Entries are what a part adds to a key, less the part's smallest.
  void SetQuery(const float* query) override {
    const simd::FastScanTables made =
        simd::MakeFastScanTables(query, books_.values.data(), books_.parts(), books_.part_dim,
                                 is_l2_ ? -2.0f : -1.0f, table_.data());
    base_ = made.base + (is_l2_ ? simd::Best().ip(query, query, books_.dim) : 0.0f);
    // Neither an entry nor the largest sum may pass its type; 0.5 a part is what rounding adds.
    const float rounding = static_cast<float>(books_.parts());
    step_ = std::max(
        {made.widest / simd::kFastScanEntryMax, made.total / (kSumMax - rounding), 1e-30f});
    simd::RoundFastScanTables(table_.data(), books_.parts(), step_, bytes_.data());
  }

  void Score(const uint32_t* rows, size_t count, float* keys) override {
    for (size_t i = 0; i < count; ++i) keys[i] = ScoreExact(rows[i]);
  }
  void ScoreRange(size_t begin, size_t count, float* keys) override {
    for (size_t i = 0; i < count; ++i) keys[i] = ScoreExact(static_cast<uint32_t>(begin + i));
  }
  size_t Below(size_t begin, size_t count, float offset, float bound, uint32_t* rows,
               float* keys) override {
    const size_t block_bytes = books_.padded_parts() * kWords;
    size_t kept = 0;
    for (size_t at = 0; at < count; at += kRows) {
      const size_t first = begin + at;
      float found[kRows];
      uint32_t below =
          scan_(bytes_.data(),
                reinterpret_cast<const uint8_t*>(rows_.codes) + first / kRows * block_bytes,
                books_.padded_parts(), base_ + offset, step_,
                is_l2_ ? rows_.terms + first : nullptr, bound, found);
      if (count - at < kRows) below &= (1u << (count - at)) - 1;
      for (; below != 0; below &= below - 1) {
        const auto r = static_cast<size_t>(__builtin_ctz(below));
        rows[kept] = static_cast<uint32_t>(first + r);
        keys[kept++] = found[r];
      }
    }
    return kept;
  }
  float ScoreExact(uint32_t row) override {
    const auto* block = reinterpret_cast<const uint8_t*>(rows_.codes) +
                        row / kRows * books_.padded_parts() * kWords;
    const size_t in_block = row % kRows;
    const size_t shift = in_block / 16 * 4;
    float key = base_ + (is_l2_ ? rows_.terms[row] : 0.0f);
    for (size_t p = 0; p < books_.parts(); ++p) {
      key += table_[p * kWords + ((block[p * kWords + in_block % 16] >> shift) & 15)];
    }
    return key;
  }

 private:
  const simd::FastScan scan_ = simd::BestFastScan();
  const Books& books_;
  const PackedRows rows_;
  const bool is_l2_;
  std::vector<float> table_;
  std::vector<uint8_t> bytes_;
  float base_ = 0;
  float step_ = 1;
};

class FastScanCodec final : public Codec {
 public:
  FastScanCodec(Books books, bool is_l2) : books_(std::move(books)), is_l2_(is_l2) {}
  CodeKind kind() const override { return CodeKind::kFastScan; }
  // Of a row within its block; as encoded alone it is half a byte a part, too.
  size_t row_bytes() const override { return books_.padded_parts() / 2; }
  size_t block_rows() const override { return kRows; }
  bool has_terms() const override { return is_l2_; }

  void Encode(const float* row, char* code) const override {
    const std::vector<float> origin(books_.dim, 0.0f);
    EncodeResidual(row, origin.data(), code);
  }

  void EncodeResidual(const float* residual, const float* centroid, char* code) const override {
    std::vector<uint8_t> words(books_.parts());
    std::vector<float> lost(residual, residual + books_.dim);
    for (size_t p = 0; p < books_.parts(); ++p) {
      words[p] = Nearest(residual + p * books_.part_dim, p);
      for (size_t d = 0; d < books_.part_dim; ++d) {
        lost[p * books_.part_dim + d] -= books_.book(p)[d * kWords + words[p]];
      }
    }
    if (!is_l2_) Descend(residual, centroid, lost, words);
    std::memset(code, 0, row_bytes());
    for (size_t p = 0; p < books_.parts(); ++p) {
      code[p / 2] = static_cast<char>(code[p / 2] | words[p] << (p % 2 * 4));
    }
  }

  void Decode(const char* code, float* row) const override {
    for (size_t p = 0; p < books_.parts(); ++p) {
      const size_t word = (static_cast<uint8_t>(code[p / 2]) >> (p % 2 * 4)) & 15;
      for (size_t d = 0; d < books_.part_dim; ++d) {
        row[p * books_.part_dim + d] = books_.book(p)[d * kWords + word];
      }
    }
  }

  void Interleave(const char* codes, char* block) const override {
    std::memset(block, 0, kRows * row_bytes());
    for (size_t r = 0; r < kRows; ++r) {
      const auto* code = reinterpret_cast<const uint8_t*>(codes) + r * row_bytes();
      for (size_t p = 0; p < books_.parts(); ++p) {
        const int word = (code[p / 2] >> (p % 2 * 4)) & 15;
        char& at = block[p * kWords + r % 16];
        at = static_cast<char>(at | word << (r / 16 * 4));
      }
    }
  }

  std::string Save() const override {
    const auto part_dim = static_cast<uint32_t>(books_.part_dim);
    std::string saved(sizeof(part_dim) + books_.values.size() * sizeof(float), '\0');
    std::memcpy(saved.data(), &part_dim, sizeof(part_dim));
    std::memcpy(saved.data() + sizeof(part_dim), books_.values.data(),
                books_.values.size() * sizeof(float));
    return saved;
  }
  std::unique_ptr<Scorer> NewScorer(PackedRows rows) const override {
    return std::make_unique<FastScanScorer>(books_, rows, is_l2_);
  }

 private:
  uint8_t Nearest(const float* part, size_t p) const {
    const float* book = books_.book(p);
    float keys[kWords] = {};
    for (size_t d = 0; d < books_.part_dim; ++d) {
      for (size_t w = 0; w < kWords; ++w) {
        const float difference = part[d] - book[d * kWords + w];
        keys[w] += difference * difference;
      }
    }
    return static_cast<uint8_t>(std::min_element(keys, keys + kWords) - keys);
  }

  // Coordinate descent on |lost|^2 + (weight - 1) * <lost, direction>^2: part by part the word that
  // makes it smallest, while the others stay. `lost` is what the code leaves over.
  void Descend(const float* residual, const float* centroid, std::vector<float>& lost,
               std::vector<uint8_t>& words) const {
    std::vector<float> direction(books_.dim);
    float square = 0;
    for (size_t d = 0; d < books_.dim; ++d) {
      direction[d] = residual[d] + centroid[d];
      square += direction[d] * direction[d];
    }
    if (square == 0) return;
    const float inverse = 1.0f / std::sqrt(square);
    for (float& v : direction) v *= inverse;
    constexpr float kShare = kThreshold * kThreshold;
    const float more =
        std::max(0.0f, static_cast<float>(books_.dim - 1) * kShare / (1 - kShare) - 1);
    float along = simd::Best().ip(lost.data(), direction.data(), books_.dim);
    for (int round = 0; round < kDescentRounds; ++round) {
      bool changed = false;
      for (size_t p = 0; p < books_.parts(); ++p) {
        const size_t begin = p * books_.part_dim;
        const float* book = books_.book(p);
        float squares[kWords] = {};
        float alongs[kWords] = {};
        for (size_t d = 0; d < books_.part_dim; ++d) {
          for (size_t w = 0; w < kWords; ++w) {
            const float left = residual[begin + d] - book[d * kWords + w];
            squares[w] += left * left;
            alongs[w] += left * direction[begin + d];
          }
        }
        const float others = along - alongs[words[p]];
        uint8_t best = words[p];
        float least = std::numeric_limits<float>::infinity();
        for (size_t w = 0; w < kWords; ++w) {
          const float total = others + alongs[w];
          const float loss = squares[w] + more * total * total;
          if (loss < least) {
            least = loss;
            best = static_cast<uint8_t>(w);
          }
        }
        if (best == words[p]) continue;
        along = others + alongs[best];
        words[p] = best;
        changed = true;
      }
      if (!changed) break;
    }
  }

  const Books books_;
  const bool is_l2_;
};

}  // namespace

Result<std::unique_ptr<Codec>> TrainFastScanCodec(Context& ctx, VectorBlock residuals,
                                                  uint32_t part_dim, bool is_l2, Pool* pool) {
  Books books{.dim = residuals.dim, .part_dim = part_dim, .values = {}};
  TRY_ASSIGN(books.values,
             TrainCodebooks(ctx, residuals, static_cast<uint32_t>(books.parts()), kWords, pool));
  return std::unique_ptr<Codec>(std::make_unique<FastScanCodec>(std::move(books), is_l2));
}

Result<std::unique_ptr<Codec>> OpenFastScanCodec(uint32_t dim, bool is_l2, std::string_view saved) {
  uint32_t part_dim = 0;
  const Status damaged(ErrorCode::kIntegrity, "the codebooks of an index do not fit it");
  if (saved.size() != sizeof(part_dim) + size_t{dim} * kWords * sizeof(float)) return damaged;
  std::memcpy(&part_dim, saved.data(), sizeof(part_dim));
  if (part_dim == 0 || part_dim > dim || dim % part_dim != 0) return damaged;
  Books books{.dim = dim, .part_dim = part_dim, .values = std::vector<float>(dim * kWords)};
  std::memcpy(books.values.data(), saved.data() + sizeof(part_dim),
              books.values.size() * sizeof(float));
  return std::unique_ptr<Codec>(std::make_unique<FastScanCodec>(std::move(books), is_l2));
}

size_t FastScanRowBytes(uint32_t dim, uint32_t part_dim) {
  const Books books{.dim = dim, .part_dim = part_dim, .values = {}};
  return books.padded_parts() / 2 + sizeof(float);
}

}  // namespace elanus::index
