// MinHash: a text as a signature of which as many elements agree with another's as their sets of
// shingles overlap (Broder, "On the resemblance and containment of documents", 1997).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "model/schema.h"
#include "text/analyzer.h"

namespace elanus::text {

/// Signs the texts of one function. Immutable; thread-safe.
class MinHasher {
 public:
  /// Of a function that makes the binary vectors of `output` from the texts of `input`. Errors:
  /// kInvalidParameter (parameters, fields), kSegcore (the analyzer).
  static Result<MinHasher> Of(const model::FunctionSchema& function,
                              const model::FieldSchema& input, const model::FieldSchema& output);

  /// The signature: one little-endian u32 a hash function, the least value over the text's
  /// shingles; all ones without any.
  std::string Sign(std::string_view text) const;

 private:
  MinHasher() = default;
  std::vector<uint32_t> WordShingles(std::string_view text) const;
  std::vector<uint32_t> ByteShingles(std::string_view text) const;
  uint32_t Hash(std::string_view shingle) const;

  size_t hashes_ = 0;
  size_t shingle_size_ = 3;
  bool is_sha1_ = false;
  AnalyzerPtr analyzer_;           // Null: shingles of bytes.
  std::vector<uint64_t> factors_;  // Of the hash functions, filled up to whole blocks.
  std::vector<uint64_t> offsets_;
};

}  // namespace elanus::text
