// Row lists and row sets.
#include "index/scalar/postings.h"

#include <algorithm>
#include <bit>

#include "base/partition_point.h"
#include "index/scalar/ordered.h"
#include "index/scalar/sections.h"

namespace elanus::index {
namespace {

constexpr uint32_t kBlockRows = 65536;
constexpr uint32_t kListRowsMax = 4096;  // Above, the words are smaller.
constexpr size_t kBlockBytes = kBlockRows / 8;

Status Broken() { return Status(ErrorCode::kIntegrity, "the postings lead out of the index"); }

// Whether `section` holds terms + 1 starts that end at `last`.
bool HoldsStarts(std::string_view section, uint64_t last) {
  const size_t count = section.size() / sizeof(uint64_t);
  return count > 0 && section.size() % sizeof(uint64_t) == 0 &&
         AreOffsets(section.data(), count - 1, last);
}

// The first place at or behind `at` whose number is not below `wanted`; places ascend, and the next
// one is usually near.
template <class T>
uint64_t GallopTo(const Numbers<T>& numbers, uint64_t at, uint64_t end, uint64_t wanted) {
  uint64_t step = 1;
  while (at + step < end && numbers[at + step] < wanted) {
    at += step;
    step *= 2;
  }
  return PartitionPoint(at, std::min(end, at + step),
                        [&](uint64_t place) { return numbers[place] < wanted; });
}

class RowLists final : public Postings {
 public:
  RowLists(std::string_view starts, std::string_view rows)
      : terms_(starts.size() / sizeof(uint64_t) - 1), starts_{starts.data()}, rows_{rows.data()} {}
  size_t terms() const override { return terms_; }
  uint64_t Count(size_t begin, size_t end) const override { return starts_[end] - starts_[begin]; }
  void SetRows(size_t begin, size_t end, Bitset& rows) const override {
    const uint64_t last = starts_[end];
    for (uint64_t i = starts_[begin]; i < last; ++i) rows.Set(rows_[i]);
  }
  void AppendRows(size_t term, std::vector<uint32_t>& rows) const override {
    for (uint64_t i = starts_[term]; i < starts_[term + 1]; ++i) rows.push_back(rows_[i]);
  }
  void KeepRows(size_t term, std::vector<uint32_t>& rows) const override {
    uint64_t at = starts_[term];
    const uint64_t end = starts_[term + 1];
    std::erase_if(rows, [&](uint32_t row) {
      at = GallopTo(rows_, at, end, row);
      return at == end || rows_[at] != row;
    });
  }
  double row_ns() const override { return 2; }

