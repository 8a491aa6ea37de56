// NGRAM: every piece of min_gram to max_gram bytes of the texts, with the set of rows that hold it.
// A pattern's literal is cut into pieces; rows that hold all of them are candidates. File: the
// frame and sections of sections.h: a header of u64 (min_gram, max_gram, rows, pieces); the pieces
// in order as offsets and bytes; their row sets in four; null rows (u32).
#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "index/scalar/ordered.h"
#include "index/scalar/postings.h"
#include "index/scalar/scalar_types.h"
#include "index/scalar/sections.h"

namespace elanus::index {
namespace {

using model::Coverage;
using model::DataType;
using model::Predicate;

constexpr std::string_view kMagic = "ELNGRAM1";
constexpr size_t kSections = 8;
constexpr size_t kRowsPerCheck = 65536;

struct Header {
  uint64_t min_gram, max_gram, rows, grams;
};

class Ngram final : public ScalarIndex {
 public:
  Blob file;
  Header header{};
  std::unique_ptr<OrderedValues> grams;
  std::unique_ptr<Postings> postings;
  std::string_view null;

  model::IndexPromise Estimate(const Predicate& predicate) const override {
    if (predicate.kind == Predicate::Kind::kIsNull) {
      return {.coverage = Coverage::kExact, .rows = null.size() / sizeof(uint32_t)};
    }
    const auto pieces = PiecesOf(predicate);
    if (!pieces) return {};
    const uint64_t rows = pieces->empty() ? 0 : pieces->front().rows;
    return {.coverage = Decides(predicate) ? Coverage::kExact : Coverage::kCandidates,
            .rows = rows,
            .cost_ns = static_cast<double>(rows) * (postings->row_ns() + kVerifyNs)};
  }

  Result<Coverage> Answer(Context& ctx, const Predicate& predicate,
                          Bitset& matches) const override {
    TRY(ctx.CheckAlive());
    if (matches.size() != header.rows) {
      return Error(ErrorCode::kIntegrity, "the NGRAM index is of another segment: {} rows, want {}",
                   header.rows, matches.size());
    }
    if (predicate.kind == Predicate::Kind::kIsNull) {
      SetNulls(matches);
      return Coverage::kExact;
    }
    const auto pieces = PiecesOf(predicate);
    if (!pieces) return Coverage::kNone;
    uint64_t left = 0;
    for (size_t i = 0; i < pieces->size(); ++i) {
      const Piece& piece = (*pieces)[i];
      if (i == 0) {
        postings->SetRows(piece.place, piece.place + 1, matches);
        left = piece.rows;
        continue;
      }
      // Looking at the rows that are left may cost less than going through another piece's.
      if (static_cast<double>(left) * kVerifyNs <
          static_cast<double>(piece.rows) * postings->row_ns()) {
        break;
      }
      Bitset others(header.rows);
      postings->SetRows(piece.place, piece.place + 1, others);
      matches.And(others);
      left = matches.Count();
    }
    return Decides(predicate) ? Coverage::kExact : Coverage::kCandidates;
  }

  void SetNulls(Bitset& rows) const override {
    const Numbers<uint32_t> numbers{null.data()};
    for (size_t i = 0; i < null.size() / sizeof(uint32_t); ++i) rows.Set(numbers[i]);
  }
  size_t memory_bytes() const override { return file.heap_bytes(); }

 private:
  static constexpr double kVerifyNs = 30;  // One test of one text.

  struct Piece {
    size_t place;
    uint64_t rows;
  };

  // The pieces that every match holds, rarest first; empty: nothing matches. None: the predicate
  // has no literal as long as a piece.
  std::optional<std::vector<Piece>> PiecesOf(const Predicate& predicate) const {
    if (predicate.type != DataType::kVarChar) return std::nullopt;
    std::vector<Piece> pieces;
    bool has_literal = false;
    bool is_missing = false;
    const auto add = [&](std::string_view literal) {
      if (literal.size() < header.min_gram) return;
      has_literal = true;
      const size_t length = std::min<size_t>(literal.size(), header.max_gram);
      for (size_t at = 0; at + length <= literal.size() && !is_missing; ++at) {
        const model::Scalar piece(std::string(literal.substr(at, length)));
        const size_t low = grams->LowerBound(piece);
        is_missing = grams->UpperBound(low, piece) == low;
        if (!is_missing) pieces.push_back({low, postings->Count(low, low + 1)});
      }
    };
    if (predicate.kind == Predicate::Kind::kPrefix) {
      add(predicate.values[0].as_string());
    } else if (predicate.kind == Predicate::Kind::kText) {
      for (const std::string& literal : predicate.text->literals()) add(literal);
    }
    if (!has_literal) return std::nullopt;
    if (is_missing) pieces.clear();
    std::sort(pieces.begin(), pieces.end(), [](const Piece& a, const Piece& b) {
      return a.rows != b.rows ? a.rows < b.rows : a.place < b.place;
    });
    return pieces;
  }

