// A row is a sum of codewords, one of each codebook of its part. The inner product with a query is
// then a sum of table entries; the squared norm of the decoded row, kept beside it, makes a
// distance of it. A codebook lies dimension by dimension (part_dim x words), as
// simd::Kernels::ip_columns reads it.
//
// Row: spaces x layers codes, of 4, 8, 16 or 32 bits each.
#include "index/codes/additive_codec.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

#include "index/codes/codecs.h"
#include "simd/kernels.h"

namespace elanus::index {
namespace {

constexpr size_t kSamplesPerWord = 128;
constexpr size_t kSampleMin = 16384;
constexpr int kIterations = 10;
constexpr uint32_t kBitsMax = 24;
constexpr uint32_t kDimMax = 32768;

struct Books {
  uint32_t dim = 0;
  AdditiveShape shape;
  uint32_t words = 0;         // Of each codebook.
  std::vector<float> values;  // Codebook by codebook.

  size_t part_dim() const { return dim / shape.spaces; }
  size_t count() const { return size_t{shape.spaces} * shape.layers; }
  size_t book_size() const { return part_dim() * words; }
  const float* book(size_t i) const { return values.data() + i * book_size(); }
  size_t code_bits() const {
    return shape.bits <= 4 ? 4 : shape.bits <= 8 ? 8 : shape.bits <= 16 ? 16 : 32;
  }
  size_t row_bytes() const { return (count() * code_bits() + 7) / 8; }
};

uint32_t CodeAt(const Books& books, const char* code, size_t i) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(code);
  switch (books.code_bits()) {
    case 4:
      return (bytes[i / 2] >> (i % 2 * 4)) & 15;
    case 8:
      return bytes[i];
    case 16: {
      uint16_t value;
      std::memcpy(&value, bytes + 2 * i, sizeof(value));
      return value;
    }
    default: {
      uint32_t value;
      std::memcpy(&value, bytes + 4 * i, sizeof(value));
      return value;
    }
  }
}

void SetCode(const Books& books, char* code, size_t i, uint32_t value) {
  switch (books.code_bits()) {
    case 4:
      code[i / 2] = static_cast<char>(code[i / 2] | value << (i % 2 * 4));
      break;
    case 8:
      code[i] = static_cast<char>(value);
      break;
    case 16: {
      const auto narrow = static_cast<uint16_t>(value);
      std::memcpy(code + 2 * i, &narrow, sizeof(narrow));
      break;
    }
    default:
      std::memcpy(code + 4 * i, &value, sizeof(value));
  }
}

// Half the squared norm of each word of a codebook.
std::vector<float> HalfNormsOf(const float* book, size_t dim, size_t words) {
  std::vector<float> norms(words, 0.0f);
  for (size_t d = 0; d < dim; ++d) {
    for (size_t w = 0; w < words; ++w) norms[w] += book[d * words + w] * book[d * words + w] / 2;
  }
  return norms;
}

// The word nearest to `part`; `products` is scratch.
uint32_t NearestWord(const float* part, size_t dim, const float* book, const float* half_norms,
                     size_t words, std::vector<float>& products) {
  const simd::Kernels& kernels = simd::Best();
  kernels.ip_columns(part, dim, book, words, words, products.data());
  float least;
  return static_cast<uint32_t>(
      kernels.arg_min_difference(half_norms, products.data(), words, &least));
}

void Subtract(float* part, size_t dim, const float* book, size_t words, uint32_t word) {
  for (size_t d = 0; d < dim; ++d) part[d] -= book[d * words + word];
}

// k-means of parts (count x dim) into `words` words, written dimension by dimension.
Status TrainBook(Context& ctx, const std::vector<float>& parts, size_t count, size_t dim,
                 size_t words, float* book) {
  for (size_t w = 0; w < words; ++w) {
    for (size_t d = 0; d < dim; ++d) book[d * words + w] = parts[w * count / words * dim + d];
  }
  std::vector<float> scores(words);
  std::vector<double> sums(words * dim);
  std::vector<size_t> sizes(words);
  for (int iteration = 0; iteration < kIterations; ++iteration) {
    TRY(ctx.CheckAlive());
    const std::vector<float> norms = HalfNormsOf(book, dim, words);
    std::fill(sums.begin(), sums.end(), 0.0);
    std::fill(sizes.begin(), sizes.end(), size_t{0});
    for (size_t i = 0; i < count; ++i) {
      const float* part = parts.data() + i * dim;
      const uint32_t word = NearestWord(part, dim, book, norms.data(), words, scores);
      ++sizes[word];
      for (size_t d = 0; d < dim; ++d) sums[word * dim + d] += part[d];
    }
    for (size_t w = 0; w < words; ++w) {
      // A word that nothing chose becomes some row, another one each time.
      const size_t other = (w * 7919 + static_cast<size_t>(iteration) * 104729) % count;
      for (size_t d = 0; d < dim; ++d) {
        book[d * words + w] =
            sizes[w] == 0 ? parts[other * dim + d]
                          : static_cast<float>(sums[w * dim + d] / static_cast<double>(sizes[w]));
      }
    }
  }
  return {};
}

class AdditiveScorer final : public Scorer {
 public:
  AdditiveScorer(const Books& books, PackedRows rows, bool is_l2)
      : books_(books), rows_(rows), is_l2_(is_l2), table_(books.count() * books.words) {}

