// Front-coded texts.
#include "index/scalar/front_coded.h"

#include <algorithm>

#include "base/partition_point.h"
#include "index/scalar/sections.h"

namespace elanus::index {
namespace {

constexpr size_t kBlockTexts = 16;

void AppendVarint(std::string& to, uint64_t number) {
  for (; number >= 0x80; number >>= 7) to += static_cast<char>(number | 0x80);
  to += static_cast<char>(number);
}

// Reads the texts of a block one after the other. What it reads has been checked once, by Check.
class BlockReader {
 public:
  explicit BlockReader(std::string_view bytes) : rest_(bytes) {}
  // False: the bytes are no text.
  bool Next() {
    uint64_t shared = 0;
    uint64_t more = 0;
    if (!Varint(shared) || !Varint(more) || shared > text_.size() || more > rest_.size()) {
      return false;
    }
    text_.resize(shared);
    text_.append(rest_.substr(0, more));
    rest_.remove_prefix(more);
    return true;
  }
  const std::string& text() const { return text_; }
  bool at_end() const { return rest_.empty(); }

 private:
  bool Varint(uint64_t& number) {
    for (int shift = 0; shift < 63 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      number |= uint64_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }

  std::string_view rest_;
  std::string text_;
};

class FrontCoded final : public OrderedValues {
 public:
  FrontCoded(std::string_view offsets, std::string_view bytes, size_t count)
      : offsets_{offsets.data()},
        bytes_(bytes),
        blocks_(offsets.size() / sizeof(uint64_t) - 1),
        count_(count) {}

  bool Check() const {
    if (blocks_ != (count_ + kBlockTexts - 1) / kBlockTexts) return false;
    for (size_t block = 0; block < blocks_; ++block) {
      BlockReader reader(BytesOfBlock(block));
      const size_t texts = std::min(kBlockTexts, count_ - block * kBlockTexts);
      for (size_t i = 0; i < texts; ++i) {
        if (!reader.Next()) return false;
      }
      if (!reader.at_end()) return false;
    }
    return true;
  }

  size_t size() const override { return count_; }
  size_t LowerBound(const model::Scalar& constant) const override {
    return Bound(constant.as_string(), /*after=*/false);
  }
  size_t UpperBound(size_t low, const model::Scalar& constant) const override {
    return std::max(low, Bound(constant.as_string(), /*after=*/true));
  }
  void Match(size_t begin, size_t end, const model::TextTest& test,
             std::vector<std::pair<size_t, size_t>>& ranges) const override {
    for (size_t block = begin / kBlockTexts; block * kBlockTexts < end; ++block) {
      BlockReader reader(BytesOfBlock(block));
      const size_t last = std::min(end, (block + 1) * kBlockTexts);
      for (size_t i = block * kBlockTexts; i < last && reader.Next(); ++i) {
        if (i < begin || !test.Matches(reader.text())) continue;
        if (!ranges.empty() && ranges.back().second == i)
          ++ranges.back().second;
        else
          ranges.emplace_back(i, i + 1);
      }
    }
  }

 private:
  std::string_view BytesOfBlock(size_t block) const {
    return bytes_.substr(offsets_[block], offsets_[block + 1] - offsets_[block]);
  }

  size_t Bound(std::string_view wanted, bool after) const {
    const auto is_before = [&](std::string_view text) {
      return after ? text <= wanted : text < wanted;
    };
    // The last block whose first text lies before the place.
    const size_t blocks = PartitionPoint(size_t{0}, blocks_, [&](size_t block) {
      BlockReader reader(BytesOfBlock(block));
      reader.Next();
      return is_before(reader.text());
    });
    if (blocks == 0) return 0;
    size_t at = (blocks - 1) * kBlockTexts;
    const size_t end = std::min(count_, blocks * kBlockTexts);
    BlockReader reader(BytesOfBlock(blocks - 1));
    while (at < end && reader.Next() && is_before(reader.text())) ++at;
    return at;
  }

  Numbers<uint64_t> offsets_;
  std::string_view bytes_;
  size_t blocks_;
  size_t count_;
};

}  // namespace

std::vector<std::string> EncodeFrontCoded(const std::vector<std::string_view>& texts) {
  std::vector<uint64_t> offsets;
  std::string bytes;
  for (size_t i = 0; i < texts.size(); ++i) {
    size_t shared = 0;
    if (i % kBlockTexts == 0) {
      offsets.push_back(bytes.size());
    } else {
      const std::string_view before = texts[i - 1];
      const size_t most = std::min(before.size(), texts[i].size());
      while (shared < most && before[shared] == texts[i][shared]) ++shared;
    }
    AppendVarint(bytes, shared);
    AppendVarint(bytes, texts[i].size() - shared);
    bytes += texts[i].substr(shared);
  }
  offsets.push_back(bytes.size());
  return {BytesOf(offsets), std::move(bytes)};
}

Result<std::unique_ptr<OrderedValues>> OpenFrontCoded(std::string_view offsets,
                                                      std::string_view bytes, size_t count) {
  const bool has_offsets =
      !offsets.empty() && offsets.size() % sizeof(uint64_t) == 0 &&
      AreOffsets(offsets.data(), offsets.size() / sizeof(uint64_t) - 1, bytes.size());
  if (has_offsets) {
    auto texts = std::make_unique<FrontCoded>(offsets, bytes, count);
    if (texts->Check()) return std::unique_ptr<OrderedValues>(std::move(texts));
  }
  return Status(ErrorCode::kIntegrity, "the texts of the index are not whole");
}

}  // namespace elanus::index