 private:
  size_t terms_;
  Numbers<uint64_t> starts_;
  Numbers<uint32_t> rows_;
};

size_t BytesIn(const Container& container) {
  return container.rows > kListRowsMax ? kBlockBytes : container.rows * sizeof(uint16_t);
}
static_assert(sizeof(Container) == 16);

class RowSets final : public Postings {
 public:
  explicit RowSets(std::span<const std::string_view> sections)
      : terms_(sections[0].size() / sizeof(uint64_t) - 1),
        starts_{sections[0].data()},
        firsts_{sections[1].data()},
        containers_{sections[2].data()},
        bytes_(sections[3].data()) {}
  size_t terms() const override { return terms_; }
  uint64_t Count(size_t begin, size_t end) const override { return starts_[end] - starts_[begin]; }
  void SetRows(size_t begin, size_t end, Bitset& rows) const override {
    const uint64_t last = firsts_[end];
    for (uint64_t i = firsts_[begin]; i < last; ++i) {
      const Container container = containers_[i];
      if (container.rows > kListRowsMax)
        SetWords(container, rows);
      else
        SetList(container, rows);
    }
  }
  void AppendRows(size_t term, std::vector<uint32_t>& rows) const override {
    for (uint64_t i = firsts_[term]; i < firsts_[term + 1]; ++i) {
      const Container container = containers_[i];
      const uint32_t base = container.block * kBlockRows;
      if (container.rows <= kListRowsMax) {
        const Numbers<uint16_t> low{bytes_ + container.offset};
        for (uint32_t j = 0; j < container.rows; ++j) rows.push_back(base + low[j]);
        continue;
      }
      const Numbers<uint64_t> words{bytes_ + container.offset};
      for (uint32_t w = 0; w < kBlockRows / 64; ++w) {
        for (uint64_t word = words[w]; word != 0; word &= word - 1) {
          rows.push_back(base + w * 64 + static_cast<uint32_t>(std::countr_zero(word)));
        }
      }
    }
  }
  void KeepRows(size_t term, std::vector<uint32_t>& rows) const override {
    uint64_t at = firsts_[term];
    const uint64_t end = firsts_[term + 1];
    uint64_t place = 0;  // In the container's list.
    std::erase_if(rows, [&](uint32_t row) {
      for (; at < end && containers_[at].block < row / kBlockRows; ++at) place = 0;
      if (at == end || containers_[at].block != row / kBlockRows) return true;
      const Container container = containers_[at];
      const uint32_t low = row % kBlockRows;
      if (container.rows > kListRowsMax) {
        const Numbers<uint64_t> words{bytes_ + container.offset};
        return (words[low / 64] >> (low % 64) & 1) == 0;
      }
      const Numbers<uint16_t> list{bytes_ + container.offset};
      place = GallopTo(list, place, container.rows, low);
      return place == container.rows || list[place] != low;
    });
  }
  double row_ns() const override { return 1; }

 private:
  void SetList(const Container& container, Bitset& rows) const {
    const Numbers<uint16_t> low{bytes_ + container.offset};
    const size_t base = size_t{container.block} * kBlockRows;
    for (uint32_t i = 0; i < container.rows; ++i) rows.Set(base + low[i]);
  }
  void SetWords(const Container& container, Bitset& rows) const {
    const Numbers<uint64_t> from{bytes_ + container.offset};
    const size_t base = size_t{container.block} * (kBlockRows / 64);
    const size_t count = std::min<size_t>(kBlockRows / 64, rows.word_count() - base);
    for (size_t w = 0; w < count; ++w) rows.words()[base + w] |= from[w];
  }