  void SetQuery(const float* query) override {
    const simd::Kernels& kernels = simd::Best();
    const size_t part_dim = books_.part_dim();
    for (size_t i = 0; i < books_.count(); ++i) {
      kernels.ip_columns(query + i / books_.shape.layers * part_dim, part_dim, books_.book(i),
                         books_.words, books_.words, table_.data() + i * books_.words);
    }
    square_ = is_l2_ ? kernels.ip(query, query, books_.dim) : 0.0f;
  }
  void Score(const uint32_t* rows, size_t count, float* keys) override {
    for (size_t i = 0; i < count; ++i) keys[i] = Key(rows[i]);
  }
  void ScoreRange(size_t begin, size_t count, float* keys) override {
    for (size_t i = 0; i < count; ++i) keys[i] = Key(begin + i);
  }
  float ScoreExact(uint32_t row) override { return Key(row); }

 private:
  float Key(size_t row) const {
    const char* code = rows_.codes + row * books_.row_bytes();
    const float product = books_.code_bits() == 8 ? SumBytes(code) : Sum(code);
    return is_l2_ ? std::max(0.0f, square_ + rows_.terms[row] - 2 * product) : -product;
  }
  // Four sums, so that a table entry need not wait for the one before.
  float SumBytes(const char* code) const {
    const auto* bytes = reinterpret_cast<const uint8_t*>(code);
    const float* table = table_.data();
    const size_t words = books_.words;
    float sum[4] = {};
    size_t i = 0;
    for (; i + 4 <= books_.count(); i += 4, table += 4 * words) {
      sum[0] += table[bytes[i]];
      sum[1] += table[words + bytes[i + 1]];
      sum[2] += table[2 * words + bytes[i + 2]];
      sum[3] += table[3 * words + bytes[i + 3]];
    }
    for (; i < books_.count(); ++i, table += words) sum[0] += table[bytes[i]];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
  }
  float Sum(const char* code) const {
    float sum = 0;
    for (size_t i = 0; i < books_.count(); ++i) {
      sum += table_[i * books_.words + CodeAt(books_, code, i)];
    }
    return sum;
  }

  const Books& books_;
  const PackedRows rows_;
  const bool is_l2_;
  std::vector<float> table_;
  float square_ = 0;
};

class AdditiveCodec final : public Codec {
 public:
  AdditiveCodec(Books books, bool is_l2) : books_(std::move(books)), is_l2_(is_l2) {
    for (size_t i = 0; i < books_.count(); ++i) {
      const std::vector<float> norms = HalfNormsOf(books_.book(i), books_.part_dim(), books_.words);
      norms_.insert(norms_.end(), norms.begin(), norms.end());
    }
  }
  CodeKind kind() const override { return CodeKind::kAdditive; }
  size_t row_bytes() const override { return books_.row_bytes(); }
  bool has_terms() const override { return is_l2_; }
  void Encode(const float* row, char* code) const override {
    std::memset(code, 0, row_bytes());
    const size_t dim = books_.part_dim();
    std::vector<float> part(dim);
    std::vector<float> scores(books_.words);
    for (size_t s = 0; s < books_.shape.spaces; ++s) {
      std::copy_n(row + s * dim, dim, part.data());
      for (size_t l = 0; l < books_.shape.layers; ++l) {
        const size_t i = s * books_.shape.layers + l;
        const uint32_t word = NearestWord(part.data(), dim, books_.book(i),
                                          norms_.data() + i * books_.words, books_.words, scores);
        SetCode(books_, code, i, word);
        Subtract(part.data(), dim, books_.book(i), books_.words, word);
      }
    }
  }
  void Decode(const char* code, float* row) const override {
    const size_t dim = books_.part_dim();
    std::fill_n(row, books_.dim, 0.0f);
    for (size_t i = 0; i < books_.count(); ++i) {
      const uint32_t word = CodeAt(books_, code, i);
      float* part = row + i / books_.shape.layers * dim;
      for (size_t d = 0; d < dim; ++d) part[d] += books_.book(i)[d * books_.words + word];
    }
  }
  bool Holds(PackedRows rows) const override {
    if (books_.words == size_t{1} << std::min<size_t>(books_.code_bits(), 31)) return true;
    for (size_t r = 0; r < rows.rows; ++r) {
      const char* code = rows.codes + r * books_.row_bytes();
      for (size_t i = 0; i < books_.count(); ++i) {
        if (CodeAt(books_, code, i) >= books_.words) return false;
      }
    }
    return true;
  }
  std::string Save() const override {
    const uint32_t head[4] = {books_.shape.spaces, books_.shape.layers, books_.shape.bits,
                              books_.words};
    std::string saved(sizeof(head) + books_.values.size() * sizeof(float), '\0');
    std::memcpy(saved.data(), head, sizeof(head));
    std::memcpy(saved.data() + sizeof(head), books_.values.data(),
                books_.values.size() * sizeof(float));
    return saved;
  }
  std::unique_ptr<Scorer> NewScorer(PackedRows rows) const override {
    return std::make_unique<AdditiveScorer>(books_, rows, is_l2_);
  }

