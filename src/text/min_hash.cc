// MinHash signatures.
#include "text/min_hash.h"

#include <openssl/evp.h>

#include <charconv>
#include <cstring>
#include <random>

#include "base/bytes.h"
#include "model/any_case.h"
#include "simd/min_hash_kernel.h"
#include "text/field.h"

namespace elanus::text {
namespace {

constexpr size_t kBitsPerHash = 32;
constexpr uint64_t kPrime = (uint64_t{1} << 61) - 1;
constexpr uint32_t kNothing = 0xFFFFFFFF;
constexpr int64_t kDefaultSeed = 1234;
constexpr int64_t kDefaultShingle = 3;

Result<int64_t> Number(const model::FunctionSchema& function, std::string_view key,
                       int64_t fallback) {
  const std::string* text = model::FindAnyCase(function.params, key);
  if (text == nullptr) return fallback;
  int64_t value = 0;
  const auto parsed = std::from_chars(text->data(), text->data() + text->size(), value);
  if (parsed.ec == std::errc() && parsed.ptr == text->data() + text->size()) return value;
  return Invalid("param {} of function {} should be a whole number, got {}", key, function.name,
                 *text);
}

Result<size_t> PositiveNumber(const model::FunctionSchema& function, std::string_view key,
                              int64_t fallback) {
  TRY_ASSIGN(const int64_t value, Number(function, key, fallback));
  if (value > 0) return static_cast<size_t>(value);
  return Invalid("param {} of function {} should be positive, got {}", key, function.name, value);
}

// Whether the parameter is the first of two words, which is the default; kInvalidParameter when it
// is neither.
Result<bool> IsFirst(const model::FunctionSchema& function, std::string_view key,
                     std::initializer_list<std::string_view> first,
                     std::initializer_list<std::string_view> second) {
  const std::string* text = model::FindAnyCase(function.params, key);
  if (text == nullptr) return true;
  const std::string word = model::Lower(*text);
  for (std::string_view one : first) {
    if (word == one) return true;
  }
  for (std::string_view one : second) {
    if (word == one) return false;
  }
  return Invalid("param {} of function {} should be {} or {}, got {}", key, function.name,
                 *first.begin(), *second.begin(), *text);
}

}  // namespace

Result<MinHasher> MinHasher::Of(const model::FunctionSchema& function,
                                const model::FieldSchema& input, const model::FieldSchema& output) {
  MinHasher made;
  const size_t dim = output.dim();
  TRY_ASSIGN(made.hashes_,
             PositiveNumber(function, "num_hashes",
                            static_cast<int64_t>(std::max<size_t>(1, dim / kBitsPerHash))));
  if (made.hashes_ > dim || made.hashes_ * kBitsPerHash != dim) {
    return Invalid(
        "MinHash function {}: the dim of field {} should be {} a hash function: got {}, "
        "num_hashes is {}",
        function.name, output.name, kBitsPerHash, dim, made.hashes_);
  }
  TRY_ASSIGN(made.shingle_size_, PositiveNumber(function, "shingle_size", kDefaultShingle));
  TRY_ASSIGN(const bool is_xxhash,
             IsFirst(function, "hash_function", {"xxhash", "xxhash64"}, {"sha1"}));
  made.is_sha1_ = !is_xxhash;
  TRY_ASSIGN(const bool is_word, IsFirst(function, "token_level", {"word"}, {"char", "character"}));
  if (is_word) {
    TRY_ASSIGN(made.analyzer_, AnalyzerOf(input));
  }
  TRY_ASSIGN(const int64_t seed, Number(function, "seed", kDefaultSeed));
  std::mt19937_64 rng(static_cast<uint64_t>(seed));
  const size_t blocks = (made.hashes_ + simd::kMinHashBlock - 1) / simd::kMinHashBlock;
  made.factors_.resize(blocks * simd::kMinHashBlock);
  made.offsets_.resize(blocks * simd::kMinHashBlock);
  for (size_t i = 0; i < made.hashes_; ++i) {
    made.factors_[i] = rng() % (kPrime - 1) + 1;
    made.offsets_[i] = rng() % kPrime;
  }
  return made;
}

uint32_t MinHasher::Hash(std::string_view shingle) const {
  if (!is_sha1_) return static_cast<uint32_t>(Checksum(shingle));  // XXH3.
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int bytes = 0;
  EVP_Digest(shingle.data(), shingle.size(), digest, &bytes, EVP_sha1(), nullptr);
  return uint32_t{digest[0]} | uint32_t{digest[1]} << 8 | uint32_t{digest[2]} << 16 |
         uint32_t{digest[3]} << 24;
}

std::vector<uint32_t> MinHasher::WordShingles(std::string_view text) const {
  Tokens tokens;
  analyzer_->Analyze(text, tokens);
  // One after the other: then a shingle is a piece of the whole.
  std::string words;
  std::vector<size_t> begins;
  for (const Token& token : tokens) {
    begins.push_back(words.size());
    words += token.text;
  }
  begins.push_back(words.size());
  std::vector<uint32_t> hashes;
  if (tokens.empty()) return hashes;
  const size_t size = std::min(shingle_size_, tokens.size());
  for (size_t i = 0; i + size <= tokens.size(); ++i) {
    hashes.push_back(Hash(std::string_view(words).substr(begins[i], begins[i + size] - begins[i])));
  }
  return hashes;
}

std::vector<uint32_t> MinHasher::ByteShingles(std::string_view text) const {
  std::vector<uint32_t> hashes;
  if (text.empty()) return hashes;
  const size_t size = std::min(shingle_size_, text.size());
  for (size_t i = 0; i + size <= text.size(); ++i) hashes.push_back(Hash(text.substr(i, size)));
  return hashes;
}

std::string MinHasher::Sign(std::string_view text) const {
  const std::vector<uint32_t> shingles =
      analyzer_ != nullptr ? WordShingles(text) : ByteShingles(text);
  std::vector<uint32_t> minima(factors_.size(), kNothing);
  simd::LowerMinHashes(shingles.data(), shingles.size(), factors_.data(), offsets_.data(),
                       factors_.size(), minima.data());
  std::string signature(hashes_ * sizeof(uint32_t), '\0');
  std::memcpy(signature.data(), minima.data(), signature.size());  // Little-endian machines only.
  return signature;
}

}  // namespace elanus::text