  size_t terms_;
  Numbers<uint64_t> starts_;
  Numbers<uint64_t> firsts_;
  Numbers<Container> containers_;
  const char* bytes_;
};

// What a container may hold: rows below `row_count`, and as many as it says.
bool IsSane(const Container& container, const char* bytes, uint64_t row_count) {
  const uint64_t base = uint64_t{container.block} * kBlockRows;
  if (container.rows <= kListRowsMax) {
    const Numbers<uint16_t> low{bytes};
    for (uint32_t i = 0; i < container.rows; ++i) {
      if (base + low[i] >= row_count) return false;
    }
    return true;
  }
  const Numbers<uint64_t> words{bytes};
  uint64_t count = 0;
  for (size_t w = 0; w < kBlockRows / 64; ++w) {
    uint64_t word = words[w];
    count += static_cast<uint64_t>(std::popcount(word));
    if (word != 0 &&
        base + w * 64 + 63 - static_cast<uint64_t>(std::countl_zero(word)) >= row_count)
      return false;
  }
  return count == container.rows;
}

// Writes the rows [begin, end) of one block.
void AppendContainer(std::span<const uint32_t> rows, std::vector<Container>& containers,
                     std::string& bytes) {
  containers.push_back({.offset = bytes.size(),
                        .block = rows[0] / kBlockRows,
                        .rows = static_cast<uint32_t>(rows.size())});
  if (rows.size() <= kListRowsMax) {
    for (uint32_t row : rows) {
      const auto low = static_cast<uint16_t>(row % kBlockRows);
      bytes.append(reinterpret_cast<const char*>(&low), sizeof(low));
    }
    return;
  }
  std::vector<uint64_t> words(kBlockRows / 64);
  for (uint32_t row : rows) words[row % kBlockRows / 64] |= uint64_t{1} << (row % 64);
  bytes += BytesOf(words);
}

}  // namespace

std::vector<std::string> EncodeRowLists(const TermRows& rows) {
  return {BytesOf(rows.starts), BytesOf(rows.rows)};
}

std::vector<std::string> EncodeRowSets(const TermRows& rows) {
  std::vector<uint64_t> firsts = {0};
  std::vector<Container> containers;
  std::string bytes;
  for (size_t term = 0; term + 1 < rows.starts.size(); ++term) {
    uint64_t begin = rows.starts[term];
    while (begin < rows.starts[term + 1]) {
      const uint32_t block = rows.rows[begin] / kBlockRows;
      uint64_t end = begin + 1;
      while (end < rows.starts[term + 1] && rows.rows[end] / kBlockRows == block) ++end;
      AppendContainer({rows.rows.data() + begin, rows.rows.data() + end}, containers, bytes);
      begin = end;
    }
    firsts.push_back(containers.size());
  }
  return {BytesOf(rows.starts), BytesOf(firsts), BytesOf(containers), std::move(bytes)};
}

void RowSetWriter::Add(size_t term, uint32_t row) {
  if (term >= terms_.size()) terms_.resize(term + 1);
  Term& to = terms_[term];
  if (!to.pending.empty()) {
    if (to.pending.back() == row) return;
    if (to.pending.back() / kBlockRows != row / kBlockRows) Flush(to);
  }
  to.pending.push_back(row);
}

void RowSetWriter::Flush(Term& term) {
  if (term.pending.empty()) return;
  AppendContainer(term.pending, term.containers, term.bytes);
  term.rows += term.pending.size();
  term.pending.clear();
}

std::vector<std::string> RowSetWriter::Finish(std::span<const uint32_t> order) {
  std::vector<uint64_t> starts = {0};
  std::vector<uint64_t> firsts = {0};
  std::vector<Container> containers;
  std::string bytes;
  for (uint32_t number : order) {
    Term& term = terms_[number];
    Flush(term);
    for (Container container : term.containers) {
      container.offset += bytes.size();
      containers.push_back(container);
    }
    bytes += term.bytes;
    starts.push_back(starts.back() + term.rows);
    firsts.push_back(containers.size());
    term = {};
  }
  return {BytesOf(starts), BytesOf(firsts), BytesOf(containers), std::move(bytes)};
}

Result<std::unique_ptr<Postings>> OpenRowLists(std::span<const std::string_view> sections,
                                               uint64_t row_count) {
  const std::string_view rows = sections[1];
  const uint64_t count = rows.size() / sizeof(uint32_t);
  if (rows.size() % sizeof(uint32_t) != 0 || !HoldsStarts(sections[0], count)) return Broken();
  const Numbers<uint32_t> list{rows.data()};
  for (uint64_t i = 0; i < count; ++i) {
    if (list[i] >= row_count) return Broken();
  }
  return std::unique_ptr<Postings>(std::make_unique<RowLists>(sections[0], rows));
}

Result<std::unique_ptr<Postings>> OpenRowSets(std::span<const std::string_view> sections,
                                              uint64_t row_count) {
  const uint64_t count = sections[2].size() / sizeof(Container);
  if (sections[2].size() % sizeof(Container) != 0 || sections[0].size() != sections[1].size() ||
      !HoldsStarts(sections[1], count)) {
    return Broken();
  }
  const Numbers<Container> containers{sections[2].data()};
  uint64_t rows = 0;
  for (uint64_t i = 0; i < count; ++i) {
    const Container container = containers[i];
    if (container.rows == 0 || container.rows > kBlockRows ||
        container.offset > sections[3].size() ||
        BytesIn(container) > sections[3].size() - container.offset ||
        !IsSane(container, sections[3].data() + container.offset, row_count)) {
      return Broken();
    }
    rows += container.rows;
  }
  if (!HoldsStarts(sections[0], rows)) return Broken();
  return std::unique_ptr<Postings>(std::make_unique<RowSets>(sections));
}

}  // namespace elanus::index
