// Dictionary indexes. File: the frame and sections of sections.h: a header of u64 (type, is array,
// rows, terms); the dictionary in two sections (offsets, empty for numbers, and values); the
// postings in two or four; NaN rows and null rows (u32).
#include "index/scalar/term_index.h"

#include <algorithm>

#include "index/scalar/front_coded.h"
#include "index/scalar/ordered.h"
#include "index/scalar/sections.h"

namespace elanus::index {
namespace {

using model::Coverage;
using model::DataType;
using model::Predicate;

struct Header {
  uint64_t type, is_array, rows, terms;
};
constexpr size_t kDictionaryAt = 1;
constexpr size_t kPostingsAt = 3;

size_t PostingSections(const TermLayout& layout) {
  return layout.has_sets ? kRowSetSections : kRowListSections;
}

class TermIndex final : public ScalarIndex {
 public:
  Blob file;
  Header header{};
  bool asks_elements = false;
  std::unique_ptr<OrderedValues> terms;
  std::unique_ptr<Postings> postings;
  std::string_view nan;
  std::string_view null;

  model::IndexPromise Estimate(const Predicate& predicate) const override {
    if (predicate.kind == Predicate::Kind::kIsNull) return Promise(null.size() / sizeof(uint32_t));
    if (predicate.kind == Predicate::Kind::kText) return EstimateText(predicate);
    Places places;
    if (!Find(predicate, places)) return {};
    if (predicate.kind == Predicate::Kind::kContains && predicate.all) {
      // No more than the rarest, and one set for each.
      uint64_t least = places.ranges.empty() ? 0 : UINT64_MAX;
      double cost = 0;
      for (const auto& [begin, end] : places.ranges) {
        least = std::min(least, postings->Count(begin, end));
        cost += Promise(postings->Count(begin, end)).cost_ns +
                static_cast<double>(header.rows) * kWordNs;
      }
      return {.coverage = Coverage::kExact, .rows = least, .cost_ns = cost};
    }
    return Promise(Count(places));
  }

  Result<Coverage> Answer(Context& ctx, const Predicate& predicate,
                          Bitset& matches) const override {
    TRY(ctx.CheckAlive());
    if (matches.size() != header.rows) {
      return Error(ErrorCode::kIntegrity, "the index is of another segment: {} rows, want {}",
                   header.rows, matches.size());
    }
    if (predicate.kind == Predicate::Kind::kIsNull) {
      SetNulls(matches);
      return Coverage::kExact;
    }
    if (predicate.kind == Predicate::Kind::kContains && predicate.all) {
      return AnswerAll(predicate, matches);
    }
    Places places;
    if (!Find(predicate, places)) return Coverage::kNone;
    for (const auto& [begin, end] : places.ranges) postings->SetRows(begin, end, matches);
    if (places.nan) SetList(nan, matches);
    return Coverage::kExact;
  }

  void SetNulls(Bitset& rows) const override { SetList(null, rows); }
  size_t memory_bytes() const override { return file.heap_bytes(); }

 private:
  static constexpr double kTextNs = 20;    // One test of one text of the dictionary.
  static constexpr double kWordNs = 0.05;  // One row of a whole set: a bit of a word.

  model::IndexPromise Promise(uint64_t rows) const {
    return {.coverage = Coverage::kExact,
            .rows = rows,
            .cost_ns = static_cast<double>(rows) * postings->row_ns()};
  }
  // What a test of texts will match is not known before: at most the rows of the texts with its
  // prefix, each of which is tested.
  model::IndexPromise EstimateText(const Predicate& predicate) const {
    if (header.is_array != 0 || predicate.type != static_cast<DataType>(header.type)) return {};
    Predicate wider;
    wider.kind = Predicate::Kind::kPrefix;
    wider.type = predicate.type;
    wider.values = {model::Scalar(std::string(predicate.text->prefix()))};
    Places places;
    if (!Find(wider, places)) return {};
    const auto [begin, end] = places.ranges[0];
    model::IndexPromise promise = Promise(postings->Count(begin, end));
    promise.cost_ns += static_cast<double>(end - begin) * kTextNs;
    return promise;
  }
  uint64_t Count(const Places& places) const {
    uint64_t rows = places.nan ? nan.size() / sizeof(uint32_t) : 0;
    for (const auto& [begin, end] : places.ranges) rows += postings->Count(begin, end);
    return rows;
  }
  bool Find(const Predicate& predicate, Places& places) const {
    const bool wants_array = predicate.kind == Predicate::Kind::kContains;
    if (predicate.type != static_cast<DataType>(header.type) ||
        (wants_array != (header.is_array != 0) && !asks_elements)) {
      return false;
    }
    return FindPlaces(*terms, predicate, /*tests_all=*/true, places);
  }

  Result<Coverage> AnswerAll(const Predicate& predicate, Bitset& matches) const {
    Predicate one = predicate;
    bool is_first = true;
    for (const model::Scalar& value : predicate.values) {
      one.values = {value};
      Places places;
      if (!Find(one, places)) return Coverage::kNone;
      Bitset rows(header.rows);
      for (const auto& [begin, end] : places.ranges) postings->SetRows(begin, end, rows);
      if (is_first)
        matches = std::move(rows);
      else
        matches.And(rows);
      is_first = false;
    }
    return Coverage::kExact;
  }

