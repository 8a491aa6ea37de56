// BM25 over a file of texts on one core, as a segment answers it: the words of a query analyzed,
// weighed by the statistics, ranked; and the same among the rows that hold every word.
//
//   elanus_search TEXTS QUERIES [repeats=5]    one text, one query a line
//
// Prints a line of JSON for each kind of query: queries per second of CPU time of the best repeat,
// and the scores of the first queries' hits.
#include <fmt/format.h>

#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <string>
#include <vector>

#include "base/aligned_copy.h"
#include "index/scalar_index.h"
#include "index/sparse/sparse.h"
#include "index/vector_block.h"
#include "index/word_index.h"
#include "segment/term_statistics.h"
#include "text/bm25.h"
#include "text/match.h"

namespace elanus {
namespace {

constexpr uint32_t kHits = 10;
constexpr size_t kShownQueries = 20;

double CpuSeconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

std::vector<std::string> Lines(const char* path) {
  std::vector<std::string> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

template <class T>
T Must(Result<T> result) {
  if (!result.ok()) {
    fmt::print(stderr, "{}\n", result.status().ToString());
    std::exit(1);
  }
  return std::move(result).value();
}

class Texts {
 public:
  Texts(Context& ctx, const std::vector<std::string>& texts)
      : ctx_(ctx),
        analyzer_(Must(text::AnalyzerOf(""))),
        column_(model::MakeColumn(FieldId(1), "text", model::DataType::kVarChar,
                                  model::DataType::kNone, 0)),
        counts_(model::MakeColumn(FieldId(2), "counts", model::DataType::kSparseFloatVector,
                                  model::DataType::kNone, 0)) {
    text::Tokens tokens;
    for (const std::string& text : texts) {
      column_.AppendBytes(text);
      analyzer_->Analyze(text, tokens);
      counts_.AppendBytes(text::CountTerms(tokens));
    }
    statistics_.Add(counts_.view());
    const index::VectorBlock rows = index::BlockOf(counts_.view());
    ranked_ =
        Must(index::SparseInvertedType().Open(AlignedCopy(Must(index::SparseInvertedType().Build(
                                                  ctx, rows, model::Metric::kBm25, {}, {}))),
                                              rows, model::Metric::kBm25));
    words_ = Must(index::OpenScalarIndex(
        AlignedCopy(Must(index::BuildWordIndex(ctx, column_.view(), *analyzer_)))));
  }

  // The hits of a query: rows and scores, unused places kNoRow.
  void Search(const std::string& query, bool needs_all, uint32_t* rows, float* scores) {
    analyzer_->Analyze(query, tokens_);
    std::string row = text::CountTerms(tokens_);
    const size_t terms = row.size() / 8;
    dims_.resize(terms);
    if (terms > 0) std::memcpy(dims_.data(), row.data(), terms * sizeof(uint32_t));
    model::TermTotals totals;
    totals.with_term.resize(terms);
    statistics_.AddTo(dims_, totals);
    for (size_t i = 0; i < terms; ++i) {
      float value;
      char* const at = row.data() + (terms + i) * sizeof(value);
      std::memcpy(&value, at, sizeof(value));
      value *= static_cast<float>(text::InverseDocumentFrequency(totals.rows, totals.with_term[i]));
      std::memcpy(at, &value, sizeof(value));
    }
    model::Column weighed =
        model::MakeColumn({}, "", model::DataType::kSparseFloatVector, model::DataType::kNone, 0);
    weighed.AppendBytes(row);
    index::SearchRequest request{.queries = index::BlockOf(weighed.view()), .k = kHits};
    request.params.Set("bm25_avgdl", totals.mean_length());
    Bitset all;
    if (needs_all) {
      all.Resize(column_.rows);
      model::WordQuery wanted = text::MakeWordQuery(model::WordQuery::Kind::kSome, tokens_);
      wanted.at_least = static_cast<uint32_t>(wanted.words.size());
      model::Predicate predicate{.kind = model::Predicate::Kind::kWords};
      predicate.words = std::make_shared<const model::WordQuery>(std::move(wanted));
      Must(words_->Answer(ctx_, predicate, all));
      request.allowed = all.view();
    }
    const Status status = ranked_->Search(ctx_, request, {.rows = rows, .scores = scores});
    if (!status.ok()) std::exit(1);
  }

 private:
  Context& ctx_;
  text::AnalyzerPtr analyzer_;
  model::Column column_;
  model::Column counts_;
  segment::TermStatistics statistics_;
  std::unique_ptr<index::VectorIndex> ranked_;
  std::unique_ptr<index::ScalarIndex> words_;
  text::Tokens tokens_;
  std::vector<uint32_t> dims_;
};

void Measure(Texts& texts, const std::vector<std::string>& queries, bool needs_all, int repeats) {
  std::vector<uint32_t> rows(queries.size() * kHits);
  std::vector<float> scores(queries.size() * kHits);
  double best = 1e30;
  for (int r = 0; r < repeats; ++r) {
    const double begin = CpuSeconds();
    for (size_t q = 0; q < queries.size(); ++q) {
      texts.Search(queries[q], needs_all, &rows[q * kHits], &scores[q * kHits]);
    }
    best = std::min(best, CpuSeconds() - begin);
  }
  std::string shown;
  for (size_t q = 0; q < std::min(queries.size(), kShownQueries); ++q) {
    shown += q == 0 ? "[" : ", [";
    for (size_t i = 0; i < kHits && rows[q * kHits + i] != index::kNoRow; ++i) {
      shown += fmt::format("{}{:.5f}", i == 0 ? "" : ", ", scores[q * kHits + i]);
    }
    shown += "]";
  }
  fmt::print("{{\"kind\": \"{}\", \"qps\": {:.1f}, \"scores\": [{}]}}\n", needs_all ? "and" : "or",
             static_cast<double>(queries.size()) / best, shown);
}

}  // namespace
}  // namespace elanus

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const int repeats = argc > 3 ? std::atoi(argv[3]) : 5;
  elanus::SystemClock clock;
  elanus::Context ctx(clock);
  elanus::Texts texts(ctx, elanus::Lines(argv[1]));
  const auto queries = elanus::Lines(argv[2]);
  elanus::Measure(texts, queries, false, repeats);
  elanus::Measure(texts, queries, true, repeats);
  return 0;
}
