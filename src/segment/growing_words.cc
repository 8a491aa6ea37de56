// Words of growing texts.
#include "segment/growing_words.h"

#include <algorithm>

#include "base/aligned_copy.h"
#include "index/word_index.h"
#include "segment/segment.h"
#include "text/field.h"
#include "text/match.h"

namespace elanus::segment {
namespace {

// Small pieces leave few rows to analyze anew for each filter; large ones keep a word once for many
// rows, and are asked faster.
constexpr size_t kPieceRows = 1024;
static_assert(kChunkRows % kPieceRows == 0 && kPieceRows % 64 == 0);
constexpr double kAnalyzeNs = 3000;  // Of a row, as the filter's planner has it.
constexpr double kAskNs = 3000;      // Of a piece.

}  // namespace

model::IndexPromise GrowingWords::Estimate(size_t rows) const {
  size_t pieces = 0;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    pieces = std::min(pieces_.size(), rows / kPieceRows);
  }
  const size_t analyzed = pieces * kPieceRows;
  const double cost =
      static_cast<double>(pieces) * kAskNs + static_cast<double>(rows - analyzed) * kAnalyzeNs / 2;
  return {.coverage = model::Coverage::kExact, .rows = rows, .cost_ns = cost, .index = "words"};
}

Result<std::vector<GrowingWords::Piece>> GrowingWords::PiecesFor(Context& ctx,
                                                                 const SegmentView& view) {
  const size_t wanted = view.rows() / kPieceRows;
  const auto known = [&] {
    std::lock_guard<std::mutex> lock(mutex_);
    return std::vector<Piece>(pieces_.begin(), pieces_.begin() + static_cast<ptrdiff_t>(std::min(
                                                                     wanted, pieces_.size())));
  };
  std::vector<Piece> pieces = known();
  if (pieces.size() == wanted) return pieces;
  // One makes them, others who want them wait: they would do the same work.
  std::lock_guard<std::mutex> growing(growing_mutex_);
  pieces = known();
  while (pieces.size() < wanted) {
    TRY_ASSIGN(const model::ColumnView column,
               view.Read(field_, pieces.size() * kPieceRows, kPieceRows));
    TRY_ASSIGN(const std::string bytes, index::BuildWordIndex(ctx, column, *analyzer_));
    TRY_ASSIGN(Piece piece, index::OpenScalarIndex(AlignedCopy(bytes)));
    pieces.push_back(piece);
    std::lock_guard<std::mutex> lock(mutex_);
    pieces_.push_back(std::move(piece));
    bytes_ += bytes.size();
  }
  return pieces;
}

size_t GrowingWords::memory_bytes() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return bytes_;
}

Result<model::Coverage> GrowingWords::Answer(Context& ctx, const SegmentView& view,
                                             const model::Predicate& predicate, Bitset& matches,
                                             Bitset* unknown) {
  TRY_ASSIGN(const std::vector<Piece> pieces, PiecesFor(ctx, view));
  Bitset part;
  for (size_t p = 0; p < pieces.size(); ++p) {
    part.Resize(kPieceRows);
    TRY_ASSIGN(const model::Coverage coverage, pieces[p]->Answer(ctx, predicate, part));
    if (coverage != model::Coverage::kExact) return model::Coverage::kNone;
    std::copy_n(part.words(), part.word_count(), matches.words() + p * kPieceRows / 64);
  }
  TRY(AnswerRest(view, predicate, pieces.size() * kPieceRows, matches));
  if (unknown == nullptr) return model::Coverage::kExact;
  for (size_t begin = 0; begin < view.rows(); begin += kChunkRows) {
    const size_t count = std::min(kChunkRows, view.rows() - begin);
    TRY_ASSIGN(const model::ColumnView column, view.Read(field_, begin, count));
    for (size_t i = 0; i < count; ++i) {
      if (!column.IsValid(i)) unknown->Set(begin + i);
    }
  }
  return model::Coverage::kExact;
}

Status GrowingWords::AnswerRest(const SegmentView& view, const model::Predicate& predicate,
                                size_t begin, Bitset& matches) const {
  if (begin == view.rows()) return {};
  TRY_ASSIGN(const model::ColumnView column, view.Read(field_, begin, view.rows() - begin));
  text::WordMatcher matcher(*predicate.words);
  text::Tokens tokens;
  for (size_t i = 0; i < column.rows; ++i) {
    if (!column.IsValid(i)) continue;
    analyzer_->Analyze(column.Bytes(i), tokens);
    if (matcher.Matches(tokens)) matches.Set(begin + i);
  }
  return {};
}

WordsOfFields MakeGrowingWords(const model::CollectionSchema& schema) {
  WordsOfFields words;
  for (const model::FieldSchema& field : schema.fields) {
    if (field.type != model::DataType::kVarChar || !text::HasMatch(field)) continue;
    auto analyzer = text::AnalyzerOf(field);
    if (!analyzer.ok()) continue;
    words.emplace(field.id.value(),
                  std::make_shared<GrowingWords>(field.id, std::move(analyzer).value()));
  }
  return words;
}

}  // namespace elanus::segment