  // One piece that is all a pattern asks for.
  bool Decides(const Predicate& predicate) const {
    return predicate.kind == Predicate::Kind::kText && predicate.text->is_infix() &&
           predicate.text->literals()[0].size() <= header.max_gram;
  }
};

constexpr ParamSpec kParams[] = {
    {"min_gram", Phase::kBuild, ParamKind::kInteger, 0, 1, 65535, "Bytes of the shortest piece."},
    {"max_gram", Phase::kBuild, ParamKind::kInteger, 0, 1, 65535, "Bytes of the longest piece."},
};

bool Supports(const ScalarShape& shape) { return shape.type == DataType::kVarChar; }

Status CheckParams(const Params& params) {
  if (!params.Has("min_gram") || !params.Has("max_gram")) {
    return Status(ErrorCode::kMissingParameter,
                  "Ngram index must specify both min_gram and max_gram");
  }
  if (params.GetInt("min_gram", 0) > params.GetInt("max_gram", 0)) {
    return Invalid("invalid min_gram or max_gram value, min_gram: {}, max_gram: {}",
                   params.GetInt("min_gram", 0), params.GetInt("max_gram", 0));
  }
  return {};
}

Result<std::string> Build(Context& ctx, const model::ColumnView& column, const Params& params) {
  if (column.type != DataType::kVarChar) {
    return Error(ErrorCode::kIndexNotSupported, "no NGRAM index on {}", NameOf(column.type));
  }
  TRY(CheckParams(params));
  const auto min_gram = static_cast<size_t>(params.GetInt("min_gram", 0));
  const auto max_gram = static_cast<size_t>(params.GetInt("max_gram", 0));
  std::unordered_map<std::string_view, uint32_t> numbers;  // Of pieces; views into the column.
  std::vector<std::string_view> texts;
  std::vector<uint32_t> null;
  RowSetWriter writer;
  for (uint32_t row = 0; row < column.rows; ++row) {
    if (row % kRowsPerCheck == 0) TRY(ctx.CheckAlive());
    if (!column.IsValid(row)) {
      null.push_back(row);
      continue;
    }
    const std::string_view text = column.Bytes(row);
    for (size_t length = min_gram; length <= std::min(max_gram, text.size()); ++length) {
      for (size_t at = 0; at + length <= text.size(); ++at) {
        const std::string_view piece = text.substr(at, length);
        const auto [known, is_new] =
            numbers.try_emplace(piece, static_cast<uint32_t>(texts.size()));
        if (is_new) texts.push_back(piece);
        writer.Add(known->second, row);
      }
    }
  }
  std::vector<uint32_t> order(texts.size());
  for (uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(),
            [&](uint32_t a, uint32_t b) { return texts[a] < texts[b]; });
  std::vector<uint64_t> offsets = {0};
  std::string bytes;
  for (uint32_t number : order) {
    bytes += texts[number];
    offsets.push_back(bytes.size());
  }
  const std::vector<uint64_t> header = {min_gram, max_gram, column.rows, texts.size()};
  std::vector<std::string> sections = {BytesOf(header), BytesOf(offsets), std::move(bytes)};
  for (std::string& part : writer.Finish(order)) sections.push_back(std::move(part));
  sections.push_back(BytesOf(null));
  return WriteSections(kMagic, sections);
}

Result<std::unique_ptr<ScalarIndex>> Open(Blob file) {
  TRY_ASSIGN(const auto sections, ReadSections(kMagic, file.bytes(), kSections, "NGRAM index"));
  auto index = std::make_unique<Ngram>();
  Header& header = index->header;
  const auto broken = [] { return Status(ErrorCode::kIntegrity, "the NGRAM index is not whole"); };
  if (sections[0].size() != sizeof(Header)) return broken();
  std::memcpy(&header, sections[0].data(), sizeof(Header));
  const bool is_sane = header.min_gram > 0 && header.min_gram <= header.max_gram &&
                       header.rows <= UINT32_MAX && header.grams < file.bytes().size() &&
                       sections[1].size() == (header.grams + 1) * sizeof(uint64_t) &&
                       AreOffsets(sections[1].data(), header.grams, sections[2].size());
  if (!is_sane) return broken();
  index->grams = MakeOrderedTexts(sections[1].data(), sections[2].data(), header.grams);
  TRY_ASSIGN(index->postings, OpenRowSets({sections.data() + 3, kRowSetSections}, header.rows));
  if (index->postings->terms() != header.grams) return broken();
  index->null = sections[7];
  const Numbers<uint32_t> null{index->null.data()};
  for (size_t i = 0; i < index->null.size() / sizeof(uint32_t); ++i) {
    if (null[i] >= header.rows) return broken();
  }
  index->file = std::move(file);
  return std::unique_ptr<ScalarIndex>(std::move(index));
}

}  // namespace

const ScalarIndexType& NgramType() {
  static const ScalarIndexType kType{.name = "NGRAM",
                                     .magic = kMagic,
                                     .params = kParams,
                                     .Supports = Supports,
                                     .CheckParams = CheckParams,
                                     .Build = Build,
                                     .Open = Open};
  return kType;
}

}  // namespace elanus::index
