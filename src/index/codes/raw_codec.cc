// Rows of 16-bit floats and of bytes as they are. COSINE keeps 1 / length beside each, so that a
// row needs no rounding to be of length 1.
#include <cstring>
#include <vector>

#include "index/codes/codecs.h"
#include "index/codes/raw_scorer.h"

namespace elanus::index {
namespace {

struct Saved {
  uint32_t element;
  uint32_t scales;  // 1 for COSINE.
};

class RawCodec final : public Codec {
 public:
  RawCodec(ElementType element, uint32_t dim, model::Metric metric)
      : element_(element), dim_(dim), metric_(metric) {}
  CodeKind kind() const override { return CodeKind::kRaw; }
  size_t row_bytes() const override {
    return VectorBlock{.dim = dim_, .element = element_}.row_bytes();
  }
  bool has_terms() const override { return metric_ == model::Metric::kCosine; }
  bool takes_plain_rows() const override { return true; }
  void Encode(const float* row, char* code) const override {
    EncodeElements(element_, row, dim_, code);
  }
  void Decode(const char* code, float* row) const override {
    DecodeElements(element_, code, dim_, row);
  }
  std::string Save() const override {
    const Saved saved{.element = static_cast<uint32_t>(element_), .scales = has_terms() ? 1u : 0u};
    std::string bytes(sizeof(saved), '\0');
    std::memcpy(bytes.data(), &saved, sizeof(saved));
    return bytes;
  }
  std::unique_ptr<Scorer> NewScorer(PackedRows rows) const override {
    const VectorBlock block{
        .data = rows.codes, .rows = rows.rows, .dim = dim_, .element = element_};
    return std::make_unique<RawScorer>(block, metric_, rows.terms);
  }

 private:
  const ElementType element_;
  const uint32_t dim_;
  const model::Metric metric_;
};

}  // namespace

std::unique_ptr<Codec> MakeRowCodec(ElementType element, uint32_t dim, model::Metric metric) {
  if (element == ElementType::kFloat32) return MakeFloatCodec(dim, metric == model::Metric::kL2);
  return std::make_unique<RawCodec>(element, dim, metric);
}

Result<std::unique_ptr<Codec>> OpenRawCodec(uint32_t dim, bool is_l2, std::string_view saved) {
  Saved head;
  const Status damaged(ErrorCode::kIntegrity, "the raw rows of an index are of no known element");
  if (saved.size() != sizeof(head)) return damaged;
  std::memcpy(&head, saved.data(), sizeof(head));
  if (head.element > static_cast<uint32_t>(ElementType::kInt8) || head.scales > 1 ||
      (is_l2 && head.scales == 1)) {
    return damaged;
  }
  const model::Metric metric = is_l2              ? model::Metric::kL2
                               : head.scales == 1 ? model::Metric::kCosine
                                                  : model::Metric::kIp;
  return std::unique_ptr<Codec>(
      std::make_unique<RawCodec>(static_cast<ElementType>(head.element), dim, metric));
}

}  // namespace elanus::index