  static void SetList(std::string_view list, Bitset& rows) {
    const Numbers<uint32_t> numbers{list.data()};
    for (size_t i = 0; i < list.size() / sizeof(uint32_t); ++i) rows.Set(numbers[i]);
  }
};

bool AreRows(std::string_view list, uint64_t rows) {
  const Numbers<uint32_t> numbers{list.data()};
  for (size_t i = 0; i < list.size() / sizeof(uint32_t); ++i) {
    if (numbers[i] >= rows) return false;
  }
  return list.size() % sizeof(uint32_t) == 0;
}

Result<std::unique_ptr<OrderedValues>> OpenDictionary(const Header& header,
                                                      std::string_view offsets,
                                                      std::string_view values,
                                                      const TermLayout& layout) {
  const auto type = static_cast<DataType>(header.type);
  if (type != DataType::kVarChar) {
    const uint32_t width = model::WidthOf(type);
    // The postings already hold that terms fit into the file.
    if (offsets.empty() && values.size() == header.terms * width) {
      return MakeOrderedNumbers(type, values.data(), header.terms);
    }
  } else if (layout.has_front_coding) {
    return OpenFrontCoded(offsets, values, header.terms);
  } else if (offsets.size() == (header.terms + 1) * sizeof(uint64_t) &&
             AreOffsets(offsets.data(), header.terms, values.size())) {
    return MakeOrderedTexts(offsets.data(), values.data(), header.terms);
  }
  return Error(ErrorCode::kIntegrity, "the {} has a dictionary that is not whole", layout.name);
}

}  // namespace

std::string WriteTermIndex(const model::ColumnView& column, const Collected& collected,
                           const TermLayout& layout) {
  const bool is_array = column.type == DataType::kArray;
  const std::vector<uint64_t> header = {
      static_cast<uint64_t>(is_array ? column.element_type : column.type), is_array, column.rows,
      collected.terms()};
  std::vector<std::string> sections = {BytesOf(header)};
  if (static_cast<DataType>(header[0]) != DataType::kVarChar) {
    sections.emplace_back();
    sections.push_back(collected.values);
  } else if (layout.has_front_coding) {
    for (std::string& part : EncodeFrontCoded(collected.texts)) sections.push_back(std::move(part));
  } else {
    std::vector<uint64_t> offsets = {0};
    std::string bytes;
    for (std::string_view text : collected.texts) {
      bytes += text;
      offsets.push_back(bytes.size());
    }
    sections.push_back(BytesOf(offsets));
    sections.push_back(std::move(bytes));
  }
  for (std::string& part :
       layout.has_sets ? EncodeRowSets(collected.rows) : EncodeRowLists(collected.rows)) {
    sections.push_back(std::move(part));
  }
  sections.push_back(BytesOf(collected.nan));
  sections.push_back(BytesOf(collected.null));
  return WriteSections(layout.magic, sections);
}

Result<std::string> BuildTermIndex(Context& ctx, const model::ColumnView& column,
                                   const TermLayout& layout) {
  TRY_ASSIGN(const Collected collected, Collect(ctx, column));
  return WriteTermIndex(column, collected, layout);
}

Result<std::unique_ptr<ScalarIndex>> OpenTermIndex(Blob file, const TermLayout& layout) {
  const size_t nan_at = kPostingsAt + PostingSections(layout);
  TRY_ASSIGN(const auto sections,
             ReadSections(layout.magic, file.bytes(), nan_at + 2, layout.name));
  auto index = std::make_unique<TermIndex>();
  index->asks_elements = layout.asks_elements;
  Header& header = index->header;
  const auto broken = [&] {
    return Error(ErrorCode::kIntegrity, "the {} is not whole", layout.name);
  };
  if (sections[0].size() != sizeof(Header)) return broken();
  std::memcpy(&header, sections[0].data(), sizeof(Header));
  if (header.type > UINT8_MAX || !IsOrdered(static_cast<DataType>(header.type)) ||
      header.rows > UINT32_MAX || header.is_array > 1) {
    return broken();
  }
  const std::span<const std::string_view> parts(sections.data() + kPostingsAt,
                                                PostingSections(layout));
  TRY_ASSIGN(index->postings,
             layout.has_sets ? OpenRowSets(parts, header.rows) : OpenRowLists(parts, header.rows));
  if (index->postings->terms() != header.terms) return broken();
  TRY_ASSIGN(index->terms,
             OpenDictionary(header, sections[kDictionaryAt], sections[kDictionaryAt + 1], layout));
  index->nan = sections[nan_at];
  index->null = sections[nan_at + 1];
  if (!AreRows(index->nan, header.rows) || !AreRows(index->null, header.rows)) return broken();
  index->file = std::move(file);
  return std::unique_ptr<ScalarIndex>(std::move(index));
}

}  // namespace elanus::index
