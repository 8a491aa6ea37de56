// MinHash signatures (Broder 1997): how a row is cut into elements and bands, and how two compare.
#pragma once

#include "index/binary/binary_block.h"
#include "index/binary/scorer.h"
#include "index/vector_index.h"

namespace elanus::index {

/// A signature is `elements` numbers of `element_bytes` each. Bands are the first `bands` runs of
/// `band_elements`; what is left over at the end belongs to none.
struct SignatureShape {
  uint32_t element_bytes = 1;
  uint32_t elements = 0;
  uint32_t bands = 1;
  uint32_t band_elements = 0;
  size_t band_bytes() const { return size_t{band_elements} * element_bytes; }
};

/// From mh_element_bit_width and mh_lsh_band. kInvalidParameter when the width is no multiple of 8
/// or does not divide `dim`.
Result<SignatureShape> ShapeOf(uint32_t dim, const Params& params);

/// The share of elements that are equal: the estimate of the Jaccard similarity.
float EstimateJaccard(const uint8_t* a, const uint8_t* b, const SignatureShape& shape);

/// Compares every row: the key is the negated estimate, or, without `with_jaccard`, -1 of rows of
/// which a band is equal and kNoHit of the others.
class SignatureScorer final : public BinaryScorer {
 public:
  SignatureScorer(BinaryBlock rows, SignatureShape shape, bool with_jaccard)
      : rows_(rows), shape_(shape), with_jaccard_(with_jaccard) {}
  void SetQuery(const uint8_t* query) override { query_ = query; }
  void Score(const uint32_t* rows, size_t count, float* keys) override {
    for (size_t i = 0; i < count; ++i) keys[i] = KeyOf(rows[i]);
  }
  void ScoreRange(size_t begin, size_t count, float* keys) override {
    for (size_t i = 0; i < count; ++i) keys[i] = KeyOf(begin + i);
  }

 private:
  float KeyOf(size_t row) const;

  const BinaryBlock rows_;
  const SignatureShape shape_;
  const bool with_jaccard_;
  const uint8_t* query_ = nullptr;
};

inline constexpr ParamSpec kElementWidthBuildSpec{.name = "mh_element_bit_width",
                                                  .phase = Phase::kBuild,
                                                  .kind = ParamKind::kInteger,
                                                  .default_value = 8,
                                                  .min = 8,
                                                  .max = 256,
                                                  .help = "Bits of an element; a multiple of 8."};
inline constexpr ParamSpec kElementWidthSearchSpec{
    .name = "mh_element_bit_width",
    .phase = Phase::kSearch,
    .kind = ParamKind::kInteger,
    .default_value = 8,
    .min = 8,
    .max = 256,
    .help = "As the build's; an index keeps its own."};
inline constexpr ParamSpec kBandBuildSpec{.name = "mh_lsh_band",
                                          .phase = Phase::kBuild,
                                          .kind = ParamKind::kInteger,
                                          .default_value = 1,
                                          .min = -2147483648.0,
                                          .max = 2147483647,
                                          .help = "Bands; from 1 to the elements of a row."};
inline constexpr ParamSpec kBandSearchSpec{.name = "mh_lsh_band",
                                           .phase = Phase::kSearch,
                                           .kind = ParamKind::kInteger,
                                           .default_value = 1,
                                           .min = -2147483648.0,
                                           .max = 2147483647,
                                           .help = "As the build's; an index keeps its own."};
inline constexpr ParamSpec kWithJaccardSpec{
    .name = "mh_search_with_jaccard",
    .phase = Phase::kSearch,
    .kind = ParamKind::kBool,
    .default_value = 0,
    .min = 0,
    .max = 1,
    .help = "Answer estimated similarities instead of 1 for each hit."};

}  // namespace elanus::index