 private:
  const Books books_;
  const bool is_l2_;
  std::vector<float> norms_;
};

// Every k-th row's part of one space.
std::vector<float> Gather(VectorBlock rows, size_t begin, size_t dim, size_t count) {
  std::vector<float> parts(count * dim);
  for (size_t i = 0; i < count; ++i) {
    std::copy_n(rows.row(i * rows.rows / count) + begin, dim, parts.data() + i * dim);
  }
  return parts;
}

}  // namespace

Result<std::unique_ptr<Codec>> TrainAdditiveCodec(Context& ctx, VectorBlock rows,
                                                  const AdditiveShape& shape, bool is_l2,
                                                  Pool* pool) {
  Books books{.dim = rows.dim, .shape = shape};
  const size_t most = size_t{1} << shape.bits;
  books.words = static_cast<uint32_t>(std::clamp<size_t>(rows.rows, 1, most));
  books.values.assign(books.count() * books.book_size(), 0.0f);
  const size_t dim = books.part_dim();
  const size_t count =
      std::min(rows.rows, std::max<size_t>(kSampleMin, books.words * kSamplesPerWord));
  const auto train_space = [&](size_t s) -> Status {
    if (count == 0) return {};
    std::vector<float> parts = Gather(rows, s * dim, dim, count);
    std::vector<float> scores(books.words);
    for (size_t l = 0; l < shape.layers; ++l) {
      const size_t i = s * shape.layers + l;
      float* book = books.values.data() + i * books.book_size();
      TRY(TrainBook(ctx, parts, count, dim, books.words, book));
      if (l + 1 == shape.layers) break;
      const std::vector<float> norms = HalfNormsOf(book, dim, books.words);
      for (size_t r = 0; r < count; ++r) {
        float* part = parts.data() + r * dim;
        Subtract(part, dim, book, books.words,
                 NearestWord(part, dim, book, norms.data(), books.words, scores));
      }
    }
    return {};
  };
  if (pool != nullptr) {
    TRY(pool->ParallelFor(ctx, shape.spaces, train_space));
  } else {
    for (size_t s = 0; s < shape.spaces; ++s) TRY(train_space(s));
  }
  return std::unique_ptr<Codec>(std::make_unique<AdditiveCodec>(std::move(books), is_l2));
}

Result<std::vector<float>> TrainCodebooks(Context& ctx, VectorBlock rows, uint32_t parts,
                                          uint32_t words, Pool* pool) {
  const size_t dim = rows.dim / parts;
  std::vector<float> books(size_t{rows.dim} * words, 0.0f);
  if (rows.rows == 0) return books;
  const size_t count = std::min(rows.rows, std::max<size_t>(kSampleMin, words * kSamplesPerWord));
  const size_t found = std::min<size_t>(words, rows.rows);
  const auto train = [&](size_t part) -> Status {
    const std::vector<float> sample = Gather(rows, part * dim, dim, count);
    std::vector<float> book(dim * found);
    TRY(TrainBook(ctx, sample, count, dim, found, book.data()));
    for (size_t d = 0; d < dim; ++d) {
      std::copy_n(book.data() + d * found, found, books.data() + (part * dim + d) * words);
    }
    return {};
  };
  if (pool != nullptr) {
    TRY(pool->ParallelFor(ctx, parts, train));
  } else {
    for (size_t part = 0; part < parts; ++part) TRY(train(part));
  }
  return books;
}

Result<std::unique_ptr<Codec>> OpenAdditiveCodec(uint32_t dim, bool is_l2, std::string_view saved) {
  uint32_t head[4];
  const Status damaged(ErrorCode::kIntegrity, "the codebooks of an index do not fit it");
  if (saved.size() < sizeof(head) || dim > kDimMax) return damaged;
  std::memcpy(head, saved.data(), sizeof(head));
  Books books{.dim = dim, .shape = {head[0], head[1], head[2]}, .words = head[3]};
  if (head[0] == 0 || head[0] > dim || dim % head[0] != 0 || head[1] == 0 || head[1] > 16 ||
      head[2] == 0 || head[2] > kBitsMax || head[3] == 0 || head[3] > (1u << head[2])) {
    return damaged;
  }
  const size_t values = books.count() * books.book_size();
  if (saved.size() != sizeof(head) + values * sizeof(float)) return damaged;
  books.values.resize(values);
  std::memcpy(books.values.data(), saved.data() + sizeof(head), values * sizeof(float));
  return std::unique_ptr<Codec>(std::make_unique<AdditiveCodec>(std::move(books), is_l2));
}

size_t AdditiveRowBytes(const AdditiveShape& shape) {
  const Books books{.dim = 0, .shape = shape};
  return (books.count() * books.code_bits() + 7) / 8 + sizeof(float);
}

}  // namespace elanus::index
