// WORDS: every word of the texts with the set of rows that hold it, and where it stands in each.
// File: the frame and sections of sections.h: a header of u64 (rows, words); the words in order as
// offsets and bytes; their row sets in four; u64 starts (words + 1) of the places of each word; the
// places: of each of its rows, ascending, varint bytes that follow, and varints of the steps from
// one position to the next; null rows (u32).
#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <cstring>
#include <numeric>

#include "index/scalar/ordered.h"
#include "index/scalar/postings.h"
#include "index/scalar/scalar_types.h"
#include "index/scalar/sections.h"
#include "index/word_index.h"
#include "text/match.h"

namespace elanus::index {
namespace {

using model::Coverage;
using model::DataType;
using model::Predicate;
using model::WordQuery;

constexpr std::string_view kMagic = "ELWORDS1";
constexpr size_t kRowSetsAt = 3;
constexpr size_t kStartsAt = kRowSetsAt + kRowSetSections;
constexpr size_t kSections = kStartsAt + 3;
constexpr size_t kRowsPerCheck = 1024;

struct Header {
  uint64_t rows, words;
};

void AppendVarint(std::string& to, uint64_t number) {
  for (; number >= 0x80; number >>= 7) to += static_cast<char>(number | 0x80);
  to += static_cast<char>(number);
}

bool TakeVarint(std::string_view& from, uint64_t& number) {
  number = 0;
  for (int shift = 0; shift < 63 && !from.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(from.front());
    from.remove_prefix(1);
    number |= uint64_t{byte & 0x7Fu} << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

// A word of the dictionary near to one of the query's.
class NearWord final : public model::TextTest {
 public:
  explicit NearWord(const WordQuery& query) : query_(query) {}
  bool Matches(std::string_view text) const override {
    return std::any_of(query_.words.begin(), query_.words.end(), [&](const std::string& word) {
      return text::AreWithin(text, word, query_.edits);
    });
  }
  std::string_view prefix() const override { return {}; }
  const std::vector<std::string>& literals() const override { return none_; }
  bool is_infix() const override { return false; }

 private:
  const WordQuery& query_;
  const std::vector<std::string> none_;
};

class Words final : public ScalarIndex {
 public:
  Blob file;
  Header header{};
  std::unique_ptr<OrderedValues> words;
  std::unique_ptr<Postings> postings;
  Numbers<uint64_t> starts;
  std::string_view places;
  std::string_view null;

  model::IndexPromise Estimate(const Predicate& predicate) const override {
    if (predicate.kind == Predicate::Kind::kIsNull) {
      return {.coverage = Coverage::kExact, .rows = null.size() / sizeof(uint32_t)};
    }
    if (predicate.kind != Predicate::Kind::kWords) return {};
    const WordQuery& query = *predicate.words;
    if (query.kind == WordQuery::Kind::kFuzzy) {
      return {.coverage = Coverage::kExact,
              .rows = header.rows,
              .cost_ns = static_cast<double>(header.words * query.words.size()) * kNearNs};
    }
    uint64_t all = 0;
    uint64_t least = query.words.empty() ? 0 : UINT64_MAX;
    for (const std::string& word : query.words) {
      const uint64_t rows = RowsOf(Find(word));
      all += rows;
      least = std::min(least, rows);
    }
    const bool is_and =
        query.kind == WordQuery::Kind::kPhrase || query.at_least >= query.words.size();
    double cost = static_cast<double>(all) * postings->row_ns();
    if (query.kind == WordQuery::Kind::kPhrase) cost += static_cast<double>(all) * kPlaceNs;
    return {.coverage = Coverage::kExact,
            .rows = is_and ? least : std::min(all, header.rows),
            .cost_ns = cost};
  }

  Result<Coverage> Answer(Context& ctx, const Predicate& predicate,
                          Bitset& matches) const override {
    TRY(ctx.CheckAlive());
    if (matches.size() != header.rows) {
      return Error(ErrorCode::kIntegrity, "the word index is of another segment: {} rows, want {}",
                   header.rows, matches.size());
    }
    if (predicate.kind == Predicate::Kind::kIsNull) {
      SetNulls(matches);
      return Coverage::kExact;
    }
    if (predicate.kind != Predicate::Kind::kWords) return Coverage::kNone;
    const WordQuery& query = *predicate.words;
    if (query.words.empty()) return Coverage::kExact;
    if (query.kind == WordQuery::Kind::kFuzzy) {
      SetNear(query, matches);
    } else if (query.kind == WordQuery::Kind::kPhrase) {
      TRY(SetPhrase(ctx, query, matches));
    } else {
      SetSome(query, matches);
    }
    return Coverage::kExact;
  }

  void SetNulls(Bitset& rows) const override {
    const Numbers<uint32_t> numbers{null.data()};
    for (size_t i = 0; i < null.size() / sizeof(uint32_t); ++i) rows.Set(numbers[i]);
  }
  size_t memory_bytes() const override { return file.heap_bytes(); }

  // What Answer follows without looking: each list of places is whole and of as many rows.
  bool PlacesAreGood() const {
    for (size_t w = 0; w < header.words; ++w) {
      std::string_view rest = PlacesOf(w);
      uint64_t rows = 0;
      for (; !rest.empty(); ++rows) {
        uint64_t bytes = 0;
        if (!TakeVarint(rest, bytes) || bytes > rest.size()) return false;
        rest.remove_prefix(bytes);
      }
      if (rows != postings->Count(w, w + 1)) return false;
    }
    return true;
  }

 private:
  static constexpr double kNearNs = 100;  // One comparison of two words.
  static constexpr double kPlaceNs = 4;   // Stepping over the places of a row.
  static constexpr size_t kNone = SIZE_MAX;
  static constexpr uint64_t kFewRows = 4096;  // To be looked up one by one; more as sets.

  size_t Find(const std::string& word) const {
    const model::Scalar wanted(word);
    const size_t low = words->LowerBound(wanted);
    return words->UpperBound(low, wanted) == low ? kNone : low;
  }
  uint64_t RowsOf(size_t word) const { return word == kNone ? 0 : postings->Count(word, word + 1); }
  std::string_view PlacesOf(size_t word) const {
    return places.substr(starts[word], starts[word + 1] - starts[word]);
  }

  void SetNear(const WordQuery& query, Bitset& matches) const {
    std::vector<std::pair<size_t, size_t>> ranges;
    words->Match(0, words->size(), NearWord(query), ranges);
    for (const auto& [begin, end] : ranges) postings->SetRows(begin, end, matches);
  }

  void SetSome(const WordQuery& query, Bitset& matches) const {
    std::vector<size_t> found;
    for (const std::string& word : query.words) {
      const size_t place = Find(word);
      if (place != kNone) found.push_back(place);
    }
    if (found.size() < query.at_least) return;
    if (query.at_least <= 1) {
      for (size_t word : found) postings->SetRows(word, word + 1, matches);
      return;
    }
    if (query.at_least == found.size()) {
      SetAll(std::move(found), matches);
      return;
    }
    std::vector<uint16_t> counts(header.rows);
    for (size_t word : found) {
      Bitset rows(header.rows);
      postings->SetRows(word, word + 1, rows);
      ForEachSet(rows.view(), [&](size_t row) {
        if (++counts[row] == query.at_least) matches.Set(row);
      });
    }
  }

  // The rows with every word, the rarest first.
  void SetAll(std::vector<size_t> found, Bitset& matches) const {
    std::sort(found.begin(), found.end(), [&](size_t a, size_t b) {
      return RowsOf(a) != RowsOf(b) ? RowsOf(a) < RowsOf(b) : a < b;
    });
    found.erase(std::unique(found.begin(), found.end()), found.end());
    if (RowsOf(found[0]) <= kFewRows) {
      std::vector<uint32_t> rows;
      postings->AppendRows(found[0], rows);
      for (size_t i = 1; i < found.size(); ++i) postings->KeepRows(found[i], rows);
      for (uint32_t row : rows) matches.Set(row);
      return;
    }
    postings->SetRows(found[0], found[0] + 1, matches);
    for (size_t i = 1; i < found.size(); ++i) {
      Bitset rows(header.rows);
      postings->SetRows(found[i], found[i] + 1, rows);
      matches.And(rows);
    }
  }

  Status SetPhrase(Context& ctx, const WordQuery& query, Bitset& matches) const {
    std::vector<size_t> found;
    for (const std::string& word : query.words) {
      found.push_back(Find(word));
      if (found.back() == kNone) return {};
    }
    Bitset candidates(header.rows);
    SetAll(found, candidates);
    if (query.words.size() == 1) {
      matches = std::move(candidates);
      return {};
    }
    // The places of each word in each candidate, candidates in order.
    const size_t count = candidates.Count();
    std::vector<std::vector<std::vector<uint32_t>>> stands(count);
    for (auto& row : stands) row.resize(found.size());
    for (size_t w = 0; w < found.size(); ++w) {
      TRY(ctx.CheckAlive());
      Bitset rows(header.rows);
      postings->SetRows(found[w], found[w] + 1, rows);
      std::string_view rest = PlacesOf(found[w]);
      size_t candidate = 0;
      ForEachSet(rows.view(), [&](size_t row) {
        uint64_t bytes = 0;
        TakeVarint(rest, bytes);
        if (candidates.Test(row)) Unpack(rest.substr(0, bytes), stands[candidate++][w]);
        rest.remove_prefix(bytes);
      });
    }
    size_t candidate = 0;
    ForEachSet(candidates.view(), [&](size_t row) {
      if (text::PhraseSlop(query, stands[candidate++])) matches.Set(row);
    });
    return {};
  }

  static void Unpack(std::string_view bytes, std::vector<uint32_t>& positions) {
    uint64_t position = 0;
    uint64_t step = 0;
    while (TakeVarint(bytes, step)) {
      position += step;
      positions.push_back(static_cast<uint32_t>(position));
    }
  }
};

/// Collects the words of one row after the other.
class Collector {
 public:
  void Add(uint32_t row, const text::Tokens& tokens) {
    touched_.clear();
    for (const text::Token& token : tokens) {
      const auto [at, is_new] =
          numbers_.try_emplace(token.text, static_cast<uint32_t>(words_.size()));
      if (is_new) words_.emplace_back();
      Word& word = words_[at->second];
      if (word.fresh.empty()) touched_.push_back(at->second);
      word.fresh.push_back(token.position);
    }
    for (uint32_t number : touched_) {
      Word& word = words_[number];
      sets_.Add(number, row);
      std::sort(word.fresh.begin(), word.fresh.end());
      steps_.clear();
      uint32_t last = 0;
      for (uint32_t position : word.fresh) {
        AppendVarint(steps_, position - last);
        last = position;
      }
      AppendVarint(word.places, steps_.size());
      word.places += steps_;
      word.fresh.clear();
    }
  }

  std::string Finish(uint64_t rows, const std::vector<uint32_t>& null) {
    std::vector<std::string_view> texts(words_.size());
    for (const auto& [text, number] : numbers_) texts[number] = text;
    std::vector<uint32_t> order(words_.size());
    std::iota(order.begin(), order.end(), 0u);
    std::sort(order.begin(), order.end(),
              [&](uint32_t a, uint32_t b) { return texts[a] < texts[b]; });
    std::vector<uint64_t> offsets = {0};
    std::string bytes;
    std::vector<uint64_t> starts = {0};
    std::string places;
    for (uint32_t number : order) {
      bytes += texts[number];
      offsets.push_back(bytes.size());
      places += words_[number].places;
      starts.push_back(places.size());
    }
    const std::vector<uint64_t> header = {rows, words_.size()};
    std::vector<std::string> sections = {BytesOf(header), BytesOf(offsets), std::move(bytes)};
    for (std::string& part : sets_.Finish(order)) sections.push_back(std::move(part));
    sections.push_back(BytesOf(starts));
    sections.push_back(std::move(places));
    sections.push_back(BytesOf(null));
    return WriteSections(kMagic, sections);
  }

 private:
  struct Word {
    std::string places;
    std::vector<uint32_t> fresh;  // Positions in the row at hand.
  };
  absl::flat_hash_map<std::string, uint32_t> numbers_;
  std::vector<Word> words_;
  RowSetWriter sets_;
  std::vector<uint32_t> touched_;
  std::string steps_;
};

bool Supports(const ScalarShape& shape) {
  return shape.type == DataType::kVarChar && !shape.is_json_path;
}

// Without a field to ask, the standard analyzer.
Result<std::string> Build(Context& ctx, const model::ColumnView& column, const Params&) {
  TRY_ASSIGN(const text::AnalyzerPtr analyzer, text::AnalyzerOf(""));
  return BuildWordIndex(ctx, column, *analyzer);
}

bool AreRows(std::string_view list, uint64_t rows) {
  const Numbers<uint32_t> numbers{list.data()};
  for (size_t i = 0; i < list.size() / sizeof(uint32_t); ++i) {
    if (numbers[i] >= rows) return false;
  }
  return list.size() % sizeof(uint32_t) == 0;
}

Result<std::unique_ptr<ScalarIndex>> Open(Blob file) {
  TRY_ASSIGN(const auto sections, ReadSections(kMagic, file.bytes(), kSections, "word index"));
  auto index = std::make_unique<Words>();
  Header& header = index->header;
  const auto broken = [] { return Status(ErrorCode::kIntegrity, "the word index is not whole"); };
  if (sections[0].size() != sizeof(Header)) return broken();
  std::memcpy(&header, sections[0].data(), sizeof(Header));
  if (header.rows > UINT32_MAX) return broken();
  TRY_ASSIGN(index->postings,
             OpenRowSets({sections.data() + kRowSetsAt, kRowSetSections}, header.rows));
  const uint64_t offset_bytes = (header.words + 1) * sizeof(uint64_t);
  if (index->postings->terms() != header.words || sections[1].size() != offset_bytes ||
      sections[kStartsAt].size() != offset_bytes ||
      !AreOffsets(sections[1].data(), header.words, sections[2].size()) ||
      !AreOffsets(sections[kStartsAt].data(), header.words, sections[kStartsAt + 1].size())) {
    return broken();
  }
  index->words = MakeOrderedTexts(sections[1].data(), sections[2].data(), header.words);
  index->starts = {sections[kStartsAt].data()};
  index->places = sections[kStartsAt + 1];
  index->null = sections[kStartsAt + 2];
  if (!AreRows(index->null, header.rows) || !index->PlacesAreGood()) return broken();
  index->file = std::move(file);
  return std::unique_ptr<ScalarIndex>(std::move(index));
}

}  // namespace

Result<std::string> BuildWordIndex(Context& ctx, const model::ColumnView& column,
                                   const text::Analyzer& analyzer) {
  if (column.type != DataType::kVarChar && column.type != DataType::kText) {
    return Error(ErrorCode::kIndexNotSupported, "a word index cannot be built on a {} field",
                 NameOf(column.type));
  }
  Collector collector;
  std::vector<uint32_t> null;
  text::Tokens tokens;
  for (size_t row = 0; row < column.rows; ++row) {
    if (row % kRowsPerCheck == 0) TRY(ctx.CheckAlive());
    if (!column.IsValid(row)) {
      null.push_back(static_cast<uint32_t>(row));
      continue;
    }
    analyzer.Analyze(column.Bytes(row), tokens);
    collector.Add(static_cast<uint32_t>(row), tokens);
  }
  return collector.Finish(column.rows, null);
}

const ScalarIndexType& WordsType() {
  static const ScalarIndexType kType{.name = kWordIndexName,
                                     .magic = kMagic,
                                     .is_internal = true,
                                     .Supports = Supports,
                                     .Build = Build,
                                     .Open = Open};
  return kType;
}

}  // namespace elanus::index
